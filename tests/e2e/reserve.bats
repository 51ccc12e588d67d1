# `portwitness reserve`: numbers in advance that nobody else is given, and what it cannot do.

# shellcheck disable=SC2154 # set by bats or by common.bash
bats_require_minimum_version 1.5.0
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    export TMPDIR=$BATS_TEST_TMPDIR
}

teardown() {
    # Nothing of the private trace is left behind.
    [ -z "$(find "$BATS_TEST_TMPDIR" -name 'portwitness-reserve-*')" ]
}

reserve() { "$PORTWITNESS" reserve "$@"; }

@test "the numbers stand in the arguments and in the environment" {
    # shellcheck disable=SC2016 # for the shell below
    reserve -n 3 -- sh -c 'echo "$PORTWITNESS_PORT_1 $PORTWITNESS_PORT_2 $PORTWITNESS_PORT_3 $*"' \
        - '{1}' 'http://localhost:{2}/{3}' >said
    read -r one two three first rest <said
    assert_equal "$first" "$one"
    assert_equal "$rest" "http://localhost:$two/$three"
    [ "$one" != "$two" ] && [ "$two" != "$three" ] && [ "$one" != "$three" ]
    # A word in braces that is not the number of a reserved port is left alone.
    assert_equal "$(reserve -- echo '{2} {} {0} {x} {1' '{01} {999999999999999999999}')" \
        '{2} {} {0} {x} {1 {01} {999999999999999999999}'
    # An outer reservation's are not taken for ours.
    assert_equal "$(reserve -n 3 -- "$PORTWITNESS" reserve -- env | grep -c PORTWITNESS_PORT_)" 1
    assert_equal "$(reserve -n 1000 -- env | grep -c PORTWITNESS_PORT_)" 1000
}

@test "the command is as it would be without: its status, its signals, its limits, its descriptors" {
    run -7 reserve -- sh -c 'exit 7'
    run -143 reserve -- sh -c 'kill -TERM $$'
    run -127 reserve -- no-such-command-anywhere
    : >file
    run -126 reserve -- ./file
    assert_equal "$(reserve -n 5 -- sh -c 'ulimit -n; ls /proc/self/fd | wc -l')" \
        "$(sh -c 'ulimit -n; ls /proc/self/fd | wc -l')"
    # shellcheck disable=SC2016
    "$PORTWITNESS" reserve -- sh -c 'trap "echo got it; exit 3" USR1; echo ready; for i in $(seq 100); do sleep 0.05; done' \
        >said &
    local reserver=$! status=0
    wait_for grep -q ready said
    kill -USR1 $reserver
    wait $reserver || status=$?
    assert_equal "$status" 3
    grep -q 'got it' said
}

@test "servers as people write them bind and listen over it: asyncio, http.server, Node, a static one" {
    cat >asyncio_server.py <<'END'
import asyncio, socket, sys
async def main():
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", int(sys.argv[1]))
    socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
    server.close()
asyncio.run(main())
END
    reserve -- "$python" asyncio_server.py '{1}'
    reserve -- "$python" -c 'import http.server, sys
http.server.HTTPServer(("", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)' '{1}'
    cat >server.js <<'END'
const net = require('net');
const server = net.createServer().listen(Number(process.argv[2]), () => {
  net.connect(Number(process.argv[2]), '127.0.0.1', () => process.exit(0));
});
END
    reserve -- node server.js '{1}'
    run -0 reserve -n 3 -- "$build/tests/guests/bind_over.static" '{1}' '{2}' '{3}'
    assert_equal "$output" "lost 0 of 3"
}

@test "no port-0 request gets a reserved port, and no bind without SO_REUSEADDR" {
    cat >others.py <<'END'
import errno, socket, sys
reserved = set(map(int, sys.argv[1:]))
open("/proc/sys/net/ipv4/ip_local_port_range", "w").write("%d %d" % (min(reserved), max(reserved)))
held = []
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"),
                        (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    for reuse in (0, 1):
        for _ in range(8):
            one = socket.socket(family)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
            try:
                one.bind((address, 0))
            except OSError as problem:
                assert problem.errno == errno.EADDRINUSE
                continue
            assert one.getsockname()[1] not in reserved
            held.append(one)
    for port in reserved:
        try:
            socket.socket(family).bind((address, port))
            sys.exit("bound without SO_REUSEADDR")
        except OSError as problem:
            assert problem.errno == errno.EADDRINUSE
# A connect shares ports that connections alone use, and no others.
server = socket.socket()
server.bind(("127.0.0.1", 9999)); server.listen(64)
for _ in range(64):
    client = socket.socket()
    try:
        client.connect(("127.0.0.1", 9999))
    except OSError as problem:
        assert problem.errno == errno.EADDRNOTAVAIL
        continue
    assert client.getsockname()[1] not in reserved
    held.append(client)
print("kept")
END
    # shellcheck disable=SC2016
    run --separate-stderr unshare --net sh -c 'ip link set lo up && exec "$@"' - \
        "$PORTWITNESS" reserve -n 8 -- "$python" others.py '{1}' '{2}' '{3}' '{4}' '{5}' '{6}' '{7}' '{8}'
    assert_equal "$output" kept
}

@test "beside 64 others all reserved numbers are kept, where probing loses some in the same run" {
    # shellcheck disable=SC2016
    cat >users <<'END'
ip link set lo up
echo "20000 22047" >/proc/sys/net/ipv4/ip_local_port_range
"$probe_users" 64 600 >probed &
for user in $(seq 64); do
    (for round in $(seq "$RESERVE_ROUNDS"); do
        "$PORTWITNESS" reserve -n 10 -- "$bind_over" $(seq -f '{%g}' 10)
    done >"reserved.$user" 2>&1) &
done
wait
END
    export PORTWITNESS probe_users=$build/tests/guests/probe_users
    export bind_over=$build/tests/guests/bind_over.static
    unshare --net bash users
    assert_equal "$(cat reserved.* | sort | uniq -c | sed 's/^ *//')" "$((64 * RESERVE_ROUNDS)) lost 0 of 10"
    echo "# reserved: lost 0 of $((640 * RESERVE_ROUNDS)); probed: $(cat probed)" >&3
    [ "$(sed 's/lost \([0-9]*\) of.*/\1/' probed)" -ge 1 ]
}

@test "it cannot serve a server without SO_REUSEADDR: that is refused, with the reason" {
    run -1 reserve -- "$python" -c 'import socketserver, sys
socketserver.TCPServer(("127.0.0.1", int(sys.argv[1])), None)' '{1}'
    assert_matches "$output" "OSError: .*Address already in use"
    assert_matches "$output" "portwitness reserve: port [0-9]+: python3 \(process [0-9]+\) was refused, since it does not set SO_REUSEADDR"
    # shellcheck disable=SC2016 # Perl's
    run reserve -- perl -e 'use IO::Socket::INET;
        IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => $ARGV[0]) or exit 9' '{1}'
    assert_equal "$status" 9
    assert_matches "$output" "perl \(process [0-9]+\) was refused, since it does not set SO_REUSEADDR"
    # With the option the same works, and nothing is said.
    # shellcheck disable=SC2016
    run -0 reserve -- perl -e 'use IO::Socket::INET; IO::Socket::INET->new(Listen => 1, ReuseAddr => 1,
        LocalAddr => "127.0.0.1", LocalPort => $ARGV[0]) or exit 9' '{1}'
    assert_equal "$output" ""
}

@test "it cannot keep UDP: whoever binds the number over UDP is reported" {
    run -0 reserve -- "$python" -c 'import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(("127.0.0.1", int(sys.argv[1])))' '{1}'
    assert_matches "$output" "^portwitness reserve: port [0-9]+: python3 \(process [0-9]+\) bound it over UDP; what is reserved is the TCP port alone$"
}

@test "it cannot keep off a stranger with SO_REUSEADDR who wants that very number: who it was is reported" {
    cat >stranger.py <<'END'
import os, socket, time
while not os.path.exists("number"):
    time.sleep(0.01)
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(open("number").read())))
s.listen()
open("taken", "w").close()
time.sleep(60)
END
    cat >server.py <<'END'
import os, socket, sys, time
open("number.new", "w").write(sys.argv[1])
os.rename("number.new", "number")
while not os.path.exists("taken"):
    time.sleep(0.01)
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
END
    "$python" stranger.py &
    local stranger=$!
    run reserve -- "$python" server.py '{1}'
    kill $stranger
    assert_equal "$status" 1
    assert_matches "$output" "python3 \(process [0-9]+\) was refused; process $stranger \([^)]*stranger.py\) has taken that very number, with SO_REUSEADDR"
}

@test "where a program cannot be seen and fails, that is said, and nothing hangs" {
    cat >plain.c <<'END'
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
int main(int argc, char **argv) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1]))};
    return bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof a) != 0;
}
END
    gcc -w -static -o plain plain.c
    # It is seen all the same, by whichever means there are.
    run -1 reserve -- ./plain '{1}'
    assert_matches "$output" "^portwitness reserve: port [0-9]+: plain \(process [0-9]+\) was refused, since it does not set"
    # A setuid program is not, where there is no eBPF.
    [ "$(id -u)" -eq 0 ] || skip 'a program of another user needs root'
    chown daemon plain
    chmod u+s plain
    run -1 setpriv --bounding-set=-bpf,-sys_admin "$PORTWITNESS" reserve -- ./plain '{1}'
    assert_matches "$output" "^portwitness reserve: the command failed, and not all of its programs could be seen"
}

@test "inside a recorded run it makes no trace of its own" {
    "$PORTWITNESS" run -q -o t.trace -- "$PORTWITNESS" reserve -- "$python" -c 'import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(); print(sys.argv[1])' '{1}' >port
    run -0 --separate-stderr "$PORTWITNESS" ports --port "$(cat port)" --json t.trace
    assert_equal "$(jq -r .comm <<<"$output" | sort | tr '\n' ' ')" "portwitness python3 "
}

@test "wrong usage is named, with the help, and status 2" {
    local arguments
    for arguments in '-n 0 true' '-n 1001 true' '-n x true' '--number= true' '-n' '-x true' \
        '--nothing true' '' '--'; do
        # shellcheck disable=SC2086 # several words
        run -2 "$PORTWITNESS" reserve $arguments
        assert_complaint reserve "${lines[@]}"
    done
    run -0 reserve --help
    assert_matches "$output" 'Usage: portwitness reserve'
}

@test "too many ports for the range are said, with status 125, and none is kept" {
    # shellcheck disable=SC2016
    run -125 unshare --net sh -c 'ip link set lo up
        echo 20000 20003 >/proc/sys/net/ipv4/ip_local_port_range; exec "$@"' - \
        "$PORTWITNESS" reserve -n 5 -- true
    assert_matches "$output" "portwitness reserve: cannot get 5 ports: Address already in use"
}

@test "where there is no IPv6 it reserves for IPv4" {
    cat >no_v6.c <<'END'
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
int socket(int domain, int type, int protocol) {
    if (domain == AF_INET6)
        return errno = EAFNOSUPPORT, -1;
    return ((int (*)(int, int, int))dlsym((void *)-1L, "socket"))(domain, type, protocol);
}
END
    gcc -w -shared -fPIC -o no_v6.so no_v6.c -ldl
    # shellcheck disable=SC2016 # for the shell below
    LD_PRELOAD=$PWD/no_v6.so reserve -n 2 -- sh -c 'unset LD_PRELOAD
        grep -ci " 00000000:$(printf %04X "$1") .* 07 " /proc/net/tcp; exec "$3" "$1" "$2"' - \
        '{1}' '{2}' "$build/tests/guests/bind_over.static" >said || cat said
    grep -qx 'lost 0 of 2' said
}
