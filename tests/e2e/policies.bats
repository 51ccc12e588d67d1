# `portwitness run --policy`: which ports the guests are given, and that nothing else of their
# results changes.

# shellcheck disable=SC2154,SC2034 # set by bats or by common.bash; for policies.bash
bats_require_minimum_version 1.5.0
load ../common
load policies

setup() { policies_setup; }

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
        range:20000-20001 keep keep,range:40000-40001; do
        under "$policy" "$python" "$guests/self_connect.py" "$SELF_CONNECTS" >said
        assert_equal "$(cat said)" "connected to itself 0 times"
    done
}

@test "correct programs stay correct, and clean, under every policy" {
    for policy in kernel soonest quarantine quarantine:1 seeded:7 range:40000-40999 \
        soonest,range:40000-40999 quarantine,range:20000-20999 seeded:7,range:20000-20999 \
        keep keep,range:40000-40999 keep,range:20000-20999; do
        under "$policy" "$python" "$guests/servers.py" "$SERVED" >said
        assert_equal "$(cat said)" served
        run -0 "$PORTWITNESS" check --fail-on hazard t.trace
        assert_matches "$output" 'clean'
    done
}

@test "what the guest can see of its socket is unchanged but for the port" {
    for policy in soonest quarantine seeded:7 range:40000-40999 keep; do
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

