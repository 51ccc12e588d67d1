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
