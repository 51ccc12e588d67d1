# What storms show: held mappings never collide, numbers that are released are lost, as often as theory
# says.
# shellcheck disable=SC2154,SC2016 # variables of bats; programs in quotes

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load storm
    cd "$BATS_TEST_TMPDIR" || return
}

one_mapping() {
    cat >one.yaml <<YAML
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  extraPortMappings: [{containerPort: 80, protocol: $1}]
YAML
}

@test "many ports of hold, and as many of one docker daemon: no collision, nothing lost" {
    run -0 --separate-stderr storm --private-net=20000-21023 --publishers 64 --rounds "$STORM_ROUNDS" \
        --strategy hold,docker --json
    for index in 0 1; do
        assert_equal "$(value ".strategies[$index] | \"\\(.published) \\(.collisions) \\(.lost_races) \\(.double_handouts) \\(.exhausted)\"" "$output")" \
            "$((64 * 4 * STORM_ROUNDS)) 0 0 0 0"
    done
    assert_checks_agree "$output"
}

@test "the range is filled to the last port, then it is exhausted" {
    local strategies=(hold)
    [ -z "${TESTS_FULL-}" ] || strategies+=(docker)
    one_mapping TCP
    for strategy in "${strategies[@]}"; do
        run -0 --separate-stderr storm --private-net=20000-20099 --publishers 105 --rounds 2 \
            --strategy "$strategy" --json one.yaml
        assert_equal "$(value '.strategies[0] | "\(.published) \(.exhausted) \(.lost_races)"' "$output")" \
            '200 10 0'
        assert_checks_agree "$output"
    done
    one_mapping UDP
    run -0 --separate-stderr storm --private-net=20000-20099 --publishers 105 --rounds 2 --json one.yaml
    assert_equal "$(value '.strategies[0] | "\(.published) \(.exhausted)"' "$output")" '200 10'
}

@test "reserved ports are not given" {
    one_mapping TCP
    # shellcheck disable=SC2016 # the inner shell expands
    run -0 --separate-stderr "${in_namespace[@]}" sh -c 'echo 20000 20099 >/proc/sys/net/ipv4/ip_local_port_range
        echo 20010,20020-20029 >/proc/sys/net/ipv4/ip_local_reserved_ports
        exec "$0" storm --publishers 100 --rounds 1 --json one.yaml' "$PORTWITNESS"
    assert_equal "$(value '.strategies[0] | "\(.published) \(.exhausted)"' "$output")" '89 11'
    assert_checks_agree "$output"
}

@test "probe, kind and podman lose races in every run, probe as many as predicted" {
    local attempt
    for ((attempt = 1; attempt <= RACY_RUNS; attempt++)); do
        run -1 --separate-stderr storm --private-net=20000-20511 --publishers 24 --rounds 2 --json \
            --strategy probe,kind,podman --window 5-15ms
        assert_equal "$(value '[.strategies[] | .lost_races > 0] | all' "$output")" true
        assert_equal "$(value '[.strategies[] | .collisions] | add' "$output")" 0
        assert_checks_agree "$output"
        in_order "$(value '.strategies[0].expected_lost.low' "$output")" \
            "$(value '.strategies[0].lost_races' "$output")" \
            "$(value '.strategies[0].expected_lost.high' "$output")"
    done
}

@test "nerdctl loses races in every run" {
    one_mapping TCP
    local attempt
    for ((attempt = 1; attempt <= RACY_RUNS; attempt++)); do
        run -1 --separate-stderr storm --private-net=20000-20511 --publishers 6 --rounds 1 --json \
            --strategy nerdctl one.yaml
        assert_equal "$(value '.strategies[0].lost_races > 0' "$output")" true
        assert_equal "$(value '.strategies[0].collisions' "$output")" 0
        assert_checks_agree "$output"
    done
}

@test "docker daemons that know nothing of each other lose races in every run" {
    local attempt
    for ((attempt = 1; attempt <= RACY_RUNS; attempt++)); do
        run -1 --separate-stderr storm --private-net=20000-21023 --publishers 16 --rounds 1 --json \
            --strategy docker --daemons 3
        assert_equal "$(value '.strategies[0].lost_races > 0' "$output")" true
        assert_equal "$(value '.strategies[0].collisions' "$output")" 0
        assert_checks_agree "$output"
    done
}

@test "the lost races of probe lie in the predicted interval: parity, half range, windows, UDP" {
    local arguments number=0
    for arguments in '--window 15-20ms' '--window 0' '--window 15ms --udp' \
        '--window 0-10ms' '--window 10-20ms --reuse-address'; do
        [ $((number++ % PREDICTED_STEP)) -eq 0 ] || continue
        one_mapping TCP
        [[ $arguments != *--udp ]] || one_mapping UDP
        # shellcheck disable=SC2086 # words on purpose
        run --separate-stderr storm --private-net=20000-20511 --publishers 48 --rounds "$PREDICTED_ROUNDS" --json \
            --strategy probe ${arguments% --udp} one.yaml
        echo "$arguments: $(value '.strategies[0] | "\(.lost_races) of \(.expected_lost)"' "$output")"
        in_order "$(value '.strategies[0].expected_lost.low' "$output")" \
            "$(value '.strategies[0].lost_races' "$output")" \
            "$(value '.strategies[0].expected_lost.high' "$output")"
    done
}
