# Names the tests of bats in the trace of `portwitness run`, and says how each ended:
#
#   load /usr/local/share/portwitness/bats/portwitness
#
# A file with a setup or a teardown of its own calls portwitness_setup and portwitness_teardown there.
# Without `portwitness run` nothing happens.

# What the test starts finds its name in the environment.
portwitness_setup() {
    export BATS_TEST_DESCRIPTION
}

portwitness_teardown() {
    local outcome=failed
    [ -n "${PORTWITNESS_TRACE-}" ] || return 0
    [ -z "${BATS_TEST_COMPLETED-}" ] || outcome=passed
    [ -z "${BATS_TEST_SKIPPED-}" ] || outcome=skipped
    portwitness mark --end --outcome "$outcome" "$BATS_TEST_DESCRIPTION" || :
}

setup() { portwitness_setup; }
teardown() { portwitness_teardown; }
