# What came of a refusal decides how severe it is, and who has the port what is to be done.

# shellcheck disable=SC2154,SC2016 # variables of common.bash and check.bash; other shells'
bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load check
    check_setup
    cat >server.py <<'END'
import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(s.getsockname()[1], flush=True)
sys.stdin.readline()
END
}

@test "a program that is started again until it gets its port has coped" {
    cat >again.sh <<'END'
mkfifo in; exec 3<>in
"$1" server.py 21450 <&3 >port & first=$!
until [ -s port ]; do sleep 0.01; done
"$1" -u server.py 21450 </dev/null >got 2>/dev/null
kill $first
wait $first
[ -z "$2" ] || exit 1
"$1" -u server.py 21450 </dev/null >got 2>/dev/null
END
    local lo=(timeout 30 unshare -rn sh -c 'ip link set lo up; exec "$@"' -)
    "${lo[@]}" "$PORTWITNESS" run --quiet -o t -- bash again.sh "$python" ''
    assert_equal "$(kinds)" 'address-in-use note certain'
    rm -f t port in
    run "${lo[@]}" "$PORTWITNESS" run --quiet -o t -- bash again.sh "$python" fails
    assert_equal "$(kinds)" 'address-in-use error certain' # it never got the port, and the command failed
}

@test "a range of numbers of which all are taken is one error" {
    cat >range.py <<'END'
import socket, sys
def bind(port):
    s = socket.socket(); s.bind(("127.0.0.1", port)); return s
low = 21500
held = [bind(low + i) for i in range(5)] if sys.argv[1:] == ["hold"] else []
if held:
    import subprocess
    sys.exit(subprocess.call([sys.executable, "range.py"]))
for port in range(low, low + 5):
    try:
        bind(port); break
    except OSError:
        pass
else:
    sys.exit(3)
END
    run unshare -rn sh -c 'ip link set lo up; exec "$@"' - "$PORTWITNESS" run --quiet -o t -- "$python" range.py hold
    assert_equal "$(kinds | sort | uniq -c | tr -s ' ')" ' 1 address-in-use error certain
 4 address-in-use note certain'
}

@test "who names the number of its own connection's source port has not coped" {
    cat >source.py <<'END'
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
socket.create_server(client.getsockname())
END
    run record "$python" source.py
    assert_equal "$(kinds)" 'address-in-use error certain'
    assert_equal "$(found '.[0] | "\(.cause) \(.holder.how)"')" 'connection-source-port connection'
}

@test "a port that is bound again while a child has inherited the listener: the child is the holder" {
    cat >leak.py <<'END'
import os, socket
server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]
over, is_over = os.pipe()
if os.fork() == 0:
    os.close(is_over)
    os.read(over, 1)
    os._exit(0)
server.close()
socket.create_server(("127.0.0.1", port))
END
    run record "$python" leak.py
    assert_equal "$(kinds)" 'address-in-use error certain'
    assert_equal "$(found '.[0] | "\(.cause) \(.holder.how) \(.holder.pid != .subject.pid)"')" \
        'inherited-descriptor inherited true'
}

@test "a number that is given twice in a row to one who picks several: an error, and certain" {
    cat >twice.py <<'END'
import socket
def free():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0)); return s.getsockname()[1]
kept = [socket.create_server(("127.0.0.1", port)) for port in [free(), free()]]
END
    rm -f t
    run one_port 20000 "$PORTWITNESS" run --quiet -o t -- "$python" twice.py
    assert_equal "$(kinds)" 'lost-race error certain
race-window hazard certain'
    assert_equal "$(found '.[0].cause')" duplicate-pick
}

@test "a wildcard and an address that share a port by SO_REUSEPORT" {
    cat >share.py <<'END'
import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind((sys.argv[1], int(sys.argv[2]))); s.listen()
print(s.getsockname()[1], flush=True)
sys.stdin.readline()
END
    cat >share.sh <<'END'
mkfifo in; exec 3<>in
"$1" share.py 0.0.0.0 0 <&3 >port &
until [ -s port ]; do sleep 0.01; done
"$1" share.py "$2" "$(cat port)" </dev/null >got
echo >&3; wait
END
    record sh share.sh "$python" 127.0.0.1
    assert_equal "$(kinds)" 'shared-port hazard possible'
    assert_equal "$(found '.[0].cause')" reuseport
}
