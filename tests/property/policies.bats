# The policies against the model: random operations on real sockets, with ports that a policy chose.
# None of them may be one that the rules forbid, and no call may fail that would not fail without.
# shellcheck disable=SC2154,SC2030,SC2031 # variables of bats

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    against=$build/tests/property/model_against_kernel
    cd "$BATS_TEST_TMPDIR" || return
}

can_leave_network() {
    "${in_namespace[@]}" true || skip 'no network namespace of its own'
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

# with_kept POLICY HIGH ARGUMENT...: the operations in one network namespace with `run`, whose ports are
# 10000 to HIGH at first, and then those that the operations set.
with_kept() {
    local policy=$1 high=$2
    shift 2
    rm -f t.trace
    # shellcheck disable=SC2016 # the inner shell expands
    "${in_namespace[@]}" sh -c 'echo 10000 "$1" >/proc/sys/net/ipv4/ip_local_port_range && shift &&
        exec "$@"' sh "$high" "$PORTWITNESS" run -o t.trace --policy "$policy" -- \
        "$against" --policy --kept "$@"
}

# keeps LEAST LEAST_BOUND ARGUMENT...: no disagreement, and so many ports at least were kept, and then bound by
# number.
keeps() {
    local least=$1 least_bound=$2 kept bound
    shift 2
    run with_kept "$@"
    echo "$*: $output"
    [ "$status" -ne 77 ] || skip "$output"
    [ "$status" -eq 0 ]
    kept=$(sed -n 's/^portwitness: policy .*: \([0-9]*\) ports kept.*/\1/p' <<<"$output")
    bound=$(sed -n 's/^portwitness: policy .* kept, \([0-9]*\) of them bound by number.*/\1/p' <<<"$output")
    [ "$kept" -ge "$least" ]
    [ "${bound:-0}" -ge "$least_bound" ]
}

# A quarter of the ports is kept: of the four that are used, one, two, or all.
@test "keep: no failure that the kernel alone would not give, however many of the ports are kept" {
    can_leave_network
    for high in 10003 10007 10015; do
        for seed in 11 302; do
            keeps $((POLICY_OPERATIONS / 100)) $((POLICY_OPERATIONS / 500)) keep "$high" --seed "$seed" \
                --operations "$POLICY_OPERATIONS"
        done
    done
}

@test "keep: the same where the ports are those of a range, or bound by number" {
    can_leave_network
    keeps $((POLICY_OPERATIONS / 100)) $((POLICY_OPERATIONS / 500)) keep,range:10000-10003 10003 \
        --seed 11 --operations "$POLICY_OPERATIONS"
    keeps $((POLICY_OPERATIONS / 200)) 0 keep,range:20000-20015 10003 --seed 11 \
        --operations $((POLICY_OPERATIONS / 2)) --by-number
    grep -q 'bound by number (SOCK_BINDPORT_LOCK)' <<<"$output"
}

@test "keep: a rule that the model does without is noticed" {
    can_leave_network
    for rule in wildcard dual-stack auto-strict; do
        run -1 with_kept keep 10015 --seed 5 --operations 400000 --without "$rule"
        [[ $output == *disagreement* ]]
    done
}

@test "a rule that the model does without is noticed under a policy too" {
    for rule in wildcard dual-stack auto-strict; do
        run -1 "$PORTWITNESS" run -q -o "$rule.trace" --policy seeded:3 -- "$against" --policy \
            --seed 5 --operations 400000 --without "$rule"
        [[ $output == *disagreement* ]]
    done
}
