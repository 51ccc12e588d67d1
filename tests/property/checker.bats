# The checker on traces whose truth is known.
# shellcheck disable=SC2154 # variables of common.bash

@test "generated traces: nothing certain is wrong, and nothing planted goes unreported" {
    load ../common
    # make property goes through ten seeds.
    run "$build/tests/property/generated_traces" --seed 1 --worlds "$WORLDS"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *'0 certain and wrong, 0 not reported'* ]]
}
