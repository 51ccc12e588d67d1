#!/usr/bin/env bats
# Holders that are not recorded, whom `run` looks for, and what a command leaves behind.
# shellcheck disable=SC2016,SC2154 # jq's and inner shells' variables; those of bats

setup() {
    bats_require_minimum_version 1.5.0
    load ../common
    load check
    check_setup
    to='' group='' busy=()
    cat >hold.py <<'PYTHON'
import os, socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for child in range(int(sys.argv[2]) if len(sys.argv) > 2 else 0):
    if os.fork() == 0:
        break
else:
    print(server.getsockname()[1], flush=True)
sys.stdin.readline()
PYTHON
    cat >want.py <<'PYTHON'
import socket, sys
socket.create_server(("127.0.0.1", int(sys.argv[1])))
PYTHON
}

# Whatever still runs of what a test has started ends with the holders' input, or here.
teardown() {
    [ -z "$to" ] || exec {to}>&-
    [ "${#busy[@]}" -eq 0 ] || kill "${busy[@]}" || true
    wait
    [ ! -d "$group" ] || rmdir "$group"
}

# input: a pipe for those who live until their input ends or has a line. Nobody but us may keep it open.
input() {
    rm -f in said
    mkfifo in
    exec {to}<>in
}

# hold COMMAND...: starts a holder of a port of its own, $holder and $port.
hold() {
    input
    "$@" <in >said 3>&- {to}>&- &
    holder=$!
    wait_for test -s said
    port=$(cat said)
}

# refused: a recorded program is refused that port, and fails of it.
refused() {
    rm -f t
    run -1 --separate-stderr "${as[@]}" "$PORTWITNESS" run --quiet --check -o t -- "$python" "${1-want.py}" "$port"
}
as=()

holder_is() { assert_equal "$(found ".[0].holder | $1")" "$2"; }

@test "who is outside is named with command, user, start, folder and the line that ends it" {
    mkdir elsewhere
    hold env -C elsewhere "$python" ../hold.py 0
    refused
    holder_is .pid "$holder"
    holder_is .user "$(id -un)"
    holder_is .uid "$(id -u)"
    holder_is .command "$python ../hold.py 0"
    holder_is .folder "$PWD/elsewhere"
    holder_is .end "kill $holder"
    holder_is .unnamed null
    holder_is '.other_pids | length' 0
    local started
    started=$(found '.[0].holder.started_at')
    [ "$(date -d "$started" +%s)" -ge "$(($(stat -c %Y elsewhere) - 1))" ]
    [ "$(date -d "$started" +%s)" -le "$(($(stat -c %Y t.json) + 1))" ]
    assert_matches "$stderr" "Held by pid $holder $python ../hold.py 0 \(user $(id -un)\), not recorded"
    assert_matches "$stderr" "    since [0-9:]{8}, [0-9]+ m?s before this run; in $PWD/elsewhere"
    assert_matches "$stderr" "  End it: kill $holder"
}

@test "the same each time on a busy machine" {
    local loop round
    for loop in 1 2 3 4; do
        timeout 300 sh -c "while :; do :; done # $loop" 3>&- {to}>&- &
        busy+=("$!")
    done
    hold "$python" hold.py 0
    for ((round = 0; round < OUTSIDE_RUNS; round++)); do
        refused
        holder_is '"\(.pid) \(.command) \(.folder) \(.unnamed)"' \
            "$holder $python hold.py 0 $PWD null"
    done
}

@test "processes that have the socket as well are named, and the first of them is the holder" {
    hold "$python" hold.py 0 6
    refused
    holder_is .pid "$holder"
    holder_is '.other_pids | length' 4
    assert_matches "$stderr" "the socket is open in [0-9]+, [0-9]+, [0-9]+, [0-9]+ and 2 more processes as well"
}

# The guest stops `run`, its parent, so that it can look only when the guest has gone.
stopping_guest() {
    cat >stop.py <<'PYTHON'
import os, signal, socket, subprocess, sys
above = os.getppid()
os.kill(above, signal.SIGSTOP)
try:
    socket.create_server(("127.0.0.1", int(sys.argv[1])))
except OSError:
    if len(sys.argv) > 2:
        os.kill(int(sys.argv[2]), signal.SIGKILL)
        while os.path.exists(f"/proc/{sys.argv[2]}/fd/0"):
            pass
    subprocess.Popen(["sh", "-c", f"""until [ ! -e /proc/{os.getpid()}/fd/0 ]; do sleep 0.05; done
        kill -CONT {above}"""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sys.exit(1)
PYTHON
}

@test "the guest does not look itself, and need not live until somebody does" {
    stopping_guest
    hold "$python" hold.py 0
    refused stop.py
    holder_is .pid "$holder"
    "$PORTWITNESS" export --format jsonl t >records
    assert_equal "$(jq -r 'select(.kind == "table-answer") | "\(.owner_pid) \(.inode != null)"' records)" 'null true'
    assert_equal "$(jq -r 'select(.kind == "holder") | "\(.identity_pid) \(.source) \(.command) \(.unnamed)"' records)" \
        "$holder run $python hold.py 0 0"
}

@test "a holder that has ended before it could be looked at is said to have" {
    stopping_guest
    hold "$python" hold.py 0
    rm -f t
    run -1 --separate-stderr "$PORTWITNESS" run --quiet --check -o t -- "$python" stop.py "$port" "$holder"
    holder_is '"\(.pid) \(.unnamed) \(.end) \(.uid)"' "null ended null $(id -u)"
    assert_matches "$stderr" "Held by a process of user $(id -un), not recorded"
    assert_matches "$stderr" 'not named: it had ended, or closed the socket, before `run` could look for it'
    [[ $stderr != *"End it"* ]]
}

@test "a holder of another user, which may not be looked at, is said to be so, with what shows it" {
    [ "$(id -u)" -eq 0 ] || skip 'needs root, to be two users'
    chmod 777 "$BATS_TEST_TMPDIR"
    chmod go+x "$BATS_RUN_TMPDIR" "${BATS_RUN_TMPDIR}"/* || true
    as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    "${as[@]}" test -x "$PORTWITNESS" || skip 'another user cannot get at the build'
    hold "$python" hold.py 0
    refused
    holder_is '"\(.pid) \(.uid) \(.user) \(.unnamed) \(.end)"' 'null 0 root not-allowed null'
    assert_matches "$stderr" 'Held by a process of user root, not recorded'
    assert_matches "$stderr" 'not named: its descriptors may not be looked at by the user of this run \(EACCES\)'
    assert_matches "$stderr" "Find it: sudo ss -anpt 'sport = :$port' shows who it is"
}

@test "a holder that this /proc does not show is said to be elsewhere" {
    [ "$(id -u)" -eq 0 ] || skip 'needs root, for a pid namespace'
    hold "$python" hold.py 0
    as=(unshare --pid --fork --mount-proc)
    refused
    holder_is '"\(.pid) \(.unnamed)"' 'null not-in-proc'
    assert_matches "$stderr" 'not named: no process that `run` sees has the socket'
}

@test "a holder in a unit or a container is named with it, and with what stops that" {
    local id
    id=$(printf '%064x' "$$")
    for group in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup; do
        [ ! -e "$group/cgroup.procs" ] || [ ! -w "$group/cgroup.procs" ] || break
    done
    group=$group/docker-$id.scope
    mkdir "$group" && [ -e "$group/cgroup.procs" ] || skip 'needs a control group to write to'
    hold sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$python" hold.py 0
    refused
    holder_is '"\(.container.runtime) \(.container.id) \(.unit) \(.end)"' \
        "docker ${id:0:12} null docker stop ${id:0:12}"
    assert_matches "$stderr" "container ${id:0:12}"
    assert_matches "$stderr" "End it: docker stop ${id:0:12}"
}

@test "without run the guest looks itself, and what it does not find is said to be not sought" {
    hold "$python" hold.py 0
    rm -f t
    run -0 "$PORTWITNESS" run --quiet -o t -- true
    run -1 env LD_PRELOAD="$shim" PORTWITNESS_TRACE="$PWD/t" "$python" want.py "$port"
    holder_is '"\(.pid) \(.command) \(.unnamed)"' "$holder $python hold.py 0 null"
}

# leave COMMAND...: a recorded command that leaves that behind, $pid with $port, once it has said its port.
leave() {
    rm -f t
    input
    run -0 --separate-stderr "$PORTWITNESS" run -o t -- sh -c \
        '"$@" <in >said 2>/dev/null 3>&- & echo $! >pid; until [ -s said ]; do sleep 0.02; done' \
        sh "$@" {to}>&-
    pid=$(cat pid)
    port=$(cat said)
}

@test "who has ended since is not to be ended, nor on another boot" {
    leave "$python" hold.py 0
    # The boot id in the header is at offset 48.
    cp t other
    printf '\377\377\377\377' | dd of=other bs=1 seek=48 conv=notrunc status=none
    run -1 "$PORTWITNESS" check --fail-on hazard other
    [[ $output != *'End it'* && $output != *'ended since'* ]]
    kill "$pid"
    wait_for sh -c '! kill -0 "$0" 2>/dev/null' "$pid"
    run -1 "$PORTWITNESS" check --fail-on hazard t
    assert_matches "$output" '    has ended since'
    [[ $output != *'End it'* ]]
    holder_is .end null
}

@test "what is left behind is named with its ports, and is a hazard" {
    leave "$python" hold.py 0
    assert_matches "$stderr" "portwitness: still running: ${python##*/} \($pid\), holds tcp 127.0.0.1:$port"
    assert_equal "$(kinds)" 'leftover-process hazard certain'
    assert_equal "$(found '.[0] | "\(.cause) \(.endpoint.port) \(.subject.pid) \(.subject.kind) \(.other.pid) \(.holder.how)"')" \
        "leftover-process $port $pid bind $pid bound"
    holder_is '"\(.source) \(.pid) \(.end)"' "trace $pid kill $pid"
    assert_equal "$("$PORTWITNESS" check --json t | jq -r .verdict)" hazards
    run -1 "$PORTWITNESS" check --fail-on hazard t
    assert_matches "$output" 'WARNING: portwitness: leftover-process: a process is left that holds ports \(certain\)'
    assert_matches "$output" "  bind to port 0, which gave tcp 127.0.0.1:$port"
    assert_matches "$output" "End it: kill $pid"
    run -1 "$PORTWITNESS" check -v --fail-on hazard t
    assert_matches "$output" "Bound: bind to port 0, which gave tcp 127.0.0.1:$port"
    assert_matches "$output" "Left behind when the command had ended: socket on tcp 127.0.0.1:$port"
}

@test "a socket that several processes have is left behind once" {
    leave "$python" hold.py 0 2
    assert_equal "$(kinds)" 'leftover-process hazard certain'
    holder_is '"\(.pid) \(.other_pids | length)"' "$pid 2"
}

@test "a socket whose binder has gone is that of the child that has it" {
    cat >daemon.py <<'PYTHON'
import os, socket, sys, time
server = socket.create_server(("127.0.0.1", 0))
if os.fork():
    sys.exit()
print(server.getsockname()[1], flush=True)
sys.stdin.readline()
PYTHON
    leave "$python" daemon.py
    assert_equal "$(kinds)" 'leftover-process hazard certain'
    assert_equal "$(found '.[0] | "\(.subject.pid) \(.other.pid == .subject.pid) \(.holder.how)"')" "$pid false inherited"
}

@test "UDP sockets and those that are only bound count, connections and senders do not" {
    cat >several.py <<'PYTHON'
import socket, sys
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.sendto(b"", ("127.0.0.1", udp.getsockname()[1]))
bound = socket.socket()
bound.bind(("127.0.0.1", 0))
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
accepted, _ = listener.accept()
ports = [each.getsockname()[1] for each in (udp, bound)]
listener.close()
print(*ports, flush=True)
sys.stdin.readline()
PYTHON
    leave "$python" several.py
    assert_equal "$(found '[.[] | .endpoint.port] | sort | map(tostring) | join(" ")')" \
        "$(tr ' ' '\n' <said | sort -n | paste -sd' ')"
}

@test "who ends a moment after the command, or is waited for, is not left behind" {
    cat >slowly.py <<'PYTHON'
import signal, socket, sys, time
server = socket.create_server(("127.0.0.1", 0))
def end(*_):
    time.sleep(0.12)
    sys.exit()
signal.signal(signal.SIGTERM, end)
open("up", "w").close()
time.sleep(60)
PYTHON
    record sh -c '"$0" slowly.py 3>&- & until [ -e up ]; do sleep 0.02; done; kill $!' "$python"
    assert_equal "$(kinds)" ''
    rm t up
    run -0 "$PORTWITNESS" run --wait -q -o t -- sh -c \
        '"$0" slowly.py >/dev/null 2>&1 3>&- & pid=$!; until [ -e up ]; do sleep 0.02; done
        (sleep 1; kill $pid) >/dev/null 2>&1 3>&- &' "$python"
    assert_equal "$(kinds)" ''
}

@test "a program that cannot be recorded, and has inherited a recorded socket, is named as the holder" {
    cat >leak.py <<'END'
import os, socket, subprocess, sys
if os.fork():
    os.wait()
    try:
        socket.create_server(("127.0.0.1", int(open("leaked").read().split()[0])))
    except OSError:
        sys.exit()
server = socket.create_server(("127.0.0.1", 0))
server.set_inheritable(True)
child = subprocess.Popen(["busybox", "sleep", "20"], close_fds=False)
open("leaked", "w").write(f"{server.getsockname()[1]} {child.pid}")
os._exit(0)
END
    rm -f t
    "$PORTWITNESS" run --quiet --capture=preload -o t -- "$python" leak.py
    kill "$(cut -d ' ' -f 2 leaked)"
    assert_equal "$(kinds)" 'address-in-use hazard certain'
    assert_equal "$(found '.[0] | "\(.cause) \(.holder.how) \(.holder.pid) \(.holder.command)"')" \
        "inherited-descriptor inherited $(cut -d ' ' -f 2 leaked) busybox sleep 20"
    assert_matches "$(found '.[0].holder.bound_by.command')" 'leak.py$'
}
