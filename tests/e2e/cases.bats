# Situations that people have reported of real programs: what check says of each is what is right of it. The
# programs and the right answers are in tests/guests/cases.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    cd "$BATS_TEST_TMPDIR" || return
}

explained() { "$root/tests/e2e/case_runner.py" "$root/tests/guests/cases/$1"; }

@test "a helper that has inherited a listener is named, and not the server that bound it" {
    explained leaked-exec
}

@test "a forked job that has inherited a listener is named, and not the app that bound it" {
    explained leaked-fork
}

@test "two workers that get each other's connections share the port by SO_REUSEPORT" {
    explained shared-by-reuseport
}

@test "two jobs that port 0 gave one UDP number share it" {
    explained udp-port-zero
}

@test "a number that is held on 127.0.0.1, and refused on ::1" {
    explained localhost-pair
}

@test "runners that look for the first free number from 8000 on" {
    explained first-free-number
}

@test "a service's number that is the source port of a connection" {
    explained number-in-local-range
}

@test "a server's number that its peer has, connected with itself" {
    explained self-connect
}

@test "a debugger's port in NODE_OPTIONS, which parent and child have" {
    explained inspector-in-children
}

@test "a number that was picked in another network namespace" {
    explained picked-in-another-namespace
}

@test "a server that takes the other family, and is mistaken for its holder" {
    explained localhost-two-families
}

@test "a number that TIME_WAIT kept was never free: nothing is said" {
    explained reserved-by-time-wait
}

@test "a picked number that comes by a file, by words or by HTTP, and is lost" {
    explained number-by-file
}

@test "a launcher that hands one number to two engines" {
    explained two-of-one-number
}

@test "a node that takes the number behind its own" {
    explained number-plus-one
}

@test "a server that is refused what another program only looks at" {
    explained probe-takes-it
}

@test "a range of numbers that the server's own connections keep: one error, and notes" {
    explained passive-range
}

@test "a number that was picked over another protocol, address or family" {
    explained picked-elsewhere
}

@test "a number that is taken for free since nobody answers" {
    explained asked-by-connect
}

@test "a test whose process has not closed its own server" {
    explained own-server-not-closed
}

@test "[::] in the way of 0.0.0.0, in one process" {
    explained dual-stack-wildcard
}

@test "a child with a connection of a listener that is gone" {
    explained accepted-by-child
}

@test "a load test that has used up the source ports" {
    explained no-source-port-left
}

@test "a stranger that answers on a picked number" {
    explained stranger-answers
}

@test "a server that an earlier run has left" {
    explained left-from-before
}

@test "a fixture that picks ports, with two workers of xdist: each finding names its test" {
    python3 -c 'import pytest, xdist' || skip 'pytest and its xdist are not installed'
    explained xdist-free-port
}

@test "every case is run" {
    local path name
    for path in "$root"/tests/guests/cases/*/expected.json; do
        name=$(basename "${path%/*}")
        grep -qx "    explained $name" "$BATS_TEST_FILENAME" || { echo "not run: $name" >&2; return 1; }
    done
}
