# `portwitness storm --policy`: the storm's own strategies under the adversary and under the cure.

# shellcheck disable=SC2154 # set by bats or by common.bash
bats_require_minimum_version 1.5.0
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

# storm ARGUMENT...: its JSON goes to `storm`, its status to $status.
storm() {
    run --separate-stderr "$PORTWITNESS" storm --private-net=20000-29999 --publishers 16 --rounds 5 \
        --seed 3 --json "$@"
    printf '%s\n' "$output" >storm
}

# one STRATEGY KEY
one() {
    jq --arg name "$1" ".strategies[] | select(.name == \$name) | $2" storm
}

@test "soonest: probe loses most of its races, hold none, and all four checks agree" {
    storm --policy soonest --strategy hold,probe
    assert_equal "$status" 1
    assert_equal "$(one hold .lost_races)" 0
    [ "$(one probe .lost_races)" -ge 100 ]
    for strategy in hold probe; do
        assert_equal "$(one $strategy '.checks | [.[]] | unique | .[]')" '"agree"'
        assert_equal "$(one $strategy .collisions)" 0
        # What theory expects is of the kernel's own choice.
        assert_equal "$(one $strategy .expected_lost)" null
    done
    [ "$(jq .policy.chosen storm)" -ge 500 ]
}

@test "quarantine: probe loses nothing" {
    storm --policy quarantine --strategy probe
    assert_equal "$status" 0
    assert_equal "$(one probe .lost_races)" 0
    assert_equal "$(one probe .published)" 320
    assert_equal "$(jq -r .policy.policy storm)" quarantine:60
}

@test "seeded: publishers are placed by their number, and each run publishes the same ports" {
    for turn in 1 2 3; do
        storm --policy seeded:1 --strategy hold -o "t.$turn"
        assert_equal "$status" 0
        assert_equal "$(jq .policy.unplaced storm)" 0
        assert_equal "$(jq .policy.met storm)" 0
        "$PORTWITNESS" ports --only-ephemeral --json "t.$turn" 2>/dev/null | jq .port | sort >"ports.$turn"
    done
    [ "$(wc -l <ports.1)" -ge 320 ]
    cmp ports.1 ports.2
    cmp ports.1 ports.3
}

@test "the table names the policy; an invalid value gives one line and status 2" {
    run -0 "$PORTWITNESS" storm --private-net --publishers 2 --rounds 1 --policy quarantine:5
    assert_matches "$output" 'portwitness: policy quarantine:5: 8 ports chosen'
    run -0 "$PORTWITNESS" storm --private-net --publishers 2 --rounds 1
    [[ $output != *policy* ]]
    run -2 "$PORTWITNESS" storm --policy=never
    assert_equal "${#lines[@]}" 1
    assert_matches "$output" "^portwitness storm: invalid argument 'never' for '--policy': 'never' is not a policy"
}
