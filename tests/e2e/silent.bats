# Programs that share a port, or are refused one, as they should: check says nothing. The situations are in
# tests/guests/silent, the programs in tests/guests/verbs.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    cd "$BATS_TEST_TMPDIR" || return
}

silent() { "$root/tests/e2e/case_runner.py" "$root/tests/guests/silent/$1.json"; }

@test "a server that is taken over by its successor with SO_REUSEPORT" {
    silent takeover
}

@test "workers that share their master's socket" {
    silent prefork-shared
}

@test "workers of one master with a SO_REUSEPORT socket each" {
    silent prefork-reuseport
}

@test "two receivers of one multicast group" {
    silent multicast
}

@test "a server that is restarted three times on one number" {
    silent restart
}

@test "a server that takes the next number where one is taken" {
    silent next-number
}

@test "every situation is run" {
    assert_each_run "$root/tests/guests/silent" silent
}
