# `portwitness run --policy keep`: a number that was read belongs to the run until somebody in it binds the
# number, or for so many seconds; and nothing else changes that a program can see.

# shellcheck disable=SC2154,SC2034 # set by bats, common.bash or keep.bash; for keep.bash
bats_require_minimum_version 1.5.0
load ../common
load keep

setup() {
    keep_setup
    stranger=("$python" "$guests/stranger.py")
}

@test "a number is kept from strangers until it is bound by number; then nothing is kept any more" {
    beside=("${stranger[@]}")
    under keep "$python" - <<'GUEST' >said
from ports import ask_stranger, pick, serve
port = pick()
print("stranger", ask_stranger("bind", port))
serve(port)
print("stranger", ask_stranger("bind", port))
GUEST
    assert_equal "$(cat said)" $'stranger EADDRINUSE\nstranger ok'
    summary_says '1 port kept, 1 of them bound by number'
}

@test "a picker that tries its number by a bind and closes it, as portpicker does, ends the keeping" {
    beside=("${stranger[@]}")
    under keep "$python" - <<'GUEST' >said
import socket
from ports import ask_stranger, pick
port = pick("0.0.0.0")
print("picked", ask_stranger("bind", port))
with socket.socket() as probe:
    probe.bind(("", port))
print("tried", ask_stranger("bind", port))
GUEST
    assert_equal "$(cat said)" $'picked EADDRINUSE\ntried ok'
}

@test "numbers of all addresses are kept, and another program binds them" {
    under keep "$python" - <<'GUEST' >said
import subprocess, sys
from ports import pick
ports = [pick(host) for _ in range(10) for host in ("127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::")]
subprocess.run([sys.executable, "-c", """
import socket, sys
for port in sys.argv[1:]:
    one = socket.socket(socket.AF_INET6)
    one.bind(("::", int(port)))
    one.listen()
print("bound", len(sys.argv) - 1)
""", *map(str, sorted(set(ports)))], check=True)
GUEST
    assert_matches "$(cat said)" '^bound [0-9]+$'
    assert_equal "$(counted kept_bound)" "$(counted kept)"
}

@test "nobody answers at a number that is kept: a connect is refused, and so is what is sent" {
    under keep "$python" - <<'GUEST' >said
import socket, time
from ports import answer, pick
for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
    print(host, "connect", answer(socket.socket(family).connect, (host, pick(host))))
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.connect((host, pick(host, socket.SOCK_DGRAM)))
        client.settimeout(60)
        print(host, "send", answer(client.send, b"x"), "receive", answer(client.recv, 1))
GUEST
    assert_equal "$(cat said)" '127.0.0.1 connect ECONNREFUSED
127.0.0.1 send ok receive ECONNREFUSED
::1 connect ECONNREFUSED
::1 send ok receive ECONNREFUSED'
    summary_says '4 ports kept'
}

@test "a connection whose number is read is not kept: its port is its listener's" {
    beside=("${stranger[@]}")
    namespace_of '40000 40007'
    under keep "$python" - <<'GUEST' >said
import os, socket, subprocess, sys
from ports import ask_stranger
listener = socket.create_server(("127.0.0.1", 20000))
clients = [socket.create_connection(("127.0.0.1", 20000)) for _ in range(2)]
# Python reads the number of each that it accepts, as does the program that gets one by exec.
accepted = [listener.accept()[0] for _ in clients]
listener.close()
accepted[0].getsockname()
subprocess.run([sys.executable, "-c", "import socket; socket.socket(fileno=0).getsockname()"],
               stdin=accepted[1], check=True)
# The clients close first: no connection is left at this end.
for one in clients:
    one.close()
for one in accepted:
    assert one.recv(1) == b""
    one.close()
print(ask_stranger("bind", 20000))
GUEST
    assert_equal "$(cat said)" ok
    summary_says '0 ports kept'
}

@test "a number that nobody binds is released after SECONDS" {
    beside=("${stranger[@]}")
    under keep:1 "$python" - <<'GUEST' >said
import time
from ports import ask_stranger, pick
port = pick()
end = time.monotonic() + 60
while (answer := ask_stranger("bind", port)) != "ok" and time.monotonic() < end:
    time.sleep(0.05)
print(answer)
GUEST
    assert_equal "$(cat said)" ok
    summary_says '1 port kept, 1 released, as nobody bound it in time'
}

@test "SO_REUSEADDR reads as the program has set it" {
    under keep "$python" - <<'GUEST' >said
import socket
from ports import answer, pick
def reuse(one):
    return one.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
for on in 0, 1:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::")):
        for number in (0, pick(host)):
            one = socket.socket(family)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, on)
            one.bind((host, number)); seen = [reuse(one)]
            one.getsockname(); seen.append(reuse(one))
            one.listen(); seen.append(reuse(one))
            one.getsockname(); seen.append(reuse(one))
            one.listen(); seen.append(reuse(one))
            print(on, *seen)
        direct = socket.socket(family)
        direct.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, on)
        direct.listen()
        print(on, reuse(direct))
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, on)
    one.bind(("127.0.0.1", pick(kind=socket.SOCK_DGRAM)))
    print(on, reuse(one))
GUEST
    assert_equal "$(wc -l <said)" 14
    assert_equal "$(awk '{ for (i = 2; i <= NF; i++) if ($i != $1) print }' said)" ''
    assert_equal "$(counted kept_bound)" 6
}

@test "a bind by number that somebody else is in the way of is refused, and the number stays kept" {
    beside=("${stranger[@]}")
    under keep "$python" - <<'GUEST' >said
import socket
from ports import answer, ask_stranger
first = socket.socket()
first.bind(("127.0.0.1", 0))
port = first.getsockname()[1]
for host in ("127.0.0.1", "0.0.0.0"):
    print(host, answer(socket.socket().bind, (host, port)))
first.listen()
print("beside a listener", answer(socket.socket().bind, ("127.0.0.1", port)))
first.close()
print("stranger", ask_stranger("bind", port))
print("then", answer(socket.socket().bind, ("127.0.0.1", port)))
GUEST
    assert_equal "$(cat said)" '127.0.0.1 EADDRINUSE
0.0.0.0 EADDRINUSE
beside a listener EADDRINUSE
stranger EADDRINUSE
then ok'
    summary_says '1 port kept, 1 of them bound by number'
}

# Of each kind: the first socket's options, and those of who is too early.
@test "... and so it does where the one that is refused may share its port" {
    beside=("${stranger[@]}")
    under keep "$python" - <<'GUEST' >said
import socket
from ports import answer, ask_stranger
def made(kind, *options):
    one = socket.socket(socket.AF_INET, kind)
    for option in options:
        one.setsockopt(socket.SOL_SOCKET, option, 1)
    return one
ADDRESS, PORT = socket.SO_REUSEADDR, socket.SO_REUSEPORT
for kind, early in ((socket.SOCK_STREAM, PORT), (socket.SOCK_STREAM, ADDRESS), (socket.SOCK_DGRAM, ADDRESS)):
    first = made(kind)
    first.bind(("127.0.0.1", 0))
    port = first.getsockname()[1]
    print(answer(made(kind, early).bind, ("127.0.0.1", port)), end=" ")
    first.close()
    if kind == socket.SOCK_STREAM:
        print(ask_stranger("bind", port), end=" ")
    print(answer(made(kind).bind, ("127.0.0.1", port)))
GUEST
    assert_equal "$(cat said)" 'EADDRINUSE EADDRINUSE ok
EADDRINUSE EADDRINUSE ok
EADDRINUSE ok'
    summary_says '3 ports kept, 3 of them bound by number'
}

@test "... and where it has no descriptor left" {
    beside=("${stranger[@]}")
    under keep "$python" - <<'GUEST' >said
import os, resource, socket
from ports import answer, ask_stranger
first, early, late = socket.socket(), socket.socket(), socket.socket()
first.bind(("127.0.0.1", 0))
port = first.getsockname()[1]
before = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (late.fileno() + 1, before[1]))
print(answer(early.bind, ("127.0.0.1", port)))
resource.setrlimit(resource.RLIMIT_NOFILE, before)
first.close()
print(ask_stranger("bind", port))
print(answer(late.bind, ("127.0.0.1", port)))
GUEST
    assert_equal "$(cat said)" 'EADDRINUSE
EADDRINUSE
ok'
    summary_says '1 port kept, 1 of them bound by number'
}

# Raw system calls are seen by eBPF alone. The first try is refused, and the next one is not.
# A number on one interface is another matter than on the other, also for a socket that is bound to none before.
@test "a record of the bind that got a kept number says so, and no other does" {
    under keep "$python" - <<'GUEST' >said
from ports import pick
import socket
port = pick()
held = socket.socket()
held.bind(("127.0.0.1", port))
other = socket.socket()
other.bind(("127.0.0.1", 20000))
print(port)
GUEST
    "$PORTWITNESS" export --format jsonl t.trace >records
    assert_equal "$(jq -r 'select(.kind == "bind") | "\(.requested.port) \(.flags | index("policy-kept") != null)"' \
        records)" "0 false
$(cat said) true
20000 false"
}

@test "check says of a race window that keep closed that it is one without the policy, in every form" {
    # Of three races alike the last takes longer than the number is kept.
    under keep:1 "$python" - <<'GUEST'
import socket, time
from ports import pick
for wait in 0, 0, 1.3:
    port = pick()
    time.sleep(wait)
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
GUEST
    local form title='race-window: (without --policy keep )?anybody could have taken a port'
    for form in '' --verbose --all; do
        # shellcheck disable=SC2086 # none or one
        run -0 "$PORTWITNESS" check $form t.trace
        grep -oE "$title|in which .* (it|run)$|^And [0-9]+ more|^SUMMARY.*race-window" <<<"$output" >said
        [ "$form" != --all ] || sort said | uniq -c | sed 's/^ *//' >counted
        [ "$form" = --all ] || assert_equal "$(cat said)" 'race-window: without --policy keep anybody could have taken a port
in which --policy keep held it for the run
SUMMARY: portwitness: race-window
And 1 more
race-window: anybody could have taken a port
in which anybody could have it
SUMMARY: portwitness: race-window'
    done
    assert_equal "$(cat counted)" '3 SUMMARY: portwitness: race-window
2 in which --policy keep held it for the run
1 in which anybody could have it
1 race-window: anybody could have taken a port
2 race-window: without --policy keep anybody could have taken a port'
}

# taken_by_stranger POLICY: whether a stranger that takes all that it is given was given the number.
taken_by_stranger() {
    under "$1" "$python" - <<'GUEST'
import socket
from ports import answer, ask_stranger, pick
port = pick()
taken = ask_stranger("all").split()
print("taken" if str(port) in taken else "not taken", len(taken), end=" ")
print(answer(socket.socket().bind, ("127.0.0.1", port)))
GUEST
}

@test "a stranger that takes every port it is given does not get the number; under kernel it does" {
    beside=("${stranger[@]}")
    namespace_of '40000 40007'
    assert_equal "$(taken_by_stranger keep)" 'not taken 7 ok'
    assert_equal "$(taken_by_stranger kernel)" 'taken 8 EADDRINUSE'
}

@test "keep beside a range: ports of that range, which are kept as others are" {
    local range
    beside=("${stranger[@]}")
    # Of the kernel's own range, and of another one, where they are bound by number.
    for range in 40000-40015 20000-20015; do
        under "keep,range:$range" "$python" - "${range%-*}" <<'GUEST' >said
import socket, sys
from ports import ask_stranger, pick, serve
def pick_by_listen():
    with socket.socket() as one:
        one.listen()
        return one.getsockname()[1]
low = int(sys.argv[1])
ports = [pick(), pick_by_listen()]
for port in ports:
    print(low <= port <= low + 15, ask_stranger("bind", port))
    listener = socket.create_server(("0.0.0.0", port))
named = next(port for port in range(low, low + 16) if port not in ports)
with socket.socket() as one:
    one.bind(("127.0.0.1", named))
    one.getsockname()
print("named", ask_stranger("bind", named))
GUEST
        assert_equal "$(cat said)" $'True EADDRINUSE\nTrue EADDRINUSE\nnamed ok'
        assert_equal "$(counted kept) $(counted kept_bound) $(counted chosen)" '2 2 2'
        assert_matches "$(cat summary)" "policy keep:30,range:$range: 2 ports kept, 2 of them bound by number, 2 ports chosen"
    done
}

@test "a number that is kept at one address is in nobody's way at another" {
    # The number is given again, for ::1: a connection there is in no bind's way but that of ::.
    namespace_of '40000 40063'
    under keep "$python" - <<'GUEST' >said
import socket
from ports import answer, pick
port = pick()
listener = socket.socket(socket.AF_INET6)
listener.bind(("::1", port))
listener.listen()
client = socket.create_connection(("::1", port))
accepted, _ = listener.accept()
listener.close()
print(answer(socket.socket().bind, ("0.0.0.0", port)))
GUEST
    assert_equal "$(cat said)" ok
    assert_equal "$(counted kept_bound)" 1
}

@test "the policy stands in the summary, in ports and in check, and its seconds are 30 unless told" {
    under keep true
    assert_matches "$(cat summary)" 'portwitness: policy keep:30: 0 ports kept'
    under keep:7 "$python" -c 'from ports import pick; pick()'
    assert_matches "$(cat summary)" 'portwitness: policy keep:7: 1 port kept'
    run -0 "$PORTWITNESS" ports t.trace
    assert_matches "$output" 't.trace: policy keep:7: 1 port kept'
    run -0 "$PORTWITNESS" check --json t.trace
    assert_equal "$(jq -r '.policies[0] | "\(.policy) \(.kept) \(.kept_bound) \(.seed)"' <<<"$output")" \
        'keep:7 1 0 null'
}

@test "an invalid value gives one line that names it, and status 2; so does keep for storm" {
    local value
    for value in keep:0 keep: keep:x keep:-1 keep:86401 keep:1.5 keep,soonest keep,keep keep,range: kee keeps; do
        run -2 "$PORTWITNESS" run --policy "$value" -- touch started
        assert_equal "${#lines[@]}" 1
        assert_matches "$output" "^portwitness run: invalid argument '$value' for '--policy': "
    done
    [ ! -e started ]
    run -2 "$PORTWITNESS" storm --policy keep
    assert_equal "${#lines[@]}" 1
    assert_matches "$output" "^portwitness storm: invalid argument 'keep' for '--policy': "
    run -2 "$PORTWITNESS" storm --policy keep:5,range:40000-40999
    assert_equal "${#lines[@]}" 1
}
