# Processes that come about past libc's fork, from one that has recorded nothing but its start: nobody
# announces them, and no page has been wiped. Who is who all the same.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    cd "$BATS_TEST_TMPDIR" || return
}

# record COMMAND...: by hand, so that nothing but the shim says anything.
record() {
    env LD_PRELOAD="$shim" PORTWITNESS_TRACE="$PWD/trace" "$@" >said
    "$PORTWITNESS" export --format jsonl trace >records
}

# process_of WHO: the serial of the process that bound what it said.
process_of() {
    local port
    port=$(sed -n "s/^$1 //p" said)
    jq --argjson port "$port" 'select(.kind == "bind" and .assigned.port == $port) | .process' records
}

# start_of SERIAL, ends_of SERIAL
start_of() {
    jq -c --argjson who "$1" 'select(.kind == "process-start" and .process == $who) | .flags' records
}
ends_of() {
    jq --argjson who "$1" 'select(.kind == "process-exit" and .process == $who) | 1' records | wc -l
}

# The program that was started first, as its first record says.
first() { jq 'select(.kind == "process-start" and (.flags | index("by-exec")) and .comm == "clones") | .process' records; }

@test "a copy made by clone is a process of its own" {
    record "$data/clones" copy
    assert_equal "$(process_of parent)" "$(first)"
    child=$(process_of child)
    [ "$child" != "$(first)" ]
    assert_equal "$(start_of "$child")" '["by-fork"]'
    assert_equal "$(ends_of "$(first)")" 1
    assert_equal "$(jq -s --argjson a "$(first)" --argjson b "$child" \
        'map(select(.kind == "bind")) | map(.process) | sort == ([$a, $b] | sort)' records)" true
}

@test "the first process of a new pid namespace is not the first of the one around" {
    unshare --pid --fork true 2>/dev/null || skip 'no pid namespace may be made here'
    record unshare --pid --fork --mount-proc "$data/clones" space
    assert_equal "$(process_of parent)" "$(first)"
    child=$(process_of child)
    [ "$child" != "$(first)" ]
    assert_equal "$(start_of "$child")" '["by-fork"]'
}

@test "a process stays who it is where another one shared its memory" {
    record "$data/clones" shared
    assert_equal "$(process_of parent)" "$(first)"
    assert_equal "$(ends_of "$(first)")" 1
    # What was executed is recorded, with the other's pid.
    true_pid=$(jq 'select(.kind == "process-start" and .comm == "true") | .pid' records)
    assert_equal "$(jq --argjson pid "$true_pid" 'select(.kind == "exec") | .pid' records | sort -u)" "$true_pid"
}
