# `portwitness run --policy`: which ports the guests are given, and that nothing else of their
# results changes.

# shellcheck disable=SC2154,SC2034 # set by bats or by common.bash; for policies.bash
bats_require_minimum_version 1.5.0
load ../common
load policies

setup() { policies_setup; }

# The rebinding program beside one that asks for ports with these arguments.
rebind_beside() {
    local policy=$1 times=$2
    shift 2
    # shellcheck disable=SC2016 # for the shell below
    under "$policy" sh -c '"$1" "$2/ask.py" 60 $4 & asker=$!; until [ -e asking ]; do sleep 0.05; done
        "$1" "$2/rebind.py" "$3"; kill $asker; wait $asker 2>/dev/null || :' - \
        "$python" "$guests" "$times" "$*"
}

# A machine that stalls for longer than a window is held open may save one: then once more.
loses_all() {
    local said
    for _ in 1 2; do
        said=$(rebind_beside soonest 100 "$@")
        [ "$said" != "lost 100 of 100" ] || return 0
    done
    assert_equal "$said" "lost 100 of 100"
}

@test "soonest: whoever lets a port go and binds it again loses 100 times of 100" {
    loses_all
    loses_all 0.01
    loses_all 0.02 read
    [ "$(counted held_open)" -ge 100 ]
}

@test "kernel: the same shows it in fewer than 1 of 100" {
    assert_equal "$(rebind_beside kernel 100)" "lost 0 of 100"
}

@test "soonest: the finding names both sides, and that a policy chose" {
    rebind_beside soonest 1 0.01 >/dev/null
    run -1 "$PORTWITNESS" check t.trace
    assert_matches "$output" 'lost-race: a race for a port was lost'
    assert_matches "$output" "Lost: bind to tcp 127.0.0.1:[0-9]+ failed with EADDRINUSE
    at [^ ]+ s by process [0-9]+ python3 \([^)]*rebind.py 1\)"
    assert_matches "$output" "Taken by: bind to port 0, which gave tcp 127.0.0.1:[0-9]+
    at [^ ]+ s by process [0-9]+ python3 \([^)]*ask.py 60 0.01\)"
    assert_matches "$output" 'portwitness: policy soonest: [0-9]+ ports chosen'
}

@test "soonest: the loser may be another process than the one that released it" {
    # shellcheck disable=SC2016
    under soonest sh -c '"$1" "$2/ask.py" 60 0.02 keep & asker=$!; until [ -e asking ]; do sleep 0.05; done
        port=$("$1" -c "
import socket
s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1]); s.close()")
        until grep -qx "$port" given; do kill -0 $asker || exit; sleep 0.02; done
        "$1" -c "
import socket, sys
try:
    socket.socket().bind((\"127.0.0.1\", int(sys.argv[1])))
except OSError as problem:
    print(problem.errno)" "$port"
        kill $asker; wait $asker 2>/dev/null || :' - "$python" "$guests" >said
    assert_equal "$(cat said)" 98
}

@test "soonest: a process that is killed lets its port go too" {
    # shellcheck disable=SC2016
    under soonest "$python" - <<'END' >said
import os, signal, socket, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", """
import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); time.sleep(60)
"""], stdout=subprocess.PIPE)
port = int(child.stdout.readline())
child.kill()
child.wait()
held = []
deadline = time.monotonic() + 60
while time.monotonic() < deadline:
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    if s.getsockname()[1] == port:
        print("given")
        break
    held.append(s)
    time.sleep(0.05)
END
    assert_equal "$(cat said)" given
}

@test "quarantine: a port comes back after its time, and no sooner while there are others" {
    under quarantine:2,range:40000-40003 "$python" - <<'END' >said
import socket, time
begin = time.monotonic()
given = {}
for _ in range(4):
    s = socket.socket(); s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    # Again only if this took so long.
    assert port not in given or time.monotonic() - begin >= 2, port
    given[port] = True
    s.close()
time.sleep(2.2)
s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1] in given)
END
    assert_equal "$(cat said)" True
    assert_equal "$(counted early)" 0
}

@test "quarantine: a range that is too full for it gives the oldest, and never fails" {
    under quarantine,range:40000-40003 "$python" - <<'END' >said
import socket, time
given = []
for _ in range(12):
    s = socket.socket(); s.bind(("127.0.0.1", 0))
    given.append(s.getsockname()[1]); s.close(); time.sleep(0.005)
assert given[4:8] == given[:4] and given[8:] == given[:4], given
print(sorted(given[:4]))
END
    assert_equal "$(cat said)" "[40000, 40001, 40002, 40003]"
    assert_equal "$(counted early)" 8
    "$PORTWITNESS" export --format jsonl t.trace | "$python" "$guests/chosen.py" >chosen
    assert_equal "$(grep -c 'policy,policy-early' chosen)" 8
}

@test "seeded: a port that is taken is met, which is counted, and the next of the sequence given" {
    under seeded:7 "$python" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' >port
    "$python" - "$(cat port)" <<'END' &
import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(); time.sleep(60)
END
    holder=$!
    wait_for grep -q "$(printf ':%04X 00000000:0000 0A' "$(cat port)")" /proc/net/tcp
    for i in 1 2; do
        under seeded:7 "$python" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' >next.$i
        assert_equal "$(counted met)" 1
    done
    kill $holder
    assert_equal "$(cat next.1)" "$(cat next.2)"
    [ "$(cat next.1)" != "$(cat port)" ]
    "$PORTWITNESS" export --format jsonl t.trace | "$python" "$guests/chosen.py" >chosen
    assert_matches "$(cat chosen)" "policy 1$"
}

@test "range: all of it, and nothing but it, by bind, listen, connect and send" {
    under range:40000-40019 "$python" "$guests/tree.py" leaf >said
    local port ports
    read -ra ports <said
    for port in "${ports[@]:1}"; do
        [ "$port" -ge 40000 ] && [ "$port" -le 40019 ]
    done
    under seeded:7,range:40000-40003 "$python" - <<'END' >said
import socket
held = []
for _ in range(6):
    s = socket.socket(); s.bind(("127.0.0.1", 0)); held.append(s)
ports = [s.getsockname()[1] for s in held]
print(sorted(ports[:4]), all(p < 40000 or p > 40003 for p in ports[4:]))
END
    # A full range is no failure.
    assert_equal "$(cat said)" "[40000, 40001, 40002, 40003] True"
    assert_equal "$(counted outside)" 2
}

@test "a range outside the system's is served by number, which is reported" {
    under range:20000-20003 "$python" "$guests/tree.py" leaf >said
    local port ports
    read -ra ports <said
    for port in "${ports[@]:1}"; do
        [ "$port" -ge 20000 ] && [ "$port" -le 20003 ]
    done
    assert_equal "$(counted by_number)" 5
    "$PORTWITNESS" export --format jsonl t.trace | "$python" "$guests/chosen.py" >chosen
    assert_equal "$(grep -c 'policy,policy-by-number' chosen)" 5
    # Two sockets with SO_REUSEADDR would share a number; they are not given the same.
    under range:20000-20001 "$python" - <<'END'
import socket
held = []
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    for _ in range(2):
        s = socket.socket(socket.AF_INET, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind(("127.0.0.1", 0))
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 1
        held.append(s)
ports = [s.getsockname()[1] for s in held]
assert ports[0] != ports[1] and ports[2] != ports[3], ports
END
}

@test "a connect is never given its destination's own port" {
    for policy in soonest quarantine seeded:7 range:40000-40001 soonest,range:40000-40001 \
        range:20000-20001; do
        under "$policy" "$python" "$guests/self_connect.py" "$SELF_CONNECTS" >said
        assert_equal "$(cat said)" "connected to itself 0 times"
    done
}

@test "correct programs stay correct, and clean, under every policy" {
    for policy in kernel soonest quarantine quarantine:1 seeded:7 range:40000-40999 \
        soonest,range:40000-40999 quarantine,range:20000-20999 seeded:7,range:20000-20999; do
        under "$policy" "$python" "$guests/servers.py" "$SERVED" >said
        assert_equal "$(cat said)" served
        run -0 "$PORTWITNESS" check --fail-on hazard t.trace
        assert_matches "$output" 'clean'
    done
}

@test "what the guest can see of its socket is unchanged but for the port" {
    for policy in soonest quarantine seeded:7 range:40000-40999; do
        under "$policy" "$python" - <<'END'
import ctypes, errno, os, socket, struct
RANGE = 51
def option(s, name):
    return struct.unpack("I", s.getsockopt(socket.IPPROTO_IP, name, 4))[0]
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    s = socket.socket(socket.AF_INET6, kind)
    s.bind(("::1", 0))
    assert option(s, RANGE) == 0
    # A range of the program's own is left alone.
    own = socket.socket(socket.AF_INET, kind)
    own.setsockopt(socket.IPPROTO_IP, RANGE, struct.pack("I", 41000 | 41009 << 16))
    own.bind(("127.0.0.1", 0))
    assert 41000 <= own.getsockname()[1] <= 41009
    assert option(own, RANGE) == 41000 | 41009 << 16
# Errors are the kernel's: a bad pointer, an address of nobody, one that is bound already.
libc = ctypes.CDLL(None, use_errno=True)
fresh = socket.socket()
assert libc.bind(fresh.fileno(), ctypes.c_void_p(8), 16) == -1
assert ctypes.get_errno() == errno.EFAULT
try:
    fresh.bind(("203.0.113.77", 0))
except OSError as problem:
    assert problem.errno == errno.EADDRNOTAVAIL
fresh.bind(("127.0.0.1", 0))
try:
    fresh.bind(("127.0.0.1", 0))
except OSError as problem:
    assert problem.errno == errno.EINVAL
# errno of a success is left alone.
last = socket.socket()
ctypes.set_errno(77)
address = (ctypes.c_ubyte * 16)(2, 0, 0, 0, 127, 0, 0, 1)
assert libc.bind(last.fileno(), address, 16) == 0
assert ctypes.get_errno() == 77
END
    done
}

@test "the policy stands in the summary, in ports, in export and in check" {
    run -0 "$PORTWITNESS" run -o p.trace --policy quarantine -- "$python" "$guests/tree.py" leaf
    assert_matches "$output" 'portwitness: policy quarantine:60: 5 ports chosen'
    run -0 "$PORTWITNESS" ports p.trace
    assert_matches "$output" 'p.trace: policy quarantine:60: 5 ports chosen'
    run -0 --separate-stderr "$PORTWITNESS" ports --json p.trace
    assert_equal "$(grep -c '"policy":"quarantine:60"' <<<"$output")" 5
    run -0 "$PORTWITNESS" check p.trace
    assert_matches "$output" 'portwitness: policy quarantine:60: 5 ports chosen'
    run -0 "$PORTWITNESS" check --json p.trace
    assert_matches "$output" '"policies":\[\{"policy":"quarantine:60","seed":null,"chosen":5,'
    run -0 "$PORTWITNESS" run -q -o s.trace --policy seeded:18446744073709551615,range:40000-40999 -- true
    run -0 "$PORTWITNESS" check --json s.trace
    assert_matches "$output" '"policy":"seeded:18446744073709551615,range:40000-40999","seed":"18446744073709551615"'
    # Without one nothing is said of it.
    run -0 "$PORTWITNESS" run -o k.trace --policy kernel -- true
    [[ $output != *policy* ]]
}

@test "an invalid policy gives one line that names it, and status 2" {
    for value in '' x soonest:1 quarantine:0 quarantine:x quarantine:86401 seeded seeded: seeded:x \
        seeded:18446744073709551616 range range:1 range:0-5 range:5-4 range:1-65536 \
        soonest,seeded:1 range:1-2,soonest range:1-2,range:3-4 "soonest," "$(printf '%0200d' 1)"; do
        run -2 "$PORTWITNESS" run --policy="$value" -- touch started
        assert_equal "${#lines[@]}" 1
        assert_matches "$output" "^portwitness run: invalid argument '.*' for '--policy': "
        [ ! -e started ]
    done
}

@test "soonest is fair: who asks until it is given a number that it has not had comes to an end" {
    # As helpers that hand out distinct numbers do it, one request after the other or many at once.
    cat >distinct.py <<'END'
import socket, sys, threading
kind = socket.SOCK_DGRAM if "udp" in sys.argv else socket.SOCK_STREAM
given, lock, asked = set(), threading.Lock(), 0
def unused():
    global asked
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0)); asked += 1; return s.getsockname()[1]
def another():
    while True:
        port = unused()
        with lock:
            if port not in given:
                given.add(port); return
def many():
    for _ in range(30): another()
threads = [threading.Thread(target=many) for _ in range(4 if "threads" in sys.argv else 1)]
[t.start() for t in threads]; [t.join() for t in threads]
print(len(given), "asked at most four times each:", asked <= 4 * len(given) + 8)
END
    echo 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' >one.py
    local arguments
    for arguments in tcp udp; do
        under soonest timeout 60 "$python" distinct.py $arguments >said
        assert_equal "$(cat said)" '30 asked at most four times each: True'
    done
    under soonest timeout 60 "$python" distinct.py tcp threads >said
    assert_matches "$(cat said)" '^120 '
    # Between two requests one of another kind, or one that is kept; or a process for each.
    under soonest timeout 60 "$python" -c 'import socket
seen, kept = set(), []
while len(seen) < 5:
    for kind in socket.SOCK_DGRAM, socket.SOCK_STREAM:
        kept.append(socket.socket(type=kind)); kept[-1].bind(("127.0.0.1", 0))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0)); seen.add(s.getsockname()[1])'
    # shellcheck disable=SC2016 # for the shell below
    under soonest timeout 100 bash -c 'declare -A seen
        while [ ${#seen[@]} -lt 2 ]; do port=$("$0" "$1"); seen[$port]=1; done' "$python" one.py
}

@test "soonest gives its own number back to who lets it go, twice in a row at most" {
    under soonest "$python" -c 'import socket
def unused():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0)); return s.getsockname()[1]
given = [unused() for _ in range(7)]
print(len(set(given[:3])), given[3] != given[2], len(set(given[3:6])), given[6] != given[5])' >said
    assert_equal "$(cat said)" '1 True 1 True'
}

@test "soonest waits for nobody where a source port was read: no program binds that again" {
    # An asker beside it, else nothing waits at all; what is read and released by a bind does wait.
    # shellcheck disable=SC2016 # for the shell below
    local script='"$1" "$2/ask.py" 60 0.005 & asker=$!; until [ -e asking ]; do sleep 0.05; done
        "$1" -c "$3"; kill $asker; wait $asker 2>/dev/null || :'
    local clients='import socket
listener = socket.create_server(("127.0.0.1", 18431))
for kind in range(40):
    client = socket.create_connection(("127.0.0.1", 18431)); client.getsockname(); client.close()
    server, _ = listener.accept(); server.close()
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.sendto(b"x", ("127.0.0.1", 9)); sender.getsockname(); sender.close()'
    under soonest sh -c "$script" - "$python" "$guests" "$clients"
    assert_equal "$(counted held_open)" 0
    under soonest sh -c "$script" - "$python" "$guests" 'import socket
for _ in range(5):
    s = socket.socket(); s.bind(("127.0.0.1", 0)); s.getsockname(); s.close()'
    [ "$(counted held_open)" -gt 0 ]
}

@test "processes killed in the middle of assignments hold nobody up" {
    for policy in soonest quarantine:1 seeded:7 quarantine:1,range:40000-40063; do
        under "$policy" "$build/tests/guests/kill_askers" "$POLICY_KILLS" >said
        assert_equal "$(cat said)" "killed $POLICY_KILLS, then 2000 of 2000 asked"
    done
}

@test "before Linux 6.3 every policy works by number, and says so" {
    kernel=("$build/tests/guests/without_port_range")
    for _ in 1 2; do
        # shellcheck disable=SC2016 # for the shell below
        under soonest sh -c '"$1" "$2/ask.py" 60 & asker=$!; until [ -e asking ]; do sleep 0.05; done
            "$1" "$2/rebind.py" 50; kill $asker; wait $asker 2>/dev/null || :' - \
            "$python" "$guests" >said
        ! grep -qx 'lost 50 of 50' said || break
    done
    assert_equal "$(cat said)" "lost 50 of 50"
    [ "$(counted by_number)" -ge 50 ]
    for policy in soonest quarantine seeded:7 range:40000-40999; do
        under "$policy" "$python" "$guests/servers.py" 30 >said
        assert_equal "$(cat said)" served
        run -0 "$PORTWITNESS" check --fail-on hazard t.trace
        [ "$(counted by_number)" -ge 30 ]
        under "$policy" "$python" "$guests/self_connect.py" 100 >said
        assert_equal "$(cat said)" "connected to itself 0 times"
    done
}

@test "a trace that is full does not end the policy" {
    rm -f t.trace
    "$PORTWITNESS" run -q -o t.trace --max-size=2M --policy seeded:7,range:40000-40999 -- \
        "$python" -c 'import socket
for _ in range(20000):
    s = socket.socket(); s.bind(("127.0.0.1", 0)); port = s.getsockname()[1]; s.close()
    assert 40000 <= port <= 40999, port
listener = socket.socket(); listener.listen()
client = socket.socket(); client.connect(("127.0.0.1", listener.getsockname()[1]))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); sender.sendto(b"x", ("127.0.0.1", 9))
for s in (listener, client, sender):
    assert 40000 <= s.getsockname()[1] <= 40999, s
print(port)' >said
    assert_matches "$(cat said)" '^40[0-9]{3}$'
    run -0 "$PORTWITNESS" ports t.trace
    assert_matches "$output" 'the trace reached its maximal size'
    assert_equal "$(counted chosen)" 20003
}

@test "a thread that is cancelled in a call leaves the socket's range as it was, recorded or not" {
    local cycles
    for cycles in 0 20000; do
        rm -f t.trace
        "$PORTWITNESS" run -q -o t.trace --max-size=2M --policy seeded:7 -- \
            "$build/tests/guests/left_narrow" "$cycles" >said
        assert_equal "$(cat said)" "connect: cancelled, range as before
sendto: cancelled, range as before"
    done
    run -0 "$PORTWITNESS" ports t.trace
    assert_matches "$output" 'the trace reached its maximal size'
}

