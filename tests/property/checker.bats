# The checker on traces whose truth is known.

@test "100,000 generated traces: nothing certain is wrong, and nothing planted goes unreported" {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    build=${BUILD:-build}
    [[ $build == /* ]] || build=$root/$build
    run "$build/tests/property/generated_traces" --worlds 100000
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *'0 certain and wrong, 0 not reported'* ]]
}
