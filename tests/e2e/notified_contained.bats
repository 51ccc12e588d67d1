# Programs that the shim cannot enter in a container by default, where no descriptor may be taken from them: what
# they come to is looked up in the kernel's table, and what cannot be is counted.
# shellcheck disable=SC2154,SC2034,SC2030,SC2031,SC2016 # variables of guests.bash and of subshells, those of jq

setup() {
    load ../common
    load guests
    load capture
    notified_setup
    options=(--capture=seccomp)
    [ "$(id -u)" -eq 0 ] || skip 'what a container lacks can be taken from root alone'
    in_namespace=(unshare -n sh -c 'ip link set lo up && exec "$@"' sh "$data/contained")
}

teardown() {
    guests_teardown
}

# nothing_lost: no blind spot, no call that was not looked at.
nothing_lost() {
    no_blind_spots
    "$PORTWITNESS" check "$trace" >verdict 2>&1
    grep -q '^portwitness: clean' verdict || { cat verdict; return 1; }
}

# said_are_seen: the ports that the static guest has printed are those of the trace, in that order.
said_are_seen() {
    sed -n 's/^port //p' said >expected
    rows ".[] | select($1) | .port" | diff expected - >differs || { head -n 20 differs; return 1; }
}

@test "a static program: 200 ports that it binds, listens at and connects from, none is missing" {
    record "$static" bind 200 >said
    said_are_seen true
    nothing_lost
    assert_equal "$(wc -l <expected)" 200
    rm "$trace"
    record "$static" listen 200 >said
    said_are_seen '.call == "listen"'
    assert_equal "$(wc -l <expected)" 200
    nothing_lost
    rm "$trace"
    record "$static" connect 200 >said
    said_are_seen '.call == "connect"'
    assert_equal "$(wc -l <expected)" 200
    nothing_lost
}

@test "a Go program: TCP and UDP, IPv4 and IPv6, what it listens at and what it dials" {
    record "$go" loop 200 >said
    same_ports said
    assert_equal "$(wc -l <expected)" 200
    seen_by_means ports
    # The two that Go's library tries out and closes at once are among them.
    nothing_lost
    rm "$trace"
    record "$go" dial 30 >said
    same_ports said
    nothing_lost
}

@test "the summary says how they were seen, what is not known, and that no policy reaches them" {
    options+=(--policy range:40000-40099)
    record sh -c '"$1" bind 2; "$1" bind 1' sh "$static" >said
    said_are_seen true
    grep -qx "portwitness: 2 programs seen by the kernel's table of sockets, since no descriptor may be taken from \
them (pidfd_getfd): no policy reaches them, options and some errors are not known; in a container \
--cap-add SYS_PTRACE allows it" "$summary"
    assert_equal "$("$PORTWITNESS" export --format jsonl "$trace" | jq -r 'select(.flags | index("policy"))')" ''
    # Beside the shim's own, which say no such thing.
    rm "$trace"
    record python3 -c 'import socket; socket.create_server(("127.0.0.1", 0))'
    [ "$(grep -c 'table of sockets' "$summary")" -eq 0 ]
}

# binds: "REQUESTED ERROR ASSIGNED INFERRED" of each bind on record.
binds() {
    "$PORTWITNESS" export --format jsonl "$trace" |
        jq -r 'select(.kind == "bind" and .source == "supervisor") |
            "\(.requested.port) \(.error) \(.assigned.port) \(.flags | index("error-inferred") != null)"'
}

# beside_holder COMMAND...: while somebody else has port 40000, whom the shim sees.
beside_holder() {
    rm -f "$trace"
    record python3 -c '
import socket, subprocess, sys
held = socket.create_server(("127.0.0.1", 40000))
subprocess.run(sys.argv[1:], check=True)' "$@"
}

@test "a bind that is refused is on record as refused, with the error where no other is left" {
    beside_holder "$static" either 40000 >said
    assert_equal "$(binds)" "40000 EADDRINUSE null true
0 null $(cut -d' ' -f2 said) false"
    nothing_lost
}

@test "... also where the program closes the socket or ends before anybody can look" {
    local round
    for round in {1..10}; do
        beside_holder "$static" try 40000 >said
        grep -qx 'errno 98' said
        assert_equal "$(binds)" '40000 EADDRINUSE null true'
        nothing_lost
    done
    for round in {1..10}; do
        rm -f "$trace"
        record "$static" try 40001 >said
        assert_equal "$(binds)" '40001 null 40001 false'
        assert_equal "$(rows '.[] | "\(.port) \(.end_known_by)"')" '40001 destroyed'
        nothing_lost
    done
}

@test "a program that may not be looked at any more runs on, and its calls are counted" {
    record "$static" try 40001 65534 >said
    grep -qx 'errno 0' said
    grep -qx 'portwitness: 0 records lost; 0 torn; also missing: calls not looked at (1)' "$summary"
    refute_clean
}

@test "a program that may not be looked at from the start gets no filter, and is a blind spot" {
    record python3 -c '
import ctypes, os, sys
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
os.execv(sys.argv[1], sys.argv[1:])' "$static" bind 3 >said
    [ "$(wc -l <said)" -eq 3 ]
    grep -q '1 blind spot: .*notified_calls.static (static program)$' "$summary"
    grep -qx 'portwitness: 1 program not seen: no descriptor may be taken from it (pidfd_getfd); in a container --cap-add SYS_PTRACE allows it' "$summary"
    refute_clean
}

# refute_clean: no verdict is given as if all had been seen.
refute_clean() {
    assert_equal "$("$PORTWITNESS" check --json "$trace" | jq -r .verdict)" incomplete
}

@test "nothing of it stays open in the program, and its number of descriptors is its own" {
    "$data/descriptors.static" >alone 2>"$summary" 3>&-
    record "$data/descriptors.static" >said
    assert_equal "$(cat said)" "$(cat alone)"
}

# begins COMMAND...: in the background, as `guest`.
begins() {
    rm -f "$trace" said
    "${in_namespace[@]}" setsid "$PORTWITNESS" run -q -o "$trace" -- "$@" >said 2>"$summary" 3>&- &
    guest=$!
}

@test "no call fails where run is killed" {
    local round
    for ((round = 0; round < NOTIFIED_KILLS; round++)); do
        begins "$static" loop 2
        wait_for grep -q begins said
        sleep "0.$((RANDOM % 10))$((RANDOM % 10))"
        kill -9 "$guest"
        wait "$guest" || true
        guest=''
        wait_for grep -q loops said
        grep -q 'errors 0' said || { cat said >&2; return 1; }
    done
}

@test "... also while programs send it their listeners" {
    local round
    for ((round = 0; round < NOTIFIED_KILLS; round++)); do
        begins bash -c 'for ((i = 0; i < 40; i++)); do "$1" bind 1 || echo failed; done; echo done' sh "$static"
        wait_for grep -q port said
        sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
        kill -9 "$guest" 2>/dev/null || true # a fast machine has done all by now
        wait "$guest" || true
        guest=''
        wait_for grep -qx 'done' said
        assert_equal "$(grep -c '^port [1-9]' said)" 40
    done
}

@test "a run that is stopped keeps no program waiting for long" {
    begins "$static" loop 2
    wait_for grep -q begins said
    kill -STOP "$guest"
    wait_for in_state "$guest" T
    wait_for grep -q loops said
    grep -q 'errors 0' said
    kill -CONT "$guest"
    wait "$guest"
    guest=''
}
