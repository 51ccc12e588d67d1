# Programs that the shim cannot enter, seen by seccomp notifications: what is reported is what they
# say themselves, and they get the answers that they would get alone.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034 # variables of guests.bash and of subshells

setup() {
    load ../common
    load guests
    guests_setup
    static=$data/notified_calls.static
    driver=$build/tests/property/notify_driver
    shim=$build/libportwitness.so
    timeout 10 "$driver" probe "" true 2>probe_said || skip "no notifications here: $(cat probe_said)"
}

teardown() {
    guests_teardown
}

# watched COMMAND...: under the supervisor; what it reports is in `events`.
watched() {
    rm -f driven
    timeout 120 "$driver" driven "$shim" "$@" 2>events
}

# same KIND SAID: the local ports of these events are those that the guest printed.
same() {
    diff <(awk '$1 == "port" { print $2 }' "$2") <(awk -v kind="$1" '$1 == kind { print $5 }' events)
}

counted() { # NAME NUMBER
    grep -qx "$1 $2" events || { cat events >&2; return 1; }
}

@test "each port of a static program is reported: of bind, of what it reads, of listen and connect" {
    watched "$static" bind "$NOTIFIED_BINDS" >said
    [ "$(wc -l <said)" -eq "$NOTIFIED_BINDS" ]
    same bind said
    same read said
    counted lost 0
    watched "$static" listen 100 >said
    same listen said
    watched "$static" connect 100 >said
    same connect said
}

@test "a static program that a shell, Python and env start, and no filter on anything else" {
    watched bash -c "$static bind 2; exec python3 -c '
import subprocess
subprocess.run([\"$static\", \"bind\", \"2\"], check=True)
subprocess.run([\"/usr/bin/env\", \"$static\", \"bind\", \"2\"], check=True)'" >said
    [ "$(wc -l <said)" -eq 6 ]
    same bind said
    counted installed 3
    watched grep '^Seccomp:' /proc/self/status >said
    grep -qx "$(grep '^Seccomp:' /proc/self/status)" said
    counted installed 0
}

@test "a static program that posix_spawn starts" {
    watched python3 -c "
import os
def spawn(call, name, *rest):
    pid = call(name, ['notified', 'bind', '2'], os.environ, *rest)
    assert os.waitpid(pid, 0)[1] == 0
os.environ['PATH'] += ':$data'
spawn(os.posix_spawn, '$static')
spawn(os.posix_spawnp, '${static##*/}')
try:
    os.posix_spawn('/nonexistent', ['x'], os.environ)
except FileNotFoundError:
    print('no such file')" >said
    grep -qx 'no such file' said
    [ "$(grep -c port said)" -eq 4 ]
    same bind said
    counted installed 2
}

@test "a dynamic program that a static one starts is still recorded by the shim" {
    watched "$static" exec 0 /usr/bin/python3 -c '
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    s.listen()
    print("port", s.getsockname()[1])
    # More at a time than one place could bear.
    import threading
    def connect():
        for _ in range(20):
            with socket.socket() as c:
                c.connect(s.getsockname())
                assert c.getpeername() == s.getsockname()
    threads = [threading.Thread(target=connect) for _ in range(8)]
    [thread.start() for thread in threads]
    for _ in range(160):
        s.accept()[0].close()
    [thread.join() for thread in threads]
    with socket.socket() as c:
        print("refused", c.connect_ex(("127.0.0.1", 1)))' >said
    grep -qx 'refused 111' said
    # By itself: none of these calls is notified.
    grep -qx 'installed 1' events
    [ "$(grep -cE '^(bind|listen|read|connect) ' events)" -eq 0 ]
    "$PORTWITNESS" ports driven >recorded 2>&1
    grep -q "^ *$(cut -d' ' -f2 said) .* python3 " recorded
    [ "$(grep -c sandbox recorded)" -eq 0 ]
}

# shellcheck disable=SC2016 # that shell expands it
@test "a static program that another static one executes has its own name and arguments" {
    cp "$static" second
    # Two binds and one, in one process; then the second before the first has made any call.
    "$PORTWITNESS" run --quiet --capture=seccomp -o replaced.trace -- \
        sh -c '"$1" exec 2 ./second exec 1 "$1" bind 1; "$1" exec 0 ./second bind 1; :' sh "$static" >said
    "$PORTWITNESS" export --format jsonl replaced.trace >records
    jq -rs '(map(select(.kind == "process-start")) | INDEX(.process)) as $start |
        .[] | select(.kind == "bind") | $start[.process | tostring] as $program |
        "port \(.assigned.port) \(.comm) \($program.identity_comm) \($program.arguments | join(" "))"' records >seen
    diff <(cut -d' ' -f1-2 seen) said
    cut -d' ' -f3- seen | sed "s|$static|STATIC|g" | diff - <(
        printf '%s\n' 'notified_calls. notified_calls. STATIC exec 2 ./second exec 1 STATIC bind 1'{,} \
            'second second ./second exec 1 STATIC bind 1' \
            'notified_calls. notified_calls. STATIC bind 1' 'second second ./second bind 1')
}

@test "a program in the place of which nobody may bind a privileged port is refused it" {
    [ "$(id -u)" -eq 0 ] || skip 'another user needs root'
    unshare -n "$driver" one "" "$static" try 81 65534 >said 2>events
    grep -qx 'errno 13' said
    awk '$1 == "bind" && $4 == 81 && $3 != 0 && $5 == 0' events | grep -q .
    unshare -n "$driver" two "" "$static" try 81 >said 2>events
    grep -qx 'errno 0' said
    awk '$1 == "bind" && $3 == 0 && $5 == 81' events | grep -q .
}

@test "... also where a long list of groups stands before what it may do" {
    [ "$(id -u)" -eq 0 ] || skip 'a capability can be taken from root alone'
    local groups
    groups=$(seq -s, 1000000 1000299)
    unshare -n "$driver" one "$shim" setpriv --groups "$groups" --bounding-set -net_bind_service \
        "$static" try 81 >said 2>events
    grep -qx 'errno 13' said
    awk '$1 == "bind" && $4 == 81' events | grep -q .
}

@test "the errno of binds and connects that fail is the one that the program got" {
    local in_namespace=(unshare -rn sh -c 'ip link set lo up; exec "$@"' sh)
    "${in_namespace[@]}" "$static" errors 0 | sed 's/ [0-9]*$//' >bare
    diff - bare <<'END'
bind 0
bind 22
connect 111
blocks
connect 101
blocks
connect 0
blocks
connect 106
blocks
connect 106
blocks
bind 0
connect 111
blocks
END
    rm -f driven
    "${in_namespace[@]}" "$driver" driven "" "$static" errors 0 >said 2>events
    diff bare <(sed 's/ [0-9]*$//' said)
    diff <(grep -E '^(bind|connect)' bare) <(awk '$1 == "bind" || $1 == "connect" { print $1, $3 }' events)
    # A connect that was refused has no port any more, unless it had one before.
    diff <(awk '$1 == "connect" { print $3 }' said) <(awk '$1 == "connect" { print $5 }' events)
}

@test "... and in the trace a bind that was refused has been given no port" {
    unshare -rn sh -c 'ip link set lo up; exec "$@"' sh "$PORTWITNESS" run --quiet --capture=seccomp -o refused.trace \
        -- "$static" errors 0 >said
    "$PORTWITNESS" export --format jsonl refused.trace >records
    diff <(awk '$1 == "bind" { print $2 == 0 ? "null" : "EINVAL", $3, $2 == 0 ? "true" : "false" }' said) \
        <(jq -r 'select(.kind == "bind") |
            "\(.error) \(.assigned.port // 0) \(.flags | index("has-assigned") != null)"' records)
    # As the shim says it: the kernel goes on to show a port that a refused connect has given back.
    assert_equal "$(jq -r 'select(.kind == "connect") | .flags | index("port-zero") != null' records | paste -sd' ')" \
        'true false false false false false'
}

@test "a connect that waits gets its answer, or the signal that it would get alone" {
    local in_namespace=(unshare -rn sh -c 'ip link set lo up; exec "$@"' sh)
    rm -f driven
    "${in_namespace[@]}" timeout 60 "$driver" driven "" "$static" slow 1 >said 2>events
    diff <(sed 's/ [0-9]*$//' said) <(printf '%s\n' 'connect 0' blocks 'connect 0' blocks)
    diff <(awk '$1 == "connect" { print $3 }' said) <(awk '$1 == "connect" { print $5 }' events)
    [ "$(awk '$1 == "connect" && ($3 == 0 || $3 == 115)' events | wc -l)" -eq 2 ]
    rm -f driven
    "${in_namespace[@]}" timeout 60 "$driver" driven "" "$static" slow 0 >said 2>events
    grep -q '^connect 4 ' said
    [ "$(grep -c '^blocks' said)" -eq 2 ]
}

# Ends what the guest says with its own errno, bare and watched: `bare`, `said`.
landlocked() {
    "${in_namespace[@]}" "$static" landlock 40001 40002 >bare || skip "no rules of Landlock for ports here"
    grep -qx 'errno 0 13 13 0 13' bare
}

@test "a program that takes binds and connects from itself is not given them by anybody" {
    local in_namespace=(unshare -rn)
    landlocked
    rm -f driven
    "${in_namespace[@]}" "$driver" driven "" "$static" landlock 40001 40002 >said 2>events
    diff bare said
    # What it may bind is seen, what it may not has failed or is not known to.
    [ "$(awk '$1 == "bind" && $4 == 40001 && $3 == 0 && $5 == 40001' events | wc -l)" -eq 2 ]
    [ "$(awk '$1 == "bind" && $4 == 40002' events | wc -l)" -eq 2 ]
    [ "$(awk '$1 == "bind" && $4 == 40002 && ($3 == 0 || $5 != 0)' events | wc -l)" -eq 0 ]
}

@test "... nor one that was started under such rules, by a program that the shim is in" {
    local in_namespace=(unshare -rn)
    landlocked
    cat >restricted.py <<'END'
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
attribute, rule = struct.pack("QQ", 0, 1), struct.pack("QQ", 1, 40001)
rules = libc.syscall(444, attribute, len(attribute), 0)
libc.syscall(445, rules, 2, rule, 0)
if len(sys.argv) > 3:
    assert libc.prctl(38, 1, 0, 0, 0) == 0 # no_new_privs; whoever has CAP_SYS_ADMIN needs none
assert libc.syscall(446, rules, 0) == 0
for port in (40001, 40002):
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.execv(sys.argv[1], [sys.argv[1], "try", str(port)])
    os.waitpid(pid, 0)
    assert os.posix_spawn(sys.argv[1], [sys.argv[1], "try", str(port)], os.environ) > 0
    os.wait()
END
    for more in "" privileges; do
        rm -f driven
        # shellcheck disable=SC2086 # nothing where it is empty
        "${in_namespace[@]}" "$driver" driven "$shim" python3 restricted.py "$static" plain $more >said 2>events
        [ "$(grep -c '^errno 0$' said)" -eq 2 ]
        [ "$(grep -c '^errno 13$' said)" -eq 2 ]
        counted installed 4
    done
}

# closed_at_once COMMAND...: 40 binds below it, each closed at once, by number and to port 0.
closed_at_once() {
    options=(--capture=seccomp)
    # shellcheck disable=SC2016 # variables of that shell
    record "$@" sh -c 'for i in $(seq 20); do "$1" try 40001; "$1" try 0; done' sh "$static" >said
    [ "$(grep -c '^errno 0$' said)" -eq 40 ]
    "$PORTWITNESS" export --format jsonl "$trace" >records
    known=$(jq -r 'select(.kind == "bind") | .assigned.port // empty' records | wc -l)
    counted=$(sed -n 's/.*calls not looked at (\([0-9]*\)).*/\1/p' "$summary")
}

@test "... and a bind whose socket was closed before anybody could look is known by its end" {
    local known counted in_namespace=(unshare -rn)
    closed_at_once unshare -Ur
    assert_equal "$known ${counted:-0}" '40 0'
    assert_equal "$(jq -r 'select(.kind == "bind" and .assigned.port == 40001) | .pid' records | wc -l)" 20
    assert_equal "$(jq -r 'select(.kind == "bind") | .error' records | sort -u)" null
    # The end of each is in the trace, too, and once.
    assert_equal "$(jq -r 'select(.kind == "destroyed") | .cookie' records | sort | uniq -c | awk '{ print $1 }' | sort -u)" 1
    assert_equal "$("$PORTWITNESS" check --json "$trace" | jq -r .verdict)" clean
}

@test "... or counted, where no notice of the end comes" {
    local known counted
    closed_at_once unshare -Urn
    assert_equal "$((known + ${counted:-0}))" 40
    [ "$known" -eq 40 ] ||
        assert_equal "$("$PORTWITNESS" check --json "$trace" | jq -r .verdict)" incomplete
}

@test "... also where the supervisor was stopped when it did" {
    local in_namespace=(unshare -rn)
    landlocked
    rm -f driven
    "${in_namespace[@]}" bash -c '
        "$@" 2>events >said &
        for ((i = 0; i < 500; i++)); do grep -q begins said && break; sleep 0.01; done
        kill -STOP $!
        for ((i = 0; i < 500; i++)); do grep -q restricted said && break; sleep 0.01; done
        kill -CONT $!
        wait $!' bash "$driver" driven "" "$static" landlock 40001 40002 1
    diff bare <(grep errno said)
}

@test "no bind fails because of a signal" {
    watched "$static" storm 2000 >said
    grep -qx 'good 2000' said
}

@test "an unprivileged user sees them as well, with no_new_privs" {
    [ "$(id -u)" -eq 0 ] || skip 'another user needs root'
    local open
    open=$(mktemp -d /tmp/portwitness-notified.XXXXXX)
    chown 65534 "$open"
    cp "$driver" "$static" "$open"
    setpriv --reuid 65534 --regid 65534 --clear-groups timeout 60 "$open/notify_driver" "$open/trace" "" \
        "$open/notified_calls.static" bind 20 >said 2>events
    rm -r "$open"
    same bind said
    counted installed 1
    counted privileges 1
}

@test "a listener that the supervisor has no room to wait for is answered for all the same" {
    cat >full.c <<'END'
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>
int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event) {
    char path[40], target[64] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, target, sizeof target - 1) > 0 && strstr(target, "seccomp") != NULL)
        return errno = ENOSPC, -1;
    return (int)syscall(SYS_epoll_ctl, epoll, what, fd, event);
}
END
    "${CC:-cc}" -shared -fPIC -o full.so full.c
    rm -f driven
    LD_PRELOAD=$PWD/full.so timeout 60 "$driver" driven "" "$static" bind 20 >said 2>events
    [ "$(wc -l <said)" -eq 20 ]
    counted installed 1
    counted full 1
    [ "$(grep -c '^bind' events)" -eq 0 ]
}

# find_standby PID: its standby process, in `standby`.
find_standby() {
    standby=$(ps -o pid= --ppid "$1" | while read -r child; do
        [ "$(cat "/proc/$child/comm")" != pw-standby ] || echo "$child"
    done)
    [ -n "$standby" ]
}

@test "a supervisor that is killed at any time breaks no call, and nothing of it stays" {
    local round killed=0 pid standby
    for ((round = 0; killed < NOTIFIED_KILLS; round++)); do
        [ "$round" -le $((2 * NOTIFIED_KILLS)) ]
        rm -f driven
        setsid "$driver" driven "" "$static" loop 2 >said 2>/dev/null 3>&- &
        pid=$!
        wait_for grep -q begins said
        # It gives itself its name when it first runs, which may be after the guest has begun.
        wait_for find_standby "$pid"
        sleep "0.$((RANDOM % 10))$((RANDOM % 10))"
        ! kill -9 "$pid" || killed=$((killed + 1)) # on a busy machine the program may be through
        wait "$pid" || true
        wait_for grep -q loops said
        grep -q 'errors 0' said || { cat said >&2; return 1; }
        wait_for is_gone "$standby"
    done
}

# other_standby PID STANDBY: the standby that came in its place, in `standby`.
other_standby() {
    find_standby "$1" && [ "$standby" != "$2" ]
}

@test "a standby that is killed is replaced, and whoever kills run by its command line does not hit it" {
    local pid standby before
    setsid "$PORTWITNESS" run --capture=seccomp -o "$trace" -- "$static" loop 4 >said 2>"$summary" 3>&- &
    pid=$!
    wait_for grep -q begins said
    wait_for find_standby "$pid"
    assert_equal "$(tr '\0' ' ' <"/proc/$standby/cmdline")" 'pw-standby '
    before=$standby
    kill -9 "$standby"
    wait_for other_standby "$pid" "$before"
    kill -9 "$pid"
    wait "$pid" || true
    wait_for grep -q loops said
    grep -q 'errors 0' said || { cat said >&2; return 1; }
    wait_for is_gone "$standby"
}

@test "... but not for ever, and that is said" {
    local pid standby before=0 round
    setsid "$PORTWITNESS" run --capture=seccomp -o "$trace" -- "$static" loop 4 >said 2>"$summary" 3>&- &
    pid=$!
    wait_for grep -q begins said
    for ((round = 0; round < 8; round++)); do
        wait_for other_standby "$pid" "$before"
        before=$standby
        kill -9 "$standby"
    done
    wait "$pid"
    grep -q 'errors 0' said
    grep -q '^portwitness: .*pw-standby was killed too often' "$summary"
}

# full_table MEANS PROGRAM...: executed while its process has no descriptor left.
full_table() {
    options=(--capture="$1")
    record sh -c 'ulimit -n 3; exec "$@"' sh "${@:2}" >said
}

@test "a program that is executed when no descriptor is free is a blind spot" {
    local means
    for means in seccomp preload; do
        full_table "$means" "$static" try 0 || true # it gets no socket
        grep -q '1 blind spot: .*(no descriptor free to look at it)' "$summary"
        assert_equal "$("$PORTWITNESS" check --json "$trace" | jq -r .verdict)" incomplete
        rm "$trace"
        # One that the shim is in, since exec closes descriptors, is none.
        options=(--capture="$means")
        record python3 -c '
import os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
try:
    while True:
        os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
except OSError:
    os.execv("/usr/bin/env", ["env", "true"])' >said
        grep -q 'no blind spots' "$summary"
        rm "$trace"
    done
}

@test "a supervisor that is stopped keeps no program waiting for long" {
    setsid "$driver" driven "" "$static" loop 2 >said 2>/dev/null 3>&- &
    local pid=$!
    wait_for grep -q begins said
    kill -STOP "$pid"
    wait_for in_state "$pid" T
    wait_for grep -q loops said
    grep -q 'errors 0' said
    in_state "$pid" T
    kill -CONT "$pid"
    wait "$pid"
}
