# What explains a bind by number, or its refusal, other than a number that was given before: nothing
# is made of it that is not so.

# shellcheck disable=SC2154,SC2016 # variables of common.bash and check.bash; other shells'
bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load check
    check_setup
}

# alone COMMAND...: in a network namespace that has one port to give, into the trace t.
alone() {
    rm -f t
    one_port 20000 "$PORTWITNESS" run --quiet -o t -- "$@"
}

@test "a second family on a number that is held: no finding" {
    cat >dual.py <<'END'
import socket
for _ in range(5):
    six = socket.socket(socket.AF_INET6)
    six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    six.bind(("::", 0)); six.listen()
    four = socket.socket()
    four.bind(("0.0.0.0", six.getsockname()[1])); four.listen()
    four.close(); six.close()
END
    alone "$python" dual.py
    assert_equal "$(kinds)" ''
}

@test "a handover with SO_REUSEPORT, to itself and to a child: no finding" {
    cat >handover.py <<'END'
import os, socket
def server(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind(("127.0.0.1", port)); s.listen()
    return s
for _ in range(3):
    old = server(0)
    new = server(old.getsockname()[1])
    old.close()
    if os.fork() == 0:
        server(new.getsockname()[1]).close()
        os._exit(0)
    os.wait()
    new.close()
END
    alone "$python" handover.py
    assert_equal "$(kinds)" ''
}

@test "a test that expects to be refused its own port: a note, if the suite then fails of something else" {
    cat >suite.py <<'END'
import socket, sys
for _ in range(int(sys.argv[1])):
    socket.create_server(("127.0.0.1", 0)).getsockname()
with socket.create_server(("127.0.0.1", 0)) as held:
    try:
        socket.create_server(held.getsockname())
    except OSError:
        pass
sys.exit(3)
END
    run alone "$python" suite.py 0
    assert_equal "$status" 3
    assert_equal "$(kinds)" 'address-in-use note certain'
    # That an earlier server had the same number before may be chance.
    run alone "$python" suite.py 3
    assert_equal "$(kinds)" 'lost-race note possible'
}

@test "whoever took another port and then failed of something else: a note" {
    cat >other.py <<'END'
import socket, sys
held = socket.create_server(("127.0.0.1", 18080))
server = socket.socket()
try:
    server.bind(("127.0.0.1", 18080))
except OSError:
    server.bind(("127.0.0.1", 18081))
sys.exit(3)
END
    run record "$python" other.py
    assert_equal "$status" 3
    assert_equal "$(kinds)" 'address-in-use note certain'
}

@test "a lost race after which another number was asked for, with status 0: a note" {
    cat >again.py <<'END'
import os, socket, subprocess, sys
def pick():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0)); return s.getsockname()[1]
port = pick()
taker = subprocess.Popen([sys.executable, "taker.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
taker.stdout.readline()
with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
    file.write("20000 20001")
for _ in range(9):
    with socket.socket() as server:
        try:
            server.bind(("127.0.0.1", port)); server.listen()
            break
        except OSError:
            port = pick()
else:
    os._exit(1)
taker.communicate()
sys.exit(int(sys.argv[1]))
END
    alone "$python" again.py 0
    assert_equal "$(kinds | grep lost-race)" 'lost-race note certain'
    run -0 "$PORTWITNESS" check t
    run alone "$python" again.py 3
    assert_equal "$(kinds | grep lost-race)" 'lost-race error certain'
}

@test "a number that stood in the environment before it was given out was handed to nobody" {
    cat >fixed.sh <<'END'
"$1" pick.py >/dev/null
"$1" serve.py
END
    alone env PORT=20000 sh fixed.sh "$python"
    assert_equal "$(kinds)" ''
    # One that was picked was.
    cat >picked.sh <<'END'
PORT=$("$1" pick.py) "$1" serve.py
END
    alone sh picked.sh "$python"
    assert_equal "$(kinds)" 'race-window hazard certain'
}

@test "no window while a connection of the listener is in TIME_WAIT" {
    cat >reserve.py <<'END'
import socket, sys
def listener(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port)); s.listen()
    return s
s = listener(0)
port = s.getsockname()[1]
client = socket.create_connection(("127.0.0.1", port))
accepted = s.accept()[0]
first, second = (accepted, client) if sys.argv[1] == "server" else (client, accepted)
first.close(); second.close(); s.close()
listener(port)
END
    "$PORTWITNESS" run --quiet -o t -- "$python" reserve.py server
    assert_equal "$(kinds)" ''
    rm t
    # The other end closed first: its port is kept, and not the listener's.
    "$PORTWITNESS" run --quiet -o t -- "$python" reserve.py client
    assert_matches "$(kinds)" '^race-window hazard '
}

@test "a race over a time namespace is a race, with its window in the host's time" {
    [ "$(id -u)" -eq 0 ] || skip 'needs root: a time namespace'
    unshare -T true 2>/dev/null || skip 'no time namespaces here'
    cat >apart.sh <<'END'
port=$("$1" pick.py)
"$1" taker.py <hold >taken & exec 9>hold
until [ -s taken ]; do sleep 0.05; done
unshare -T --monotonic "$2" --boottime "$2" --fork "$1" serve.py "$port" 2>/dev/null
exec 9>&-; wait
END
    local offset
    for offset in -100 1000; do
        rm -f hold taken
        mkfifo hold
        alone sh apart.sh "$python" "$offset" || true
        assert_equal "$(kinds)" 'lost-race error certain'
        [ "$(found '.[0].window_ns')" -lt 60000000000 ]
    done
}

@test "a socket for IPv6 alone is not what stands in the way of an IPv4 address" {
    cat >only.py <<'END'
import socket
def first(address):
    s = socket.create_server(address)
    client = socket.create_connection(s.getsockname()); accepted = s.accept()[0]
    accepted.close(); client.close(); s.close()
first(("127.0.0.1", 18990))
six = socket.socket(socket.AF_INET6)
six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
six.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
six.bind(("::", 18990)); six.listen()
try:
    socket.socket().bind(("0.0.0.0", 18990))
except OSError:
    pass
END
    rm -f t
    one_port 20000 "$PORTWITNESS" run --quiet -o t -- "$python" only.py
    assert_equal "$(found '.[0].holder.source')" time-wait
}

@test "who had set SO_REUSEADDR is not told to" {
    cat >set.py <<'END'
import socket
s = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(s.getsockname()); accepted = s.accept()[0]
port = client.getsockname()[1]
client.close(); accepted.close(); s.close()
again = socket.socket()
again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    again.bind(("127.0.0.1", port))
except OSError:
    pass
END
    record "$python" set.py
    assert_equal "$(found '.[0] | "\(.cause) \(.holder.how)"')" 'connection-source-port time-wait'
    assert_matches "$(found '.[0].fix')" '^use a number outside net.ipv4.ip_local_port_range'
    assert_equal "$(found ".[0].fix | contains(\"SO_REUSEADDR\")")" false
}

@test "a server that is given the port of its parent is no stranger to a client beside it" {
    cat >family.py <<'END'
import os, socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
ready, is_ready = os.pipe()
server = os.fork()
if server == 0:
    with socket.create_server(("127.0.0.1", 0)) as s:
        os.write(is_ready, str(s.getsockname()[1]).encode())
        s.accept()
    os._exit(0)
os.read(ready, 5)
if os.fork() == 0:
    client = socket.socket()
    client.bind(("127.0.0.1", 30000)) # the range has no port to connect from
    client.connect(("127.0.0.1", port))
    os._exit(0)
os.wait()
os.wait()
END
    alone "$python" family.py
    assert_equal "$(kinds)" ''
}

@test "a port that somebody had before its number was picked on another endpoint: no lost race" {
    # Over TCP and bound over UDP, on 127.0.0.1 and bound on 0.0.0.0 or on ::1.
    cat >elsewhere.py <<'END'
import os, socket, sys
from socket import AF_INET, AF_INET6, SOCK_DGRAM, SOCK_STREAM
held, bound = {"udp": ((AF_INET, SOCK_DGRAM, "127.0.0.1"), (AF_INET, SOCK_DGRAM, "127.0.0.1")),
               "wildcard": ((AF_INET, SOCK_STREAM, "127.0.0.2"), (AF_INET, SOCK_STREAM, "0.0.0.0")),
               "six": ((AF_INET6, SOCK_STREAM, "::1"), (AF_INET6, SOCK_STREAM, "::1"))}[sys.argv[1]]
def bind(family, kind, address, port):
    s = socket.socket(family, kind); s.bind((address, port)); return s
ready, is_ready = os.pipe()
over, is_over = os.pipe()
if os.fork() == 0:
    os.close(is_over)
    s = bind(*held, 20000)
    os.write(is_ready, b".")
    os.read(over, 1)
    os._exit(0)
os.read(ready, 1)
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
bind(*bound, port)
END
    local how
    for how in udp wildcard six; do
        alone "$python" elsewhere.py $how 2>/dev/null || true
        assert_equal "$how: $(kinds)" "$how: address-in-use error certain"
        assert_equal "$(found '.[0] | "\(.assigned.requested_port) \(.window_ns) \(.holder.source)"')" \
            '0 null trace'
        report=$("$PORTWITNESS" check t 2>&1) || true
        assert_matches "$report" 'Picked on another endpoint by the same process as '
        assert_matches "$report" 'Fix: pick the number with the protocol, the family and the address'
        [[ $report != *Window:* ]]
    done
}
