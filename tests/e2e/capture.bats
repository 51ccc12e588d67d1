# Programs that the shim is not in: Go, static ones, raw system calls, io_uring. Each says which ports it got;
# the trace must have the same, no more and no fewer, whoever started it and by whichever means it was seen.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034,SC2016 # variables of capture.bash and of subshells, those of jq

setup() {
    load ../common
    load guests
    load capture
    capture_setup
}

teardown() {
    guests_teardown
    [ -z "${open-}" ] || rm -r "$open"
}

in_turn() { seen "$1" "$capture/$1" loop "$CAPTURED"; }
connections() { seen "$1" "$capture/$1" connect 30; }
held_by() { seen_while_held "$1" "$capture/$1" hold 6; }

@test "a static program: its ports, and its connections" {
    by_each in_turn ports.static
    by_each connections ports.static
}

@test "a static program, while it holds its ports" {
    by_each held_by ports.static
}

@test "a static program of another C library" {
    by_each in_turn ports.musl
    # It differs from the other in its library alone.
    [ -n "${TESTS_FULL-}" ] || return 0
    by_each connections ports.musl
    by_each held_by ports.musl
}

@test "a dynamic program that makes system calls by its own instructions" {
    by_ebpf in_turn ports.raw
    by_ebpf connections ports.raw
    by_ebpf held_by ports.raw
}

# The shim's own call before it has the registers in which it tells eBPF that it records the call itself.
raw_after_libc() {
    record "$data/raw_after" >said
    assert_equal "$(rows '.[].port' | sort -n | xargs)" "$(xargs -n 1 <said | sort -n | xargs)"
}

@test "a system call by an instruction right behind one of libc" {
    local round
    for ((round = 0; round < 5; round++)); do
        by_ebpf raw_after_libc
    done
}

by_uring() { seen "$name" "$capture/uring" "$@"; }

@test "io_uring: bind, listen and connect that are no system calls" {
    "$capture/uring" probe >how || skip "$(cat how)"
    cat how # what of it this kernel has; the rest are calls of libc
    local name=uring
    grep -q bind how || name=-
    by_ebpf by_uring loop "$CAPTURED"
    by_ebpf by_uring connect 30
    by_ebpf seen_while_held "$name" "$capture/uring" hold 6
}

in_go() { seen ports "$go" "$@"; }

@test "Go: what listens, on IPv4, on IPv6 and for packets" {
    by_each in_go loop "$CAPTURED"
}

@test "Go: while it holds its ports" {
    by_each seen_while_held ports "$go" hold 6
}

@test "Go: connections that are dialled, TCP and UDP" {
    by_each in_go dial 30
}

@test "Go: a child that is Go again, and many threads" {
    by_each in_go child 40
    by_each in_go busy 40
}

# net/http dials in a goroutine of its own: the client's port is asked for by no function of the user's.
dialled_by_library() {
    rm -f "$trace"
    record "$capture/go/fetch" >said
    same_ports said
    rows '.[] | select(.requested_port == 0) | .place
        | "\(.function) \(.file | split("/") | .[-1]) \(.of)"' >places
    grep -qE "^net/http\.\(\*Transport\)\.${1:-dialConnFor} transport\.go library\$" places || { cat places; return 1; }
    ! grep -q yscall places || { cat places; return 1; }
}

@test "Go: a port that its library alone asks for has the place where Go began it" {
    by_each dialled_by_library
    # Sixteen frames do not reach so far.
    options+=(--stacks=16)
    dialled_by_library dial
}

probes() {
    record "$go" loop 2 >said
    same_ports said
    grep -E "$go_probes" table | cut -d' ' -f1,2 | sort | diff - <(printf 'tcp %s\n' ::1 ::ffff:127.0.0.1)
}

@test "Go: the two sockets that its library tries the kernel with" {
    by_each probes
}

dynamic() {
    record "$capture/ports" loop 30 >said
    same_ports said
    no_blind_spots
    assert_equal "$(jq -r 'select(.kind == "bind") | .source' records | sort -u)" shim
    assert_equal "$(jq -r 'select(.kind == "bind") | .cookie' records | wc -l)" 30
}

@test "a program that the shim is in is recorded by the shim, and once" {
    by_each dynamic
}

# A process of each kind, a child of the one before: each says its process, its parent and its port.
mixed() {
    cat >middle.py <<'PYTHON'
import os, socket, subprocess, sys
with socket.socket() as own:
    own.bind(("127.0.0.1", 0))
    print(os.getpid(), os.getppid(), "tcp 127.0.0.1", own.getsockname()[1], flush=True)
sys.exit(subprocess.call(sys.argv[1:]))
PYTHON
    record bash -c '"$@"; exit $?' bash "$capture/ports.static" who 1 -- \
        "$python" middle.py "$go" who 1 -- "$capture/ports.musl" who 1 >said
    assert_equal "$(wc -l <said)" 4
    same_ports said
    no_blind_spots
    rows '.[] | "\(.pid) \(.port) \(.comm)"' |
        diff <(paste -d' ' <(awk '{ print $1, $5 }' said) <(printf '%s\n' ports.static python3 ports ports.musl)) -
    local pid parent
    while read -r pid parent _; do
        # A fork's record has the parent as the process that wrote it.
        assert_equal "$(jq -r --argjson pid "$pid" 'select(.identity_pid == $pid and .kind == "process-start")
            | .parent_pid' records | sort -u)" "$parent"
    done <said
    seen_by_means ports.static ports ports.musl
    # Each once, and Go's lines, whatever started it.
    grep -q '^portwitness: 5 programs and ' "$summary"
    "$PORTWITNESS" ports "$trace" | grep -qE ' ports .* main\.[A-Za-z]+ [^ ]*main\.go:[0-9]+$'
}

@test "a mixed tree: bash, static, Python, Go, musl, in one trace, in order, with the right parents" {
    by_each mixed
}

# `run` is stopped while a program comes and goes, so /proc has nothing of it any more.
unread() {
    local pid parent
    [ -p gate ] || mkfifo gate
    "${in_namespace[@]}" "$PORTWITNESS" run -o "$trace" "${options[@]}" -- \
        bash -c 'echo >begun; read -r <gate; "$@" >said; echo >through' bash "$capture/ports.static" who 1 \
        2>"$summary" 3>&- &
    guest=$!
    wait_for test -e begun
    kill -STOP "$guest"
    echo >gate
    wait_for test -e through
    kill -CONT "$guest"
    wait "$guest"
    guest=''
    same_ports said
    no_blind_spots
    read -r pid parent _ <said
    jq -c --argjson pid "$pid" 'select(.identity_pid == $pid and .kind == "process-start" and
        .source == "kernel")' records >starts
    assert_equal "$(jq -r '"\(.parent_pid) \(.arguments | join(" "))"' starts)" "$parent $capture/ports.static who 1"
    assert_equal "$(jq -s 'length == 1 and .[0].start_time > 0' starts)" true
}

@test "a program that has ended before anybody could look at it has parent, start time and arguments" {
    by_ebpf unread
}

# `run` is stopped until the ring is full, and a program is executed then, which makes its calls later.
overflowed() {
    mkfifo gate later
    "${in_namespace[@]}" "$PORTWITNESS" run -o "$trace" "${options[@]}" -- bash -c 'exec 4<>later
        echo >begun; read -r <gate; "$1" loop 40000 >flood; "$1" later 3 <&4 >said &
        until [ "$(cat /proc/$!/comm)" = ports.static ]; do :; done
        echo >full; wait' bash "$capture/ports.static" 2>"$summary" 3>&- &
    guest=$!
    wait_for test -e begun
    kill -STOP "$guest"
    echo >gate
    wait_for test -e full
    kill -CONT "$guest"
    wait_for ring_was_read
    echo >later
    wait "$guest"
    guest=''
    grep -qE '^portwitness: .*, no blind spots(; raw system calls .*)?$' "$summary"
    grep -qE 'also missing: events of the kernel \([1-9]' "$summary"
    # The last three are those of the program of which nobody saw that it was executed.
    rows '.[-3:][] | "\(.protocol) \(.address) \(.port)"' | sort | diff <(said_ports said) -
    assert_equal "$(rows '.[-3:] | map(.comm) | unique[]')" ports.static
}

ring_was_read() { [ "$(rows length)" -gt 100 ]; }

@test "a program whose start was lost in a full ring is seen all the same, and no blind spot" {
    by_ebpf overflowed
}

# One of few ports is soon given again.
few_ports=(sh -c 'echo 40000 40015 >/proc/sys/net/ipv4/ip_local_port_range && exec "$@"' sh)

# kind MODE STATUS: the search for a host port, and a publisher. Leaves the findings in `found`.
kind() {
    local status=0
    options+=(--quiet)
    "${in_namespace[@]}" "${few_ports[@]}" "$PORTWITNESS" run -o "$trace" "${options[@]}" -- \
        "$capture/kind/pick" "$1" 127.0.0.1 "$capture/kind/publish" "$capture/kind/take" >said 2>errors || status=$?
    assert_equal "$status $(cat errors)" "$2 "
    "$PORTWITNESS" check --json "$trace" >found || [ $? -eq 1 ]
}

# line_of FOLDER TEXT: "FOLDER/main.go:LINE" of the one line with that text.
line_of() {
    local line
    line=$(grep -nF "$2" "$root/tests/guests/capture/kind/$1/main.go" | cut -d: -f1)
    assert_matches "$line" '^[0-9]+$'
    echo "$1/main.go:$line"
}

# user_line SIDE: function, file and line of the user's code in that side of the one finding that is no note.
user_line() {
    jq -r --arg side "$1" '.findings[] | select(.severity != "note")[$side].frames
        | map(select(.of == "user"))[0] | "\(.function) \(.file | split("/")[-2:] | join("/")):\(.line)"' found
}

kinds() { jq -r '.findings[] | select(.severity != "note") | .kind' found; }

kind_lost() {
    kind lost 125
    grep -q '^not published: .*address already in use$' said
    assert_equal "$(kinds)" lost-race
    assert_equal "$(user_line assigned)" "main.freePort $(line_of pick 'net.Listen(')"
    assert_equal "$(user_line subject)" "main.main $(line_of publish 'net.Listen(')"
    assert_equal "$(user_line other)" "main.main $(line_of take 'net.Listen(')"
    assert_equal "$(jq -r '.findings[] | select(.kind == "lost-race") | .certain' found)" true
    "$PORTWITNESS" ports --failed --json "$trace" >failed
    assert_equal "$(jq -r '"\(.comm) \(.requested_port) \(.error)"' failed)" \
        "publish $(sed -n 's/^picked //p' said) EADDRINUSE"
}

@test "Kind's search for a host port, which loses the race: lost-race, with the lines of Go of all sides" {
    by_each kind_lost
}

# Of a port that nobody read no check says that it was given, released and used: the end of a socket comes on
# another way than the call that read its port, and often sooner.
ports_are_read() {
    "$PORTWITNESS" run -q -o "$trace" "${options[@]}" -- "$go" loop "$CAPTURED" >said
    "$PORTWITNESS" export --format jsonl "$trace" >records
    assert_equal "$(jq -s 'def of($kind): map(select(.kind == $kind and .error == null) | .cookie) | unique;
        of("listen") as $all | ($all | length > 0), ($all - of("address-read"))' records | jq -c .)" $'true\n[]'
}

@test "a port that is read and given back at once" {
    by seccomp ports_are_read
}

kind_window() {
    kind window 0
    assert_equal "$(sed -n 's/^picked //p' said)" "$(sed -n 's/^published //p' said)"
    assert_equal "$(kinds)" race-window
    assert_equal "$(user_line assigned)" "main.freePort $(line_of pick 'net.Listen(')"
    assert_equal "$(user_line subject)" "main.main $(line_of publish 'net.Listen(')"
}

@test "Kind's search where nobody takes the port: race-window, with the lines of Go of both sides" {
    by_each kind_window
}

kind_clean() {
    kind clean 0
    grep -q '^published 400' said
    assert_equal "$(kinds)" ''
}

@test "a publisher in Go that lets the kernel choose: no finding" {
    by_each kind_clean
}

# Each program has a serial of its own, in the order in which they were executed, and one port.
chained() {
    seen ports.static "$capture/ports.static" chain 6
    assert_equal "$(jq -r 'select(.kind == "bind") | .process' records | sort -n | uniq -c | wc -l)" 6
}

@test "programs that one process executes one after the other, faster than anybody looks" {
    by_ebpf chained
}

two() {
    "${in_namespace[@]}" bash -c 'for name in ports.static ports.musl; do
        timeout 120 "$1" run "$2" -o "trace.$name" -- "$3/$name" loop 100 >"said.$name" 2>"summary.$name" &
        pids+=" $!"
    done
    for pid in $pids; do wait "$pid" || exit; done' bash "$PORTWITNESS" "${options[0]}" "$capture" 3>&-
    for name in ports.static ports.musl; do
        assert_equal "$(wc -l <"said.$name")" 100
        mv "trace.$name" "$trace"
        cp "summary.$name" "$summary"
        same_ports "said.$name"
        no_blind_spots
    done
}

@test "two runs at a time: each has its own ports, and none of the other" {
    by_each two
}

@test "--capture=preload: what the shim cannot enter is a blind spot, as before" {
    options=(--capture=preload)
    for guest_path in "$capture/ports.static" "$capture/ports.musl" "$go"; do
        record "$guest_path" loop 3 >said
        assert_equal "$(wc -l <said)" 3
        grep -qF "1 blind spot: $guest_path (static program)" "$summary"
        assert_equal "$(rows length)" 0
        rm "$trace"
    done
    guest_path=''
}

@test "without --capture: as root by eBPF, for all others by seccomp; no blind spot" {
    options=()
    record "$go" loop 9 >said
    same_ports said
    no_blind_spots
    ! has_ebpf || seen_by_means ports
    [ "$(id -u)" -eq 0 ] || skip 'another user needs root'
    rm "$trace"
    open=$(mktemp -d /tmp/portwitness-capture.XXXXXX)
    chmod 777 "$open"
    cp -r "$build"/portwitness "$build"/libportwitness.so "$capture" "$open/"
    [ ! -e "$build/portwitness-exec" ] || cp "$build/portwitness-exec" "$open/"
    options=(--capture=seccomp)
    local PORTWITNESS=$open/portwitness trace=$open/trace namespace=("${in_namespace[@]}")
    local in_namespace=("${namespace[@]}" setpriv --reuid 65534 --regid 65534 --clear-groups)
    seen ports "$open/capture/go/ports" loop 30
    rm "$trace"
    options=(--capture=auto)
    record "$open/capture/ports.static" loop 30 >said
    same_ports said
    no_blind_spots
    assert_equal "$(jq -r 'select(.kind == "bind") | .source' records | sort -u)" supervisor
}

# The group of a run, by its process id; those of other runs may go meanwhile.
group_of() { find "$(unified)" -maxdepth 6 -type d -name "portwitness-$1" 2>/dev/null || true; }

attached() { "$python" "$BATS_TEST_DIRNAME/attached.py" "$group"; }
nothing_attached() { [ "$(attached)" = 0 ]; }

# gone_from NETWORK: nobody is in that namespace any more.
gone_from() { [ -z "$(find /proc/[0-9]*/ns/net -lname "${1//[/\\[}" 2>/dev/null)" ]; }

# outlives COMMAND...: `run` is killed while the command works; it goes on and ends as it would. The shell that
# started it waits for the gate, so that there is somebody in the group for as long as it is looked at.
outlives() {
    local network group
    rm -f begun status said "$trace"
    "${in_namespace[@]}" "$PORTWITNESS" run --quiet -o "$trace" "${options[@]}" -- \
        bash -c 'echo >begun; "$@" >said 2>said.errors; echo $? >status; read -r <gate' bash "$@" 2>"$summary" 3>&- &
    guest=$!
    wait_for test -e begun || { cat "$summary"; ps -fp "$guest"; return 1; } >&2
    network=$(readlink "/proc/$guest/ns/net")
    if [ "$(source_of)" = kernel ]; then
        group=$(group_of "$guest")
        [ -n "$group" ]
        # Once, for it takes so long that the command may be through.
        [ "${#killed[@]}" -gt 0 ] || [ "$(attached)" -gt 0 ]
    fi
    sleep "0.0$((RANDOM % 2))$((RANDOM % 10))"
    [ ! -e status ] || early=$((early + 1))
    kill -KILL "$guest"
    wait "$guest" || [ $? -eq 137 ]
    killed+=("$guest")
    guest=''
    [ "$(source_of)" != kernel ] || wait_for nothing_attached
    wait_for test -s status
    assert_equal "$(cat status said.errors)" 0
    assert_equal "$(wc -l <said)" 6000
    # What came after is in nobody's records.
    "$PORTWITNESS" check --json "$trace" >verdict 2>/dev/null || true
    assert_equal "$(jq -r .verdict verdict)" incomplete
    grep -q 'was killed' verdict
    echo >gate
    wait_for gone_from "$network"
}

killed_often() {
    local number early=0 killed=()
    [ -p gate ] || mkfifo gate
    for ((number = 0; number < RUN_KILLS; number += 2)); do
        outlives "$capture/ports.static" loop 6000
        outlives "$go" child 6000
    done
    # Of some of them the guest still worked; on a fast machine not of most.
    [ "$early" -lt "$RUN_KILLS" ] || { echo "$early of $RUN_KILLS had ended"; return 1; }
    rm -f "$trace"
    record true
    for number in "${killed[@]}"; do
        assert_equal "$(group_of "$number")" ''
    done
}

@test "run is killed at random: guests go on unharmed, and nothing stays behind" {
    by_each killed_often
}

# The nice value of `run`, from within, once it reads.
nice_of_run() { rm -f "$trace"; record bash -c 'sleep 0.5; cut -d" " -f19 "/proc/$PPID/stat"'; }

@test "the reader of eBPF's events comes first, unless run was told to stand back" {
    need_ebpf
    options=(--capture=ebpf)
    renice -n 0 -p $BASHPID >/dev/null
    assert_equal "$(nice_of_run)" -15
    renice -n -18 -p $BASHPID >/dev/null
    assert_equal "$(nice_of_run)" -18
    renice -n 5 -p $BASHPID >/dev/null
    assert_equal "$(nice_of_run)" 5
}
