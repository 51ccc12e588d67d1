#!/usr/bin/env bats
# Who has the port that a program was refused which the shim is not in: the kernel's table is asked for it, and `run`
# looks for the process.
# shellcheck disable=SC2154,SC2016,SC2034 # variables of common.bash, those of jq, those for guests.bash

setup() {
    load ../common
    load guests
    load capture
    capture_setup
    trace=$BATS_TEST_TMPDIR/t
    load check
    check_setup
    holder='' last=()
    exec {to}>/dev/null
    cat >hold.py <<'PYTHON'
import socket, sys
family = socket.AF_INET6 if sys.argv[1] == "::" else socket.AF_INET
server = socket.create_server((sys.argv[1], int(sys.argv[2])), family=family, dualstack_ipv6=sys.argv[1] == "::")
print(server.getsockname()[1], flush=True)
sys.stdin.readline()
PYTHON
    # Neither socket has a reuse option: what is left of the connection stands in the way of any bind.
    cat >end.py <<'PYTHON'
import socket
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
client = socket.create_connection(server.getsockname())
accepted, _ = server.accept()
print(server.getsockname()[1])
server.close()
accepted.shutdown(socket.SHUT_WR)
client.close()
accepted.close()
PYTHON
}

# Whatever still runs of what a test has started ends with the holder's input.
teardown() {
    [ -z "$holder" ] || end_holder
    guests_teardown
}

# hold ADDRESS [PORT]: a server that is there before the run; $holder and $port.
hold() {
    [ -p in ] || mkfifo in
    rm -f said
    exec {to}>&-
    exec {to}<>in
    "$python" hold.py "$1" "${2-0}" <in >said 3>&- {to}>&- &
    holder=$!
    wait_for test -s said
    port=$(cat said)
}

end_holder() {
    exec {to}>&-
    wait "$holder"
    exec {to}>/dev/null
    holder=''
}

# refused COMMAND...: a recorded program ends with 1, for it is refused a port.
refused() {
    local status=0
    rm -f t
    "$PORTWITNESS" run -q -o t "${options[@]}" -- "$@" >out 2>errors 3>&- {to}>&- || status=$?
    assert_equal "$status" 1
    exported
}

exported() { "$PORTWITNESS" export --format jsonl t >records; }

# answers: of each answer of the table the state, whether it is of the refused bind's port, who asked, and whether it has
# the refused bind's socket.
answers() {
    jq -rs '(map(select(.kind == "bind" and .requested.port > 0)) | last) as $bind | .[]
        | select(.kind == "table-answer")
        | "\(.tcp_state) \(.assigned.port == $bind.requested.port) \(.source) \(.cookie == $bind.cookie)"' records
}

# is_named COMMAND...: the one finding names the holder.
is_named() {
    assert_equal "$(found 'map("\(.kind) \(.subject.error) \(.cause) \(.holder.source) \(.holder.pid) \(.holder.command)") | .[]')" \
        "address-in-use EADDRINUSE leftover-process $1"
}

before() {
    hold 127.0.0.1
    refused "$1" number "$port"
    is_named "kernel-table $holder $python hold.py 127.0.0.1 0"
    end_holder
}

@test "a server from before the run is named: pid and command" {
    by_each before "$capture/ports.static"
}

# The wildcard of the other family covers it, and so does the question.
wide() {
    hold ::
    refused "$capture/ports.static" number "$port"
    is_named "kernel-table $holder $python hold.py :: 0"
    assert_equal "$(answers)" '10 true run true'
    end_holder
}

@test "a server on the wildcard of IPv6 is named" {
    by_each wide
}

go_loses() {
    hold 127.0.0.1
    local status=0
    rm -f t
    "$PORTWITNESS" run -q -o t "${options[@]}" -- "$capture/kind/publish" "--publish=127.0.0.1:$port:80/tcp" \
        >out 2>errors 3>&- {to}>&- || status=$?
    assert_equal "$status" 125
    is_named "kernel-table $holder $python hold.py 127.0.0.1 0"
    end_holder
}

@test "Go: a server from before the run is named" {
    by_each go_loses
}

ended() {
    port=$("$python" end.py)
    refused "$capture/ports.static" number "$port"
    assert_equal "$(answers)" '6 true run true'
    assert_equal "$(found 'map("\(.kind) \(.cause) \(.holder.source)") | .[]')" 'address-in-use time-wait time-wait'
}

@test "a connection that has ended, whose TIME_WAIT keeps the port, is said to" {
    by_each ended
}

# late COMMAND...: `run` is stopped until the holder has ended, and the command after that. The recorded shell then
# executes the words of $last, once somebody opens the second gate.
late() {
    hold 127.0.0.1
    rm -f t begun through gate further up
    mkfifo gate further
    "$PORTWITNESS" run -q -o t "${options[@]}" -- \
        bash -c 'echo >begun; read -r <gate; "$1" number "$2"; echo $? >through; shift 2; read -r <further; exec "$@"' \
        bash "$capture/ports.static" "$port" "${last[@]}" 2>errors 3>&- {to}>&- &
    guest=$!
    wait_for test -e begun
    kill -STOP "$guest"
    echo >gate
    wait_for test -s through
    end_holder
    "$@"
    [ -e up ] || echo >further
    kill -CONT "$guest"
    wait "$guest"
    guest=''
    assert_equal "$(cat through)" 1
    exported
}

nobody_is_named() {
    assert_equal "$(found 'map(select(.subject.comm == "ports.static") | "\(.kind) \(.cause) \(.holder.source)") | .[]')" \
        'address-in-use holder-not-seen nobody-seen'
}

freed() {
    last=(true)
    late true
    assert_equal "$(answers)" '0 true run true'
    nobody_is_named
}

@test "a port that is free again when somebody asks: nobody is named" {
    by_ebpf freed
}

taken() {
    last=(true)
    late eval 'sleep 0.1; hold 127.0.0.1 "$port"'
    assert_equal "$(answers)" '10 true run true'
    assert_equal "$(jq -r 'select(.kind == "holder") | .identity_pid' records)" "$holder"
    nobody_is_named
    end_holder
}

@test "a process that was started after the refusal, and has the port by now, is not named" {
    by_ebpf taken
}

taken_within() {
    cat >take.py <<'PYTHON'
import socket, time
server = socket.create_server(("127.0.0.1", int(open("said").read())))
open("up", "w").close()
time.sleep(1)
PYTHON
    last=("$python" take.py)
    late eval 'echo >further; wait_for test -e up'
    assert_equal "$(jq -r 'select(.kind == "table-answer") | .holder_cookie' records)" \
        "$(jq -r 'select(.kind == "bind" and .error == null) | .cookie' records)"
    nobody_is_named
}

@test "nor a program of the trace that took it since" {
    by_ebpf taken_within
}

elsewhere() {
    rm -f t said through
    "$PORTWITNESS" run -q -o t "${options[@]}" -- "${in_namespace[@]}" bash -c '"$1" hold.py 127.0.0.1 0 <gate >said &
        exec {to}>gate
        until [ -s said ]; do sleep 0.02; done
        "$2" number "$(cat said)"
        echo $? >through
        exec {to}>&-
        wait' bash "$python" "$capture/ports.static" 2>errors 3>&-
    assert_equal "$(cat through)" 1
    exported
    assert_equal "$(jq -r 'select(.kind == "bind" and .comm == "ports.static") | .error' records)" EADDRINUSE
    assert_equal "$(answers)" ''
}

@test "in another network namespace nothing is asked: the answer would be of this one" {
    mkfifo gate
    by_each elsewhere
}

often() {
    hold 127.0.0.1
    local ports
    mapfile -t ports < <(printf "$port%.0s\n" {1..70})
    refused "$data/bind_over.static" "${ports[@]}"
    assert_equal "$(jq -s 'map(select(.kind == "bind" and .error == "EADDRINUSE")) | length' records)" 70
    assert_equal "$(answers | wc -l)" 64
    end_holder
}

@test "no more often than a process may ask" {
    by_each often
}

shims() {
    hold 127.0.0.1
    refused "$python" -c 'import socket, sys
socket.create_server(("127.0.0.1", int(sys.argv[1])))' "$port"
    assert_equal "$(answers)" '10 true shim true'
    end_holder
}

@test "a program that the shim is in asks itself, and once" {
    by_each shims
}
