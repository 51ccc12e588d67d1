# A trace in which one thing happens very often: no two of them are compared that need not be.
# shellcheck disable=SC2154 # variables of bats and of common.bash

bats_require_minimum_version 1.5.0
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    make -s -C "$root" BUILD="$build" "$build/tests/bench/crowded_trace" 3>&-
}

# comes_to SITUATION COUNT VERDICT: whoever compares each with all others would need many minutes.
comes_to() {
    "$build/tests/bench/crowded_trace" crowded.trace "$1" "$2"
    run timeout 60 "$PORTWITNESS" check crowded.trace
    echo "${lines[-1]}"
    assert_equal "$status" 0
    assert_equal "${lines[-1]%%; raw system calls*}" "portwitness: $3, 0 suppressed"
    rm crowded.trace
}

@test "programs that are refused one port, each in a test, by a number from the environment" {
    comes_to refused 60000 'hazards: 0 errors, 60000 hazards, 0 notes'
}

@test "tests that are marked, each with a port that is somebody's outside" {
    comes_to marked 60000 'hazards: 0 errors, 60000 hazards, 0 notes'
}

@test "servers that have one port, one after the other, and programs that are refused it" {
    comes_to restarts 60000 'hazards: 0 errors, 60000 hazards, 0 notes'
    comes_to rebinds 600000 'clean: 0 errors, 0 hazards, 0 notes'
}

@test "a server that hands its port over, and over again" {
    comes_to handovers 60000 'clean: 0 errors, 0 hazards, 0 notes'
}

@test "sockets that share a port at one time, by programs that know of each other or do not" {
    comes_to workers 4000 'clean: 0 errors, 0 hazards, 0 notes'
    comes_to sharers 4000 'hazards: 0 errors, 3999 hazards, 0 notes'
}

@test "a thread that is connected to itself, and then to others" {
    comes_to selves 100000 'hazards: 0 errors, 100000 hazards, 0 notes'
}

@test "programs that find no port in the range" {
    comes_to wants 100000 'hazards: 0 errors, 100000 hazards, 0 notes'
}

# What a trace of enough records to be copied ahead by a thread comes to.
says() {
    local command
    for command in 'check --json' ports 'ports --json' 'export --format jsonl'; do
        # shellcheck disable=SC2086 # words
        "$@" "$PORTWITNESS" $command long.trace | cksum
    done
}

@test "a trace of many records comes to the same on one processor as on several" {
    make -s -C "$root" BUILD="$build" "$build/tests/bench/big_trace" 3>&-
    "$build/tests/bench/big_trace" long.trace 170000
    [ "$(says | sort -u | wc -l)" -eq 4 ]
    assert_equal "$(says)" "$(says taskset -c "$(taskset -pc $$ | sed 's/.*[^0-9]//')")"
    "$PORTWITNESS" export --format jsonl long.trace | head -n 100 | jq -e . >/dev/null
    # What it says does not depend on who ends first.
    truncate -s -5000000 long.trace
    assert_equal "$(says 2>&1)" "$(says taskset -c "$(taskset -pc $$ | sed 's/.*[^0-9]//')" 2>&1)"
}
