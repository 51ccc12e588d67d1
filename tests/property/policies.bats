# The policies against the model: random operations on real sockets, with ports that a policy chose.
# None of them may be one that the rules forbid, and no call may fail that would not fail without.
# shellcheck disable=SC2154 # variables of bats

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    against=$build/tests/property/model_against_kernel
    cd "$BATS_TEST_TMPDIR" || return
}

# agrees POLICY LEAST ARGUMENT...: no disagreement, and so many ports at least were the policy's.
agrees() {
    local policy=$1 least=$2 chosen
    shift 2
    rm -f t.trace
    run "$PORTWITNESS" run -o t.trace --policy "$policy" -- "$against" --policy "$@"
    echo "$policy: $output"
    [ "$status" -ne 77 ] || skip "$output"
    [ "$status" -eq 0 ]
    chosen=$(sed -n 's/^portwitness: policy .*: \([0-9]*\) ports chosen.*/\1/p' <<<"$output")
    [ "$chosen" -ge "$least" ]
}

@test "operations under each policy: no port that the model forbids, no failure of its own" {
    for policy in soonest quarantine:1 seeded:3 range:10001-10002 soonest,range:10000-10001; do
        agrees "$policy" $((POLICY_OPERATIONS * 3 / 100)) --seed 11 --operations "$POLICY_OPERATIONS"
    done
}

@test "the same where the ports are bound by number" {
    for policy in seeded:5,range:20000-20003 quarantine:1,range:20000-20005 \
        soonest,range:20000-20002; do
        agrees "$policy" $((POLICY_OPERATIONS / 50)) --seed 11 --operations $((POLICY_OPERATIONS / 2)) \
            --by-number
        grep -q 'bound by number' <<<"$output"
    done
}

@test "a rule that the model does without is noticed under a policy too" {
    for rule in wildcard dual-stack auto-strict; do
        run -1 "$PORTWITNESS" run -q -o "$rule.trace" --policy seeded:3 -- "$against" --policy \
            --seed 5 --operations 400000 --without "$rule"
        [[ $output == *disagreement* ]]
    done
}
