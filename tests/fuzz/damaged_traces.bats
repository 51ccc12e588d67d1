# Whatever is damaged in a trace, reading it comes to an end, and the sanitizers find nothing.
# shellcheck disable=SC2154 # variables of bats and of common.bash

bats_require_minimum_version 1.5.0
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

@test "damaged traces are read to an end" {
    "$PORTWITNESS" run --quiet -o one.trace -- "$python" "$root/tests/guests/accepted_and_window.py"
    "$PORTWITNESS" run --quiet -o two.trace -- "$build/tests/guests/bind_loop" 3 30 >/dev/null
    "$PORTWITNESS" run --quiet -o three.trace -- "$build/tests/guests/short_processes" 4 2 >/dev/null
    ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99 run "$build/tests/property/mutated_traces" \
        --seed "${MUTANTS_SEED:-1}" --count "$MUTANTS" one.trace two.trace three.trace
    echo "$output"
    assert_equal "$status" 0
}
