# Guests that do all that the shim has to do with, unchanged. Among the suites of asan/ the shim is one
# in which undefined behaviour ends the guest by a signal.

# shellcheck disable=SC2154,SC2034 # variables of bats and unchanged.bash
load ../common
load unchanged

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    trace=$BATS_TEST_TMPDIR/trace
}

@test "no guest meets undefined behaviour in the shim" {
    unchanged_by_hand 0 "$data/every_call"
    unchanged_by_hand 0 "$data/bind_loop" 16 500
    assert_equal "$(assigned_in "$trace")" 8000
    unchanged_by_hand 0 "$data/small_stack"
}
