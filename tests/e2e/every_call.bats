# Every row of the list of wrapped calls: the same results with and without the shim, and a record
# where there should be one. The rows come from shim/shared/calls.def by way of tests/guests/every_call.c.

# shellcheck disable=SC2154 # common.bash sets build and root
load ../common

setup() {
    guest=$build/tests/guests/every_call
    shim=$build/libportwitness.so
    cd "$BATS_TEST_TMPDIR" || return
}

# exported FILTER ARGUMENT...: the trace's records, all in one list, through a filter of jq.
exported() {
    "$PORTWITNESS" export --format jsonl trace | jq -s -r "$@"
}

# The list of one row's process: $pid is that of the process in which the row was exercised.
expect_row() {
    local name=$1 kind=$2 what=$3 rest=${4-} filter
    case $kind in
    call) filter="[.[] | select(.pid == \$pid and .call == \"$what\")] | length > 0" ;;
    anywhere) filter="[.[] | select(.call == \"$what\")] | length > 0" ;;
    flag) filter="[.[] | select(.flags | index(\"$what\"))] | length > 0" ;;
    started) filter="[.[] | select(.kind == \"process-start\")
        | select(.arguments != null and (.arguments | index(\"$what\"))
            and (.flags | index(\"by-exec\")))] | length > 0" ;;
    namespaces) filter="[.[] | select(.pid == \$pid and .kind == \"bind\") | .netns] | unique
        | length == $what" ;;
    child) filter="[.[] | select(.kind == \"process-start\" and .parent_pid == \$pid)
        | .uid] == [$rest]" ;;
    marker) filter="[.[] | select(.pid == \$pid and .kind == \"marker\") | .text // \"\"] | last
        == \"$what${rest:+ $rest}\"" ;;
    *) return 1 ;;
    esac
    jq -s -e --argjson pid "$pid" "$filter" exported >/dev/null || {
        echo "row $name: no $kind $what $rest of process $pid" >&2
        return 1
    }
}

both_ways() {
    [ "$(id -u)" -eq 0 ] || skip 'needs root: some rows change the user and the namespace'
    "$guest" >bare 2>bare.err
    ROWS=$PWD/rows "$@" "$guest" >recorded 2>recorded.err
    diff bare recorded
    diff bare.err recorded.err
    grep -q . bare
}

@test "each row gives the same results, errors and errno as without the shim, by LD_PRELOAD" {
    both_ways env LD_PRELOAD="$shim" PORTWITNESS_TRACE=trace
}

@test "each row gives the same results, errors and errno as without the shim, under run" {
    both_ways "$PORTWITNESS" run --quiet -o trace --
}

@test "each row leaves its trace" {
    both_ways env LD_PRELOAD="$shim" PORTWITNESS_TRACE=trace
    "$PORTWITNESS" export --format jsonl trace >exported 2>export.err
    # The row of prctl puts a filter on itself.
    assert_equal "$(cat export.err)" \
        "portwitness: trace: incomplete: blind spot: 1 sandboxed, first $guest"
    local name kind what rest pid count=0 bad=0
    while read -r name kind what rest; do
        pid=$(sed -n "s/^$name //p" rows)
        [ -n "$pid" ] || { echo "row $name was not exercised" >&2; return 1; }
        expect_row "$name" "$kind" "$what" "$rest" || bad=$((bad + 1))
        count=$((count + 1))
    done < <("$guest" --list)
    assert_equal "$count" "$(grep -c '^CALL' "$root/shim/shared/calls.def")"
    assert_equal "$bad" 0
    assert_equal "$(jq -r 'select(.state != "committed") | .seq' exported)" ''
}

@test "the shim exports the wrapped calls, what it says of its own, and nothing else" {
    nm -D --defined-only "$shim" | awk '{ print $3 }' | sort >exports
    "$guest" --list | awk '{ print $1 }' | sort - "$root/shim/shared/exports.txt" >rows
    diff rows exports
    [ "$(wc -l <rows)" -gt 50 ]
}
