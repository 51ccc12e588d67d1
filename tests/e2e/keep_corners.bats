# `run --policy keep` at its edges: datagrams, jumps, filters, interfaces, programs that it does not reach.

# shellcheck disable=SC2154,SC2034 # set by bats, common.bash or keep.bash; for keep.bash
bats_require_minimum_version 1.5.0
load ../common
load keep

setup() {
    keep_setup
    stranger=("$python" "$guests/stranger.py")
}

@test "no datagram is lost while a UDP port is kept, on one address or on every" {
    under keep "$python" - <<'GUEST' >said
import socket, threading
server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
server.bind(("::", 0))
def echo():
    while True:
        data, sender = server.recvfrom(8)
        for _ in range(int(data)):
            server.sendto(b"x", sender)
threading.Thread(target=echo, daemon=True).start()
port = server.getsockname()[1]
lost = 0
for number in range(600):
    family, host, to = ((socket.AF_INET, "127.0.0.1", "127.0.0.1"), (socket.AF_INET, "0.0.0.0", "127.0.0.1"),
                        (socket.AF_INET6, "::1", "::1"), (socket.AF_INET6, "::", "::1"))[number % 4]
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.bind((host, 0))
        client.settimeout(5)
        client.sendto(b"30", (to, port))
        client.getsockname()
        try:
            for _ in range(30):
                client.recv(8)
        except socket.timeout:
            lost += 1
print("lost", lost)
GUEST
    assert_equal "$(cat said)" 'lost 0'
    [ "$(counted kept)" -ge 500 ] # one address at a number is kept
}

@test "SO_REUSEADDR stays the program's where a handler jumps out of the call, or a thread sets it meanwhile" {
    local how
    for how in '' listen; do
        # shellcheck disable=SC2086 # no argument, or one
        under keep "$root/build/tests/guests/keep_left" 2000 $how >said
        assert_equal "$(cat said)" 'left some, on 0'
    done
    under keep "$python" - <<'GUEST' >said
import socket, threading
ready = threading.Barrier(2)
made = [None]
def set_meanwhile():
    for _ in range(300):
        ready.wait()
        made[0].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ready.wait()
threading.Thread(target=set_meanwhile, daemon=True).start()
off = 0
for _ in range(300):
    made[0] = socket.socket()
    made[0].bind(("127.0.0.1", 0))
    ready.wait()
    made[0].getsockname()
    ready.wait()
    off += made[0].getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 0
    made[0].close()
print("off", off)
GUEST
    assert_equal "$(cat said)" 'off 0'
}

@test "a program that keep does not reach is refused once, which is counted, and the port released" {
    [ -w /sys/fs/cgroup ] || skip 'eBPF needs a cgroup2 that may be written'
    under keep "$python" - "$root/build/tests/guests/raw_bind" <<'GUEST' >said
import subprocess, sys, time
from ports import pick
port = pick()
for _ in range(100):
    said = subprocess.run([sys.argv[1], str(port)], stdout=subprocess.PIPE, text=True, check=True).stdout
    print(said, end="")
    if said == "ok\n":
        break
    time.sleep(0.05)
GUEST
    assert_equal "$(head -n 1 said)" EADDRINUSE
    assert_equal "$(tail -n 1 said)" ok
    assert_equal "$(counted kept_refused)" 1
    assert_matches "$(cat summary)" '1 refused to a program that it does not reach, then released'
}

@test "a number that is read again when its time is over is kept again" {
    beside=("${stranger[@]}")
    under keep:1 "$python" - <<'GUEST' >said
import socket, time
from ports import ask_stranger
one = socket.socket()
one.bind(("127.0.0.1", 0))
port = one.getsockname()[1]
time.sleep(1.3)
one.getsockname()
one.close()
print(ask_stranger("bind", port))
GUEST
    assert_equal "$(cat said)" EADDRINUSE
    assert_equal "$(counted kept)" 2
}

@test "more sockets than may be kept do not push each other out each time that they are read" {
    namespace_of '40000 40063'
    under keep "$python" - <<'GUEST'
import socket
held = [socket.socket() for _ in range(20)]
for one in held:
    one.bind(("127.0.0.1", 0))
for _ in range(10):
    for one in held:
        one.getsockname()
GUEST
    [ "$(counted kept)" -le 24 ]
    [ "$(counted kept_given_up)" -le 8 ]
}

@test "at a link-local address only who is on the same interface is in the way" {
    beside=(sh -c 'ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up &&
        ip addr add fe80::1/64 dev v0 nodad && ip addr add fe80::1/64 dev v1 nodad && exec "$@"' sh)
    "${in_range[@]}" "${beside[@]}" true || skip 'no veth devices'
    under keep "$python" - <<'GUEST' >said
import socket
from ports import answer
def six(option=None):
    one = socket.socket(socket.AF_INET6)
    if option:
        one.setsockopt(socket.SOL_SOCKET, option, 1)
    return one
def at(device, port):
    return ("fe80::1", port, 0, socket.if_nametoindex(device))
picked = six()
picked.bind(at("v1", 0))
port = picked.getsockname()[1]
picked.close()
listener = six()
print(answer(listener.bind, at("v0", port)), answer(listener.listen))
print(answer(six().bind, at("v1", port)))
first = six(socket.SO_REUSEADDR)
first.bind(at("v0", 0))
port = first.getsockname()[1]
other = six()
other.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
print(answer(other.bind, at("v0", port)), answer(first.listen))
GUEST
    assert_equal "$(cat said)" 'ok ok
ok
EADDRINUSE ok'
}

@test "what a program that put a filter on itself picks is not kept, which is counted" {
    under keep "$python" - <<'GUEST'
import ctypes, socket
from ports import pick
class Filter(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(Filter))]
allow = Filter(6, 0, 0, 0x7fff0000)
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(1, ctypes.pointer(allow))), 0, 0) == 0
pick()
GUEST
    summary_says '0 ports kept, 1 not kept'
}
