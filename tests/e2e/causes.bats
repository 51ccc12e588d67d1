# Each cause that check names, with programs in at least two languages: kind, cause, severity, and how the
# holder has the port. The situations are in tests/guests/causes, the programs in tests/guests/verbs. The first
# two choices of languages are run each time, all of them where TESTS_FULL is set.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    cd "$BATS_TEST_TMPDIR" || return
}

# explained SITUATION: portwitness says what is right of it.
explained() {
    local few=--few
    [ -z "${TESTS_FULL-}" ] || few=
    "$root/tests/e2e/case_runner.py" $few "$root/tests/guests/causes/$1.json"
}

@test "a number that was picked and released, and lost to somebody else" {
    explained released-number
}

@test "a number that the loser itself had bound to see whether it is free" {
    explained probed-by-number
}

@test "one number that a picker handed to two" {
    explained duplicate-pick
}

@test "a number that was picked over another protocol" {
    explained picked-elsewhere
}

@test "a number that was picked in another network namespace" {
    explained other-namespace
}

@test "the second address family of a number that is held in the first" {
    explained held-pair
}

@test "the number behind one that was picked" {
    explained neighbour
}

@test "a listener that a job inherited by fork" {
    explained inherited-by-fork
}

@test "a listener that another program inherited by exec" {
    explained inherited-by-exec
}

@test "a listener that was passed by SCM_RIGHTS" {
    explained passed-descriptor
}

@test "a number whose socket the process was started with" {
    explained own-descriptor
}

@test "a number that the process itself has not closed" {
    explained same-process
}

@test "a connection whose listener is closed" {
    explained accepted-connection
}

@test "a number that is a connection's source port" {
    explained connection-source-port
}

@test "a connection that has ended" {
    explained time-wait
}

@test "an IPv6 wildcard that covers IPv4" {
    explained dual-stack
}

@test "the other family taken instead, and the holder met by a connection" {
    explained other-family
}

@test "a number that parent and child have from one environment" {
    explained inherited-number
}

@test "a number that is bound, and was asked for by connect" {
    explained bound-not-listening
}

@test "a number that is held for a moment by somebody who looks whether it is free" {
    explained short-probe
}

@test "a server that outlives the command" {
    explained leftover-process
}

@test "a number that a program has which is not recorded" {
    explained outside-process
}

@test "a holder that nothing shows, since the process has no descriptor left to ask by" {
    explained holder-not-seen
}

@test "two servers with one number" {
    explained fixed-number
}

@test "two programs that share a number by SO_REUSEPORT" {
    explained reuseport
}

@test "port 0 that gives two programs one UDP number" {
    explained udp-port-zero
}

@test "two programs that share a UDP number by SO_REUSEADDR" {
    explained udp-reuseaddr
}

@test "two programs that bind one number by SO_REUSEADDR, of which one can listen" {
    explained tcp-reuseaddr
}

@test "a number that a client has which is connected with itself" {
    explained self-connect
}

@test "a client that is connected with itself, and disturbs nobody" {
    explained self-connect-alone
}

@test "a local range of which nothing is free" {
    explained range-full
}

@test "every situation is run" {
    assert_each_run "$root/tests/guests/causes" explained
}

@test "every cause is held against programs in two languages" {
    local cause languages
    sed -n 's/^ *\[CAUSE_[A-Z_]*\] = {"\([a-z-]*\)".*/\1/p' "$root/harness/check/cause.c" | sort >causes
    [ "$(wc -l <causes)" -ge 29 ]
    "$root/tests/e2e/case_runner.py" --causes "$root/tests/guests/causes" >held
    assert_equal "$(cut -d' ' -f1 held)" "$(cat causes)"
    while read -r cause languages; do
        [[ $languages == *' '* ]] || { echo "$cause: $languages alone" >&2; return 1; }
    done <held
}
