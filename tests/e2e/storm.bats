# `portwitness storm`: its options, its files, its output, and how it ends.
# shellcheck disable=SC2154,SC2153,SC2016 # variables of bats and of lengths.bash; programs in quotes

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load storm
    data=$root/tests/guests/kind
    cd "$BATS_TEST_TMPDIR" || return
    pid=
}

teardown() {
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
}

# The publishers of a storm that runs.
publishers_of() {
    local children child
    children=$(cat "/proc/$1/task/$1/children" 2>/dev/null) || true
    for child in $children; do
        # One that just ends, or executes the program, has no command line.
        if grep -qsa as-publisher "/proc/$child/cmdline"; then
            echo "$child"
        fi
    done
}

# has_publishers PID COUNT: leaves them in $publishers. A second look may miss some that are there: the
# kernel promises the whole list only for processes that stand still.
has_publishers() {
    mapfile -t publishers < <(publishers_of "$1")
    [ "${#publishers[@]}" -ge "$2" ]
}

# Starts a storm in the background, its output in the file `output`, and waits for its publishers,
# which it leaves in $publishers.
start_storm() {
    local count=$1
    shift
    "$PORTWITNESS" storm --private-net=20000-21023 --publishers "$count" "$@" >output 2>errors &
    pid=$!
    wait_for has_publishers "$pid" "$count"
}

# How many ports a publisher has bound so far, by the trace that the storm writes.
ports_of() { "$PORTWITNESS" ports --json --pid "$1" t.trace 2>/dev/null | wc -l; }

has_bound() { [ "$(ports_of "$1")" -ge "$2" ]; }

# Waits until a publisher has bound all its ports of so many more rounds, 4 in each.
wait_for_rounds() { wait_for has_bound "$1" $(($(ports_of "$1") + 4 * $2)); }

# The status with which the storm in the background ended.
end_of_storm() {
    local status=0
    wait "$pid" || status=$?
    pid=
    echo "$status" >status
}

@test "a storm of hold publishes the built-in mappings and loses nothing" {
    run -0 --separate-stderr storm --private-net=20000-21023 --publishers 4 --rounds 2
    assert_equal "$stderr" ''
    assert_matches "$output" 'STRATEGY +PUBLISHED +COLLISIONS +LOST RACES +EXPECTED'
    assert_matches "$output" 'hold +32 +0 +0 '
    assert_matches "$output" 'all four checks agree'
}

@test "the JSON form has exactly the documented keys" {
    run -0 --separate-stderr storm --private-net --publishers 2 --rounds 1 --json
    assert_equal "$(value '.strategies[0] | keys_unsorted | join(" ")' "$output")" \
        "name publishers mappings rounds published collisions lost_races double_handouts exhausted expected_lost latency_p50_ns latency_p99_ns ports_per_second checks"
    assert_equal "$(value '.strategies[0].checks | keys_unsorted | join(" ")' "$output")" \
        "claims kernel reach trace"
    assert_equal "$(value '.strategies[0] | "\(.name) \(.publishers) \(.mappings) \(.rounds) \(.published)"' "$output")" \
        "hold 2 4 1 8"
}

@test "strategies are compared in the order in which they are named" {
    run -0 --separate-stderr storm --private-net --publishers 2 --rounds 1 --json \
        --strategy docker --strategy hold
    assert_equal "$(value '[.strategies[].name] | join(" ")' "$output")" 'docker hold'
}

@test "the mappings of a cluster file are published" {
    run -0 --separate-stderr storm --private-net --publishers 3 --rounds 2 --json "$data/story.yaml"
    assert_equal "$(value '.strategies[0] | "\(.mappings) \(.published)"' "$output")" '2 12'
    assert_checks_agree "$output"
}

@test "IPv6 and dual-stack mappings are published and checked" {
    run -0 --separate-stderr storm --private-net --publishers 3 --rounds 2 --json - <<'YAML'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  extraPortMappings:
  - {containerPort: 80, listenAddress: "::1"}
  - {containerPort: 81, listenAddress: "::"}
  - {containerPort: 82, listenAddress: "::", protocol: UDP}
  - {containerPort: 83, listenAddress: 127.0.0.1}
YAML
    assert_equal "$(value '.strategies[0].published' "$output")" 24
    assert_checks_agree "$output"
}

@test "SCTP is published where the kernel has it, else it is said" {
    if python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)' 2>/dev/null; then
        expected=''
    else
        expected='1 SCTP mapping was left out: this kernel has no SCTP'
    fi
    run -0 --separate-stderr storm --private-net --publishers 1 --rounds 1 --json "$data/udp_sctp.yaml"
    assert_equal "$(value '.remarks | join("")' "$output")" "$expected"
    assert_checks_agree "$output"
}

@test "a fixed number goes to one publisher, and the others lose it" {
    run -1 --separate-stderr storm --private-net --publishers 4 --rounds 1 --json \
        --strategy fixed "$data/story.yaml"
    assert_equal "$(value '.strategies[0] | "\(.published) \(.lost_races) \(.double_handouts)"' "$output")" \
        '2 6 0'
    assert_checks_agree "$output"
}

@test "with -o the trace is kept, and has a claim for every port that was published" {
    run -0 storm --private-net --publishers 3 --rounds 2 -o t.trace
    assert_equal "$("$PORTWITNESS" export --format jsonl t.trace |
        jq -s '[.[] | select(.kind == "claim" and .assigned.port > 0)] | length')" 24
    assert_equal "$("$PORTWITNESS" ports --json t.trace | jq -s '[.[] | select(.port > 0)] | length')" 24
}

@test "without -o nothing is left behind" {
    mkdir left
    TMPDIR=$PWD/left run -0 storm --private-net --publishers 2 --rounds 1
    assert_equal "$(ls -A left)" ''
    assert_equal "$(ls)" left
}

@test "a trace that exists is refused and left alone" {
    echo kept >t.trace
    run -2 storm --private-net --publishers 2 --rounds 1 -o t.trace
    assert_equal "${#lines[@]}" 1
    assert_equal "$(cat t.trace)" kept
}

@test "bad usage is named, with the help, and status 2" {
    local arguments
    for arguments in --publishers=0 --publishers=4001 --publishers=x --rounds=0 --strategy=none \
        --window=2-1 --window=x --window=1-2h --private-net=0-5 --private-net=9-8 \
        --private-net=1-70000 --daemons=0 --kind-version=x --seed=-1 --background=-1 --no-such \
        'one.yaml two.yaml'; do
        # shellcheck disable=SC2086 # words on purpose
        run -2 --separate-stderr storm $arguments
        assert_equal "$output" ''
        assert_complaint storm "${stderr_lines[@]}"
    done
}

@test "a bad file is one line with its place and status 2" {
    run -2 --separate-stderr storm missing.yaml
    assert_equal "$stderr" 'portwitness storm: missing.yaml: No such file or directory'
    for file in "$data"/refused_{address,port,protocol}.yaml; do
        run -2 --separate-stderr storm "$file"
        assert_equal "${#stderr_lines[@]}" 1
        assert_matches "$stderr" '\.yaml:[0-9]+:[0-9]+: '
    done
}

@test "a private range works without root" {
    [ "$(id -u)" -eq 0 ] || skip 'only root can become somebody else'
    cp -r "$PORTWITNESS" "$(dirname "$PORTWITNESS")/libportwitness.so" .
    chmod -R a+rX "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
    local folder
    folder=$(mktemp -d /tmp/storm-XXXXXX)
    cp portwitness libportwitness.so "$folder"
    chmod -R a+rX "$folder"
    run -0 setpriv --reuid 65534 --regid 65534 --clear-groups env TMPDIR=/tmp \
        "$folder/portwitness" storm --private-net=20000-20255 --publishers 2 --rounds 1
    rm -r "$folder"
    assert_matches "$output" '256 ports \(20000 to 20255\)'
    assert_matches "$output" 'all four checks agree'
}

@test "a publisher that is killed is counted, its ports are free again, the storm goes on" {
    local strategy rounds
    for strategy in hold docker; do
        # More rounds than any machine gets through meanwhile: it is ended when it has gone on.
        start_storm 8 --rounds 1000000 --strategy $strategy --json -o t.trace
        wait_for_rounds "${publishers[0]}" 2
        kill -KILL "${publishers[2]}"
        wait_for is_gone "${publishers[2]}"
        wait_for_rounds "${publishers[0]}" 4
        kill -INT "$pid"
        end_of_storm
        assert_equal "$(cat status)" 130
        assert_checks_agree "$(cat output)"
        assert_matches "$(value '.remarks[0]' "$(cat output)")" \
            '1 publisher died, the first in round ([0-9]+); of ([0-9]+) ports? held ([0-9]+) (was|were) found free again'
        assert_equal "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"
        rounds=$(value '.strategies[0].rounds' "$(cat output)")
        in_order $((BASH_REMATCH[1] + 2)) "$rounds"
        in_order $((rounds * 7 * 4)) "$(value '.strategies[0].published' "$(cat output)")" $((rounds * 8 * 4 - 1))
        rm t.trace
    done
}

@test "Ctrl-C ends the publishers and prints what is known" {
    start_storm 8 --rounds 1000000 -o t.trace
    wait_for_rounds "${publishers[0]}" 2
    kill -INT "$pid"
    end_of_storm
    assert_equal "$(cat status)" 130
    assert_matches "$(cat output)" 'hold: interrupted after [1-9][0-9]* of 1000000 rounds'
    for publisher in "${publishers[@]}"; do
        wait_for is_gone "$publisher"
    done
}

@test "a storm that is killed takes its publishers with it" {
    TMPDIR=$PWD start_storm 8 --rounds 1000000
    kill -KILL "$pid"
    end_of_storm
    for publisher in "${publishers[@]}"; do
        wait_for is_gone "$publisher"
    done
}

@test "background connections do not take a port away from whoever holds it" {
    run -0 --separate-stderr storm --private-net=20000-20255 --publishers 8 --rounds 20 \
        --background 4 --json
    assert_equal "$(value '.strategies[0].published' "$output")" 640
    assert_checks_agree "$output"
}

@test "UDP ports that a reuse option lets be shared are reported as such, and are no collision" {
    cat >udp.yaml <<'YAML'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  extraPortMappings: [{containerPort: 53, protocol: UDP, listenAddress: 127.0.0.1}]
YAML
    local option
    for option in --reuse-address --reuse-port; do
        run -0 --separate-stderr storm --private-net=20000-20007 --publishers 16 --rounds 2 --json \
            $option udp.yaml
        assert_equal "$(value '.strategies[0] | "\(.published) \(.collisions)"' "$output")" '32 0'
        assert_matches "$(value '.remarks[0]' "$output")" 'shared lawfully'
        assert_checks_agree "$output"
    done
    # Without one, 8 numbers are 8 sockets.
    run -0 --separate-stderr storm --private-net=20000-20007 --publishers 16 --rounds 2 --json udp.yaml
    assert_equal "$(value '.strategies[0] | "\(.published) \(.exhausted)"' "$output")" '16 16'
}

@test "a progress bar is shown on a terminal, and nowhere else" {
    run -0 python3 "$BATS_TEST_DIRNAME/terminal.py" "$PORTWITNESS" storm --private-net \
        --publishers 2 --rounds 3 </dev/null
    assert_matches "$output" '\[#* *\] hold: round 1 of 3'
    run -0 --separate-stderr storm --private-net --publishers 2 --rounds 3
    assert_equal "$stderr" ''
}

@test "as many publishers as a host has containers, and more, work" {
    run -0 --separate-stderr storm --private-net --publishers "$PUBLISHERS" --rounds 1 --json
    assert_equal "$(value '.strategies[0].published' "$output")" $((4 * PUBLISHERS))
    assert_checks_agree "$output"
}
