#!/usr/bin/env bats
# --capture=host: whoever takes a port from the command is recorded and named, though he is none of its processes.
# What strangers do to each other is no finding.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables of common.bash, those of jq and of inner shells

setup() {
    load ../common
    load guests
    load capture
    load check
    check_setup
    need_ebpf
    slice=$(unified)/portwitness-test-$BASHPID.slice
    mkfifo number taken end
    # Takes the number that it reads, by a socket of its own, and keeps it until it is told to end.
    cat >stranger.py <<'PYTHON'
import os, socket, sys
print(os.getpid(), file=open("stranger", "w"))
server = socket.socket()
server.bind(("127.0.0.1", int(open("number").readline())))
server.listen()
print("taken", file=open("taken", "w"))
open("end").readline()
PYTHON
    # Picks a number, gives it away, and binds it.
    cat >window.py <<'PYTHON'
import socket
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
print(port, file=open("number", "w"))
open("taken").readline()
with socket.socket() as server:
    server.bind(("127.0.0.1", port))
PYTHON
    # A network namespace in which strangers are started in the group $1, then `run`, then they end.
    cat >beside.sh <<'SHELL'
group=$1 trace=$2
shift 2
(echo 0 >"$group/cgroup.procs" && exec "$python" stranger.py) &
if [ -n "${early-}" ]; then
    echo "$early" >number
    read -r _ <taken
fi
status=0
"$PORTWITNESS" run --capture=host -o "$trace" -- "$@" 2>summary || status=$?
echo >end
wait
exit "$status"
SHELL
    export PORTWITNESS python
}

teardown() {
    local folder
    for folder in "${group-}" "${slice-}"; do
        [ -z "$folder" ] || [ ! -d "$folder" ] || rmdir "$folder"
    done
}

# in_group NAME: strangers will be in a control group with that name.
in_group() {
    group=$slice/$1
    mkdir -p "$group"
}

# beside STATUS COMMAND...: `run` with that command, beside the strangers; it ends with that status.
beside() {
    local status=0
    "${in_namespace[@]}" bash beside.sh "$group" t "${@:2}" >said 2>&1 3>&- || status=$?
    cat summary said
    assert_equal "$status" "$1"
    "$PORTWITNESS" check t >text || [ $? -eq 1 ]
    cat text
}

# of_stranger JQ: of the process-start records of the stranger.
of_stranger() {
    "$PORTWITNESS" export --format jsonl t >records
    jq -r --argjson pid "$(cat stranger)" "select(.kind == \"process-start\" and .identity_pid == \$pid) | $1" records
}

@test "a stranger that takes the port in a window is named by program, pid and unit" {
    in_group demo.service
    beside 1 "$python" window.py
    assert_equal "$(kinds)" 'lost-race error certain'
    grep -qE "^  Taken by python[0-9.]* \(pid $(cat stranger), unit demo\.service\)$" text
    assert_equal "$(grep -c '^    End it:' text)" 0 # he has ended by now
    assert_equal "$(found '.[0].other | "\(.pid) \(.stranger) \(.unit) \(.container)"')" \
        "$(cat stranger) true demo.service null"
    assert_equal "$(found '.[0].holder | "\(.source) \(.pid) \(.unit) \(.user)"')" \
        "trace $(cat stranger) demo.service root"
    assert_equal "$(found '.[0].subject | "\(.stranger) \(.unit)"')" 'false null'
    "$PORTWITNESS" check -v t >text || [ $? -eq 1 ]
    grep -qE "^    at .* by python[0-9.]* \(pid $(cat stranger), unit demo\.service\)$" text
}

@test "a stranger in a container is named by the container" {
    in_group "docker-$(printf '0123456789abcdef%.0s' {1..4}).scope"
    beside 1 "$python" window.py
    grep -qE "^  Taken by python[0-9.]* \(pid $(cat stranger), container 0123456789ab\)$" text
    assert_equal "$(found '.[0].holder.container | "\(.runtime) \(.id)"')" 'docker 0123456789ab'
}

@test "a stranger that has the port since before the run is named, too" {
    in_group demo.service
    early=4711 beside 1 "$python" -c 'import socket; socket.create_server(("127.0.0.1", 4711))'
    assert_equal "$(kinds)" 'address-in-use error certain'
    assert_equal "$(found '.[0] | "\(.cause) \(.holder.pid) \(.holder.unit)"')" \
        "leftover-process $(cat stranger) demo.service"
}

@test "strangers are marked, and not counted as the command's" {
    in_group demo.service
    beside 1 "$python" window.py
    grep -qx 'portwitness: 1 port-0 request, 1 port assigned' summary
    grep -qE '^portwitness: 1 program and 0 forks seen, and [0-9]+ of the machine'"'"'s, no blind spots$' summary
    "$PORTWITNESS" ports t >table
    grep -qE "^ *[0-9]+ +tcp .* $(cat stranger) +python[0-9.]*\* " table
    assert_equal "$("$PORTWITNESS" ports --json t | jq -r --argjson pid "$(cat stranger)" \
        'select(.pid == $pid) | "\(.stranger) \(.unit)"')" 'true demo.service'
    assert_equal "$(of_stranger '"\(.flags) \(.arguments[1]) \(.stranger)"')" '["stranger"] stranger.py true'
    assert_equal "$(jq -r --argjson pid "$(cat stranger)" \
        'select(.kind == "holder" and .stranger and .identity_pid == $pid) | .control_group | split("/")[-1]' records)" 'demo.service'
}

@test "two strangers that race with each other: no finding" {
    in_group demo.service
    cat >quiet.py <<'PYTHON'
import time
time.sleep(1)
PYTHON
    # The one that picks is a stranger as well: it is started beside `run`.
    sed -i 's/^status=0$/(sleep 0.4; "$python" window.py 2>lost \& echo $! >picker; wait $! || echo $? >lost.status) \&\n&/' beside.sh
    beside 0 "$python" quiet.py
    assert_equal "$(cat lost.status)" 1
    "$PORTWITNESS" ports --failed --json t >failed
    assert_equal "$(jq -r --argjson pid "$(cat picker)" 'select(.pid == $pid) | "\(.error) \(.stranger)"' failed)" \
        'EADDRINUSE true'
    assert_equal "$(kinds)" ''
    grep -q 'no blind spots' summary
}
