# What the checker finds in real programs: races that went well, that were lost, numbers handed out
# twice, addresses in use and who had them.
# shellcheck disable=SC2154,SC2016 # variables of the helpers, those of jq and of programs

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load check
    check_setup
}

@test "Python: a number that is picked, released and bound again is a race window" {
    cat >window.py <<'PYTHON'
import socket
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
with socket.socket() as server:
    server.bind(("127.0.0.1", port))
    server.listen()
print(port)
PYTHON
    port=$(record "$python" window.py)
    assert_equal "$(kinds)" 'race-window hazard certain'
    assert_equal "$(found '.[0] | "\(.endpoint.port) \(.subject.requested_port) \(.assigned.requested_port)"')" \
        "$port $port 0"
    assert_equal "$(found '.[0] | .window_ns > 0 and .released_ns != null')" true
}

@test "Node: the same" {
    cat >window.js <<'JS'
const net = require('net');
const probe = net.createServer().listen(0, '127.0.0.1', () => {
  const port = probe.address().port;
  probe.close(() => {
    const server = net.createServer().listen(port, '127.0.0.1', () => server.close());
  });
});
JS
    record node window.js
    assert_equal "$(kinds)" 'race-window hazard certain'
}

@test "C: the same, with function, file and line of both calls" {
    "$PORTWITNESS" run --quiet -o t -- "$build/tests/guests/rebind"
    assert_equal "$(kinds)" 'race-window hazard certain'
    assert_equal "$(found '.[0].subject.site | "\(.function) \(.file | split("/")[-1])"')" 'bind_port rebind.c'
    assert_equal "$(found '.[0].subject.site.line')" \
        "$(grep -n 'the call that binds' "$root/tests/guests/rebind.c" | cut -d: -f1)"
}

@test "C: --stacks tells who called, the innermost first" {
    "$PORTWITNESS" run --quiet --stacks -o t -- "$build/tests/guests/rebind"
    assert_equal "$(found '.[0] | [.subject.stack[0:3][].function, .assigned.stack[0:3][].function] | join(" ")')" \
        'bind_port start_server main bind_port pick_port main'
    run "$PORTWITNESS" check --verbose t
    assert_matches "$output" '#0 bind_port .*rebind\.c:[0-9]+ .*
    #1 start_server .*rebind\.c:[0-9]+ .*
    #2 main '
    rm t
    "$PORTWITNESS" run --quiet --stacks=2 -o t -- "$build/tests/guests/rebind"
    assert_equal "$(found '.[0].subject.stack | length')" 2
}

@test "a shell that passes the number on as an argument, or in the environment" {
    record sh -c 'port=$("$0" pick.py); "$0" serve.py "$port"' "$python"
    assert_equal "$(kinds)" 'race-window hazard certain'
    assert_equal "$(found '.[0] | .assigned.pid != .subject.pid')" true
    rm t
    record sh -c 'PORT=$("$0" pick.py) "$0" serve.py' "$python"
    assert_equal "$(kinds)" 'race-window hazard certain'
}

@test "by a file or a pipe between siblings: possible" {
    record sh -c '"$0" pick.py >file; "$0" serve.py <file' "$python"
    assert_equal "$(kinds)" 'race-window hazard possible'
    rm t
    record sh -c '"$0" pick.py | { read -r port; cat; echo "$port" | "$0" serve.py; }' "$python"
    assert_equal "$(kinds)" 'race-window hazard possible'
}

@test "two asyncio tasks of one process that pick side by side" {
    cat >tasks.py <<'PYTHON'
import asyncio, socket

def pick():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

async def serve():
    port = pick()
    await asyncio.sleep(0.01)
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", port)
    server.close()
    await server.wait_closed()

async def main():
    await asyncio.gather(serve(), serve())

asyncio.run(main())
PYTHON
    record "$python" tasks.py
    assert_equal "$(kinds)" 'race-window hazard certain
race-window hazard certain'
}

@test "a stranger that gets the port meanwhile is named as the taker" {
    cat >loses.py <<'PYTHON'
import socket, subprocess, sys
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
taker = subprocess.Popen([sys.executable, "taker.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
taker.stdout.readline()
print(taker.pid, flush=True)
with socket.socket() as server:
    try:
        server.bind(("127.0.0.1", port))
    finally:
        taker.communicate(b"\n")
PYTHON
    run -1 --separate-stderr one_port 20000 "$PORTWITNESS" run --quiet -o t -- "$python" loses.py
    taker=$output
    assert_equal "$(kinds)" 'lost-race error certain'
    assert_equal "$(found '.[0] | "\(.endpoint.port) \(.other.pid) \(.holder.source) \(.status)"')" \
        "20000 $taker trace 256"
    run -1 "$PORTWITNESS" check t
    assert_matches "$output" 'ERROR: portwitness: lost-race: a race for a port was lost \(certain\)'
    assert_matches "$output" '  bind to tcp 127.0.0.1:20000 failed with EADDRINUSE; the process ended with status 1
    by [0-9]+ .*python3.* loses.py.*, [0-9.]+ s into the run \([0-9:.]+\)'
    assert_matches "$output" 'Given for port 0 to the same process at <module> loses.py:3, [0-9.]+ s \([0-9:.]+\), released at [0-9.]+ s '
    assert_matches "$output" 'Window: [0-9.]+ (us|s), in which anybody could have it'
    assert_matches "$output" "Taken by $taker .*python3.* taker.py, its child
    since [0-9.]+ s \([0-9:.]+\), [0-9.]+ (us|s) before"
    assert_matches "$output" 'Fix: let the server bind port 0 itself'
    assert_matches "$output" 'SUMMARY: portwitness: lost-race tcp 127.0.0.1:20000 '
    # Ten lines and the summary, between the rules.
    [ "$(grep -c '' <<<"$output")" -le 14 ]
    run -1 "$PORTWITNESS" check --verbose t
    assert_matches "$output" 'Lost: bind to tcp 127.0.0.1:20000 failed with EADDRINUSE'
    assert_matches "$output" "Taken by: bind to port 0, which gave tcp 127.0.0.1:20000
    at [0-9.]+ s \([0-9:.]+\) by process $taker "
    assert_matches "$output" 'Processes:
    [0-9]+ .*python3 loses.py   <- was given the number, was refused it
      '"$taker"' .*python3 taker.py   <- has or had it'
}

@test "a number that two rely on and both get away with is a double hand-out" {
    one_port 20000 "$PORTWITNESS" run --quiet -o t -- \
        sh -c 'a=$("$0" pick.py); b=$("$0" pick.py); "$0" serve.py "$a"; "$0" serve.py "$b"' "$python"
    assert_equal "$(kinds)" 'double-hand-out error certain'
    assert_equal "$(found '.[0] | [.subject.pid, .other.pid, .assigned.pid, .other_assigned.pid] | unique | length')" 4
}

@test "a fixed number and a process left over from before: named with pid, command, start and test" {
    cat >left-over.sh <<'SH'
coproc LEFT { exec "$1" -c 'import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.readline()' left-over-server; }
read -r port <&"${LEFT[0]}"
left=$LEFT_PID # bash forgets it when the process has ended
echo "$left $port" >numbers
PYTEST_CURRENT_TEST='test_web.py::test_page (call)' \
    "$PORTWITNESS" run --quiet --check -o t -- "$1" serve.py "$port"
status=$?
echo >&"${LEFT[1]}"
wait "$left" || status=99
exit $status
SH
    # With processes of its own: how far the search for a holder comes depends on how many there are.
    local alone=(unshare --pid --fork --mount-proc)
    [ "$(id -u)" -eq 0 ] || alone=(unshare -r --pid --fork --mount-proc)
    export PORTWITNESS
    run -1 --separate-stderr "${alone[@]}" bash left-over.sh "$python"
    report=$stderr
    read -r left port <numbers
    assert_equal "$(kinds)" 'address-in-use error certain'
    assert_equal "$(found '.[0] | "\(.holder.source) \(.holder.pid) \(.test)"')" \
        "kernel-table $left test_web.py::test_page (call)"
    assert_equal "$(found '.[0].holder.started_ns < .[0].subject.begin_ns')" true
    assert_matches "$report" "Held by pid $left .*left-over-server \(user [a-z]+\), not recorded"
    assert_matches "$report" 'listens on tcp 127.0.0.1:'"$port"
    assert_matches "$report" 'since [0-9:]{8}, [0-9.]+ m?s before this run; in '"$PWD"
    assert_matches "$report" "End it: kill $left"
    assert_matches "$report" '; the process ended with status 1'
    assert_matches "$report" '    at <module> serve.py:4, in test test_web.py::test_page
'
}

@test "a refused bind that is caught is a hazard, a note where it was its own or it takes another port" {
    cat >tries.py <<'PYTHON'
import os, socket, sys
held = socket.create_server(("127.0.0.1", 0))
if "child" in sys.argv and os.fork():
    os.wait()
    sys.exit()
port = held.getsockname()[1]
tries = [port] + ([0] if "another" in sys.argv else [])
for number in tries:
    with socket.socket() as server:
        try:
            server.bind(("127.0.0.1", number))
        except OSError:
            pass
PYTHON
    record "$python" tries.py
    assert_equal "$(kinds)" 'address-in-use note certain'
    assert_equal "$(found '.[0] | .other.pid == .subject.pid')" true
    rm t
    record "$python" tries.py child
    assert_equal "$(kinds)" 'address-in-use hazard certain'
    rm t
    record "$python" tries.py another
    assert_equal "$(kinds)" 'address-in-use note certain'
    assert_equal "$(found '.[0].instead.requested_port')" 0
    assert_equal "$("$PORTWITNESS" check --json t | jq -r .verdict)" clean
}

@test "what is in TIME_WAIT is reported as such" {
    cat >waits.py <<'PYTHON'
import socket
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
port = server.getsockname()[1]
caller = socket.create_connection(("127.0.0.1", port))
accepted, _ = server.accept()
accepted.close()
caller.recv(1)
caller.close()
server.close()
again = socket.socket()
try:
    again.bind(("127.0.0.1", port))
except OSError:
    pass
PYTHON
    record "$python" waits.py
    assert_equal "$(kinds)" 'address-in-use hazard certain'
    assert_equal "$(found '.[0].holder.source')" time-wait
    run "$PORTWITNESS" check t
    assert_matches "$output" 'Fix: set SO_REUSEADDR'
}

@test "two listeners with SO_REUSEADDR are a trap" {
    cat >trap.py <<'PYTHON'
import socket
def bound(port):
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("127.0.0.1", port))
    return one
first = bound(0)
second = bound(first.getsockname()[1])
first.listen()
try:
    second.listen()
except OSError:
    pass
PYTHON
    record "$python" trap.py
    assert_equal "$(kinds)" 'reuse-trap hazard certain'
}

@test "a connection to oneself, and a range that is used up" {
    cat >self.py <<'PYTHON'
import socket
one = socket.socket()
one.connect(("127.0.0.1", 20000))
try:
    socket.socket().bind(("127.0.0.1", 0))
except OSError:
    pass
PYTHON
    one_port 20000 "$PORTWITNESS" run --quiet -o t -- "$python" self.py
    assert_equal "$(kinds)" 'self-connect hazard certain
exhausted hazard certain'
    assert_equal "$(found '.[1] | "\(.range) \(.held)"')" '[20000,20000] 1'
}

@test "a stranger that answers at a port that was released is a stale-port-connect" {
    cat >door.py <<'PYTHON'
import socket, subprocess, sys
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
print(port, flush=True)
sys.stdin.readline()
caller = socket.socket()
caller.bind(("127.0.0.1", 30000)) # the range has no port to connect from
caller.connect(("127.0.0.1", port))
PYTHON
    cat >both.py <<'PYTHON'
import subprocess, sys
def start(name):
    child = subprocess.Popen([sys.executable, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    return child
door = start("door.py")
taker = start("taker.py")
door.communicate(b"\n")
taker.communicate(b"\n")
PYTHON
    one_port 20000 timeout 120 "$PORTWITNESS" run --quiet -o t -- "$python" both.py
    assert_equal "$(kinds)" 'stale-port-connect hazard possible'
    assert_equal "$(found '.[0] | .assigned.pid == .subject.pid and .other.pid != .subject.pid')" true
}

@test "a taker in another trace of this host is named" {
    cat >late.py <<'PYTHON'
import socket, sys
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
print(port, flush=True)
sys.stdin.readline()
socket.socket().bind(("127.0.0.1", port))
PYTHON
    cat >jobs.py <<'PYTHON'
import subprocess, sys
def start(trace, name):
    child = subprocess.Popen([sys.argv[1], "run", "--quiet", "-o", trace, "--", sys.executable, name],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    child.stdout.readline()
    return child
late = start("t", "late.py")
taker = start("other", "taker.py")
late.communicate(b"\n")
taker.communicate(b"\n")
PYTHON
    one_port 20000 timeout 120 "$python" jobs.py "$PORTWITNESS"
    run -1 "$PORTWITNESS" check --json t other
    assert_equal "$(jq -r '.findings[] | "\(.kind) \(.certain) \(.other.trace)"' <<<"$output")" \
        'lost-race true other'
    run -1 "$PORTWITNESS" check --json t
    assert_equal "$(jq -r '.findings[0].holder.source' <<<"$output")" kernel-table
}
