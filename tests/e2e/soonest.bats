# `portwitness run --policy soonest`: whoever binds a released port by number loses it to whoever asks
# for any, however the port was released, and nobody waits for longer than that takes.

# shellcheck disable=SC2154,SC2034 # set by bats or by common.bash; for policies.bash
bats_require_minimum_version 1.5.0
load ../common
load policies

setup() {
    policies_setup
    ways=$build/tests/guests/release_ways
}

# The rebinding program beside one that asks for ports with these arguments.
rebind_beside() {
    local policy=$1 times=$2
    shift 2
    # shellcheck disable=SC2016 # for the shell below
    under "$policy" sh -c '"$1" "$2/ask.py" 60 $4 & asker=$!; until [ -e asking ]; do sleep 0.05; done
        "$1" "$2/rebind.py" "$3"; kill $asker; wait $asker 2>/dev/null || :' - \
        "$python" "$guests" "$times" "$*"
}

# all_lost TIMES COMMAND...: it prints that all of them were lost. A machine that stalls for longer than
# a bind waits may save one: then once more, and where many bind at once, which stalls it by itself, more
# often. Without the policy hardly any is lost.
all_lost() {
    local said tries=${tries-2} times=$1
    shift
    for ((try = 0; try < tries; try++)); do
        said=$("$@")
        [ "$said" != "lost $times of $times" ] || return 0
    done
    assert_equal "$*: $said" "$*: lost $times of $times"
}

@test "whoever releases a port and binds it again loses it each time" {
    all_lost "$REBOUND_PORTS" rebind_beside soonest "$REBOUND_PORTS"
    all_lost "$REBOUND_PORTS" rebind_beside soonest "$REBOUND_PORTS" 0.01
    all_lost "$REBOUND_PORTS" rebind_beside soonest "$REBOUND_PORTS" 0.02 read
    [ "$(counted waited)" -ge 1 ] # of the others the port was held when the bind began
}

@test "kernel: the same shows it in fewer than 1 of 100" {
    assert_equal "$(rebind_beside kernel 100)" "lost 0 of 100"
}

@test "the finding names both sides, and that a policy chose" {
    rebind_beside soonest 1 0.01 >/dev/null
    run -1 "$PORTWITNESS" check t.trace
    assert_matches "$output" 'lost-race: a race for a port was lost'
    assert_matches "$output" "
  bind to tcp 127.0.0.1:[0-9]+ failed with EADDRINUSE.*
    by [0-9]+ [^(]*rebind.py 1"
    assert_matches "$output" "Taken by [0-9]+ [^(]*ask.py 60 0.01"
    assert_matches "$output" 'portwitness: policy soonest: [0-9]+ ports chosen'
}

@test "the loser may be another process than the one that released it" {
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

@test "a process that is killed releases its port too" {
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

@test "beside a thread that asks, every port is lost, in whatever way it was released" {
    local way
    for way in close close-range closefrom dup2 fclose shutdown udp-close udp-dup2; do
        all_lost 50 under soonest "$ways" threads "$way" 50
    done
    assert_equal "$("$ways" threads close 50)" 'lost 0 of 50'
}

@test "beside a process that asks, every port is lost that another process picked" {
    local way
    cat >several.sh <<'END'
protocol=tcp
case $2 in udp-*) protocol=udp ;; esac
"$1" ask $protocol 5 & asker=$!
sleep 0.1
lost=0
for turn in $(seq "$3"); do
    port=$("$1" pick "$2")
    "$1" bind $protocol "$port" || lost=$((lost + 1))
done
kill $asker
echo "lost $lost of $3"
END
    for way in kill exec close _exit udp-kill exit close-range shutdown; do
        [ -n "${TESTS_FULL-}" ] || [[ $way =~ ^(kill|exec|close|udp-kill)$ ]] || continue
        all_lost "$PICKED_ROUNDS" under soonest bash several.sh "$ways" "$way" "$PICKED_ROUNDS" 2>/dev/null
    done
}

@test "it is lost too where each request comes from another thread, and where many bind at once" {
    cat >fresh.py <<'END'
import socket, threading, time
def bound(port=0):
    s = socket.socket(); s.bind(("127.0.0.1", port)); return s
def apart(work, *arguments):
    thread = threading.Thread(target=work, args=arguments); thread.start(); return thread
def ask(pause):
    time.sleep(pause); s = bound(); time.sleep(0.001); s.close()
ports, lost = [], 0
def pick():
    s = bound(); ports.append(s.getsockname()[1]); s.close()
for _ in range(50):
    apart(ask, 0).join()
    apart(pick).join()
    late = apart(ask, 0.01)
    try: bound(ports[-1]).close()
    except OSError: lost += 1
    late.join()
print(f"lost {lost} of 50")
END
    cat >many.py <<'END'
import socket, threading, time
def bound(port=0):
    s = socket.socket(); s.bind(("127.0.0.1", port)); return s
def ask():
    while True:
        s = bound(); time.sleep(0.001); s.close()
threading.Thread(target=ask, daemon=True).start()
picked = [bound() for _ in range(12)]
ports = [s.getsockname()[1] for s in picked]
for s in picked: s.close()
begin, lost, kept = threading.Barrier(len(ports)), [], []
def bind(port):
    begin.wait()
    try: kept.append(bound(port))
    except OSError: lost.append(port)
threads = [threading.Thread(target=bind, args=(port,)) for port in ports]
[t.start() for t in threads]; [t.join() for t in threads]
print(f"lost {len(lost)} of {len(ports)}")
END
    all_lost 50 under soonest "$python" fresh.py
    tries=5 all_lost 12 under soonest "$python" many.py
}

@test "one request between the release and the bind is enough" {
    cat >once.py <<'END'
import socket, threading, time
ask, asked = threading.Semaphore(0), threading.Semaphore(0)
def other():
    while True:
        ask.acquire()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
        asked.release()
threading.Thread(target=other, daemon=True).start()
ask.release(); asked.acquire()
lost = 0
for turn in range(50):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0)); port = s.getsockname()[1]
    ask.release()
    time.sleep(turn % 2 / 1000)
    with socket.socket() as s:
        try: s.bind(("127.0.0.1", port))
        except OSError: lost += 1
    asked.acquire()
print(f"lost {lost} of 50")
END
    all_lost 50 under soonest "$python" once.py
}

@test "a process that ends keeps the port that it took until the bind was refused" {
    cat >ends.py <<'END'
import os, socket
lost = 0
for turn in range(20):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0)); port = s.getsockname()[1]
    ready, is_ready = os.pipe()
    taker = os.fork()
    if taker == 0:
        s = socket.socket(); s.bind(("127.0.0.1", 0))
        os.write(is_ready, b".")
        os._exit(0) if turn % 2 else os.execv("/bin/true", ["true"])
    os.read(ready, 1) if turn % 4 < 2 else None
    with socket.socket() as s:
        try: s.bind(("127.0.0.1", port))
        except OSError: lost += 1
    os.waitpid(taker, 0)
    os.close(ready); os.close(is_ready)
print(f"lost {lost} of 20")
END
    # Three processes and `run`, which looks at each of them, take turns in it.
    tries=6 all_lost 20 under soonest "$python" ends.py
}

@test "who asks for an address that is in nobody's way takes nothing, and ends no wait" {
    cat >reach.py <<'END'
import socket, sys, threading, time
def bound(address, port=0):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.bind((address, port))
    return s
def ask():
    while True:
        s = bound(sys.argv[1]); time.sleep(0.001); s.close()
threading.Thread(target=ask, daemon=True).start()
time.sleep(0.05)
lost = 0
for _ in range(10):
    s = bound(sys.argv[2]); port = s.getsockname()[1]; s.close()
    try: bound(sys.argv[2], port).close()
    except OSError: lost += 1
print(f"lost {lost} of 10")
END
    local pair
    for pair in '0.0.0.0 127.0.0.1' '127.0.0.1 0.0.0.0' ':: 127.0.0.1' '127.0.0.1 ::' '::1 ::'; do
        # shellcheck disable=SC2086 # two words
        all_lost 10 under soonest "$python" reach.py $pair
    done
    for pair in '127.0.0.2 127.0.0.1' '::1 127.0.0.1'; do
        # shellcheck disable=SC2086 # two words
        assert_equal "$(under soonest "$python" reach.py $pair)" 'lost 0 of 10'
    done
}

@test "no time is spent where nobody else asks" {
    assert_equal "$(under soonest "$ways" alone close 200)" 'lost 0 of 200'
    assert_equal "$(counted waited)" 0
    assert_equal "$(counted waited_for_nobody_ns)" 0
    # Source ports, which nobody binds again, beside one that asks.
    # shellcheck disable=SC2016 # for the shell below
    under soonest sh -c '"$1" "$2/ask.py" 60 0.005 & asker=$!; until [ -e asking ]; do sleep 0.05; done
        "$1" -c "$3"; kill $asker; wait $asker 2>/dev/null || :' - "$python" "$guests" 'import socket
listener = socket.create_server(("127.0.0.1", 18431))
for kind in range(40):
    client = socket.create_connection(("127.0.0.1", 18431)); client.getsockname(); client.close()
    server, _ = listener.accept(); server.close()
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.sendto(b"x", ("127.0.0.1", 9)); sender.getsockname(); sender.close()'
    assert_equal "$(counted waited)" 0
}

@test "nobody waits for a port that is held: a test that expects to be refused goes on at once" {
    cat >held.py <<'END'
import socket, threading, time
def ask():
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0)); time.sleep(0.002)
threading.Thread(target=ask, daemon=True).start()
time.sleep(0.05)
held = socket.socket(); held.bind(("127.0.0.1", 0))
for _ in range(50):
    with socket.socket() as s:
        try: s.bind(held.getsockname()); print("bound")
        except OSError: pass
END
    assert_equal "$(under soonest "$python" held.py)" ''
    assert_equal "$(counted waited)" 0
}

@test "what is waited for nobody is at most two seconds of a run, and is reported" {
    cat >vain.py <<'END'
import os, socket, sys, threading
def ask():
    with socket.socket() as s: s.bind(("127.0.0.1", 0)); s.getsockname()
def use():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0)); port = s.getsockname()[1]
    for _ in range(2): # another thread asks, and never again
        thread = threading.Thread(target=ask); thread.start(); thread.join()
    with socket.socket() as s:
        try: s.bind(("127.0.0.1", port))
        except OSError: pass
for _ in range(10):
    if os.fork() == 0:
        for _ in range(5): use()
        os._exit(0)
    os.wait()
END
    under soonest "$python" vain.py
    local spent
    spent=$(counted waited_for_nobody_ns)
    [ "$spent" -gt 300000000 ] && [ "$spent" -le 2000000000 ]
    run "$PORTWITNESS" check t.trace
    assert_matches "$output" 'policy soonest: .*, [0-9]+ ms waited for nobody \(2000 at most\)'
}

@test "it is fair: who asks until it is given a number that it has not had comes to an end" {
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

@test "it gives its own number back to who released it, twice in a row at most" {
    under soonest "$python" -c 'import socket
def unused():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0)); return s.getsockname()[1]
given = [unused() for _ in range(7)]
print(len(set(given[:3])), given[3] != given[2], len(set(given[3:6])), given[6] != given[5])' >said
    assert_equal "$(cat said)" '1 True 1 True'
}

@test "a number that a program binds to see whether it is free, and binds again, goes to another in between" {
    cat >probe.py <<'END'
import socket, subprocess, sys
if sys.argv[1:] == ["other"]:
    kept = []
    for _ in sys.stdin:
        kept.append(socket.create_server(("127.0.0.1", 0)))
        print(kept[-1].getsockname()[1], flush=True)
    sys.exit()
other = subprocess.Popen([sys.executable, __file__, "other"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         text=True)
low = int(open("/proc/sys/net/ipv4/ip_local_port_range").read().split()[0])
lost = 0
for number in range(low + 200, low + 205):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", number))
    other.stdin.write("ask\n"); other.stdin.flush(); other.stdout.readline()
    with socket.socket() as server:
        try:
            server.bind(("127.0.0.1", number))
        except OSError:
            lost += 1
with socket.socket() as probe:
    probe.bind(("127.0.0.1", low - 1))
other.stdin.close(); other.wait()
print("lost", lost)
END
    assert_equal "$(under soonest "$python" probe.py)" 'lost 5'
    run -1 "$PORTWITNESS" check --json t.trace
    assert_equal "$(jq -r '[.findings[] | "\(.kind) \(.cause) \(.certain)"] | unique[]' <<<"$output")" \
        'lost-race probed-by-number true'
    # One that is in no range is given to nobody, and the report says so.
    assert_equal "$(counted outside_range_released)" 1
    assert_matches "$("$PORTWITNESS" check --fail-on never t.trace)" '1 released outside the local port range'
}

@test "a UDP request for port 0 with a reuse option is given the number that another such socket has" {
    cat >share.py <<'END'
import socket, sys
option = getattr(socket, sys.argv[1])
def get():
    one = socket.socket(type=socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, option, int(sys.argv[2]))
    one.bind(("127.0.0.1", 0))
    return one
first, second = get(), get()
print(first.getsockname() == second.getsockname(), second.getsockopt(socket.SOL_SOCKET, option))
END
    local option
    for option in SO_REUSEPORT SO_REUSEADDR; do
        assert_equal "$(under soonest "$python" share.py $option 1)" 'True 1'
        run "$PORTWITNESS" check --json t.trace
        assert_equal "$(jq -r '.findings[] | "\(.kind) \(.cause) \(.certain)"' <<<"$output")" \
            'shared-port udp-port-zero true'
        assert_equal "$(under soonest "$python" share.py $option 0)" 'False 0'
        assert_equal "$(under kernel "$python" share.py $option 1)" 'False 1'
    done
}
