# A run in a run: each trace has its own programs, and neither takes what a run does in a program's place for
# that run's own.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034,SC2016 # variables of capture.bash and of subshells, those of jq

setup() {
    load ../common
    load guests
    load capture
    capture_setup
    # Holds six ports in a run of its own for a while, and tries to bind them itself meanwhile.
    cat >nest.py <<'PYTHON'
import socket, subprocess, sys, time
with subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as inner:
    for line in inner.stdout:
        print(line, end="")
        words = line.split()
        if words == ["held"]:
            break
        with socket.socket(type=socket.SOCK_STREAM if words[0] == "tcp" else socket.SOCK_DGRAM) as other:
            try:
                other.bind(("127.0.0.1", int(words[2])))
            except OSError:
                continue
    time.sleep(0.05) # an end that comes too early shows
    inner.stdin.close()
PYTHON
}

teardown() {
    guests_teardown
    [ -z "${open-}" ] || rm -r "$open"
}

# nest OUTER INNER COMMAND...: leaves the traces `outer` and `inner`, the outer's summary, and `said`.
nest() {
    echo "# $1, and in it $2: ${*:3}"
    rm -f inner outer "$trace"
    options=("--capture=$1")
    record "$python" nest.py "$PORTWITNESS" run --quiet -o inner "--capture=$2" -- "${@:3}" >said
    mv "$trace" outer
    [ "$(said_ports said | wc -l)" -eq 6 ]
}

# owned TRACE: all ports that the guest said are in it, the guest's, until it has closed them.
owned() {
    cp "$1" "$trace"
    assert_equal "$(rows '.[] | select(.port != null and .comm != "python3" and .held_from_ns != null) | .comm' | sort -u)" "$name"
    # Without the probes of Go's library ($go_probes).
    rows 'map(select(.comm != "python3" and .address != "::1" and .address != "::ffff:127.0.0.1"))' >own
    said_ports said >expected
    jq -r '.[] | select(.port != null) | "\(.protocol) \(.address) \(.port)"' own | sort | diff expected -
    assert_equal "$(jq -r '.[] | select(.held_to_ns == null or .held_to_ns - .held_from_ns < 1000000) | .port' own)" ''
    assert_equal "$(jq -r '.[].end_known_by' own | grep -c closed || true)" 0
    blames_no_run
}

# None of the findings has a `run` on any side, in the trace $trace.
blames_no_run() {
    "$PORTWITNESS" check --json "$trace" >verdict 2>/dev/null || true
    assert_equal "$(jq -c '[.findings[] | .. | objects | select(.comm? == "portwitness") | .pid] | unique' verdict)" '[]'
    assert_equal "$(rows '.[] | select(.comm == "portwitness") | .port')" ''
}

# Of what the inner run is given it says so, once, and nothing else.
passed_over() {
    cp outer "$trace"
    blames_no_run
    assert_equal "$(rows '.[] | select(.comm != "python3") | .port')" ''
    grep -qF "1 blind spot: $guest_path (in another run's trace)" "$summary"
    assert_equal "$(jq -r '.findings[] | select(.kind == "blind-spot") | .kind' verdict)" blind-spot
}

by_two() {
    nest "$@"
    owned inner
    if [ "$1" != ebpf ] && [ "$2" = seccomp ]; then
        passed_over
    else
        owned outer
        no_blind_spots
    fi
}

@test "two that are notified: the inner trace has all, the outer one names what it has not" {
    name=ports.static guest_path=$capture/ports.static
    by_two seccomp seccomp "$guest_path" hold 6
    by_two preload seccomp "$guest_path" hold 6
}

@test "eBPF sees what an inner run does in a program's place, and that it is the program's" {
    need_ebpf
    name=ports.static guest_path=$capture/ports.static
    by_two ebpf seccomp "$guest_path" hold 6
    by_two ebpf ebpf "$guest_path" hold 6
}

@test "... and what the outer one does, where the inner one has eBPF" {
    need_ebpf
    name=ports.static guest_path=$capture/ports.static
    by_two seccomp ebpf "$guest_path" hold 6
}

of_go() {
    rm -f inner "$trace"
    record "$PORTWITNESS" run --quiet -o inner "${options[@]}" -- "$go" child 20 >said
    mv "$trace" outer
    cp inner "$trace"
    same_ports said
    blames_no_run
    cp outer "$trace"
    blames_no_run
    # Of those that are notified one run alone has them.
    if [ "$(source_of)" = kernel ]; then
        same_ports said
        no_blind_spots
    fi
}

@test "a run in a run: nothing is missing, and the program is as it was" {
    by_each of_go
}

@test "eBPF, and an inner run that Go is notified to" {
    need_ebpf
    name=ports guest_path=$go
    by_two ebpf seccomp "$guest_path" hold 6
}

@test "without root: the same of two that are notified" {
    [ "$(id -u)" -eq 0 ] || skip 'another user needs root'
    open=$(mktemp -d /tmp/portwitness-nested.XXXXXX)
    chmod 777 "$open"
    cp "$build"/portwitness "$build"/libportwitness.so "$capture/ports.static" nest.py "$open/"
    [ ! -e "$build/portwitness-exec" ] || cp "$build/portwitness-exec" "$open/"
    local PORTWITNESS=$open/portwitness trace=$open/trace
    local in_namespace=("${in_namespace[@]}" setpriv --reuid 65534 --regid 65534 --clear-groups)
    cd "$open"
    name=ports.static guest_path=$open/ports.static
    by_two seccomp seccomp "$guest_path" hold 6
    cd "$BATS_TEST_TMPDIR"
}

@test "an inner run in another PID namespace: what it does for others is counted, and nobody's" {
    need_ebpf
    options=(--capture=ebpf)
    record unshare -pf --mount-proc "$PORTWITNESS" run --quiet -o inner --capture=seccomp -- \
        "$capture/ports.static" loop 9 >said
    blames_no_run
    # UDP ports that the program reads itself are known by that.
    assert_equal "$(rows '.[] | select(.protocol == "tcp" or .comm != "ports.static") | .port')" ''
    grep -q 'also missing: events of the kernel ([0-9]*)$' "$summary"
    mv inner "$trace"
    same_ports said
}

@test "an inner run below a program that is notified: the outer run answers, and the inner one says so" {
    name=ports.static guest_path=$capture/ports.static
    cat >launch.sh <<'SHELL'
"$@"
SHELL
    nest seccomp seccomp busybox sh launch.sh "$PORTWITNESS" run --quiet -o third --capture=seccomp -- "$guest_path" hold 6
    owned inner
    guest_path=$(type -P busybox)
    passed_over
    cp third "$trace"
    blames_no_run
    assert_equal "$(rows '.[].port')" ''
}
