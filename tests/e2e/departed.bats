# Programs that leave the control group below which eBPF sees them. Where the shim is not in them that is said.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034,SC2016 # variables of capture.bash and of subshells, those of programs

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load guests
    load capture
    capture_setup
    need_ebpf
    [ -r /sys/kernel/btf/vmlinux ] || skip 'the kernel has no types (/sys/kernel/btf/vmlinux)'
    elsewhere=$(unified)/elsewhere-$BASHPID
    mkdir "$elsewhere"
    options=(--capture=ebpf)
    export elsewhere
}

teardown() {
    guests_teardown
    [ -z "${elsewhere-}" ] || rmdir "$elsewhere"
}

# is_missed NAME: the ports of that program are not in the trace; it is named, and the verdict is incomplete.
is_missed() {
    assert_equal "$(rows length)" 0
    grep -q "1 blind spot: [^ ]*$1 (left the command's control group)$" "$summary"
    grep -qx 'portwitness: to see it: --capture=host' "$summary"
    run -0 "$PORTWITNESS" check "$trace"
    assert_matches "$output" "1 blind-spot: left the command's control group: [^ ]*$1"
    assert_matches "$output" 'portwitness: incomplete: '
}

# is_clean: nothing was missed.
is_clean() {
    no_blind_spots
    run -0 "$PORTWITNESS" check "$trace"
    assert_equal "$output" 'portwitness: clean: 0 errors, 0 hazards, 0 notes, 0 suppressed'
}

@test "a static program that moves itself to another control group is named" {
    record busybox sh -c 'echo 0 >"$elsewhere/cgroup.procs" && exec "$@"' sh "$capture/ports.static" loop 2 >said
    assert_equal "$(wc -l <said)" 2
    is_missed busybox
}

@test "a child of a static program that moves itself is named, and its parent is seen" {
    record busybox sh -c '(echo 0 >"$elsewhere/cgroup.procs" && exec "$1" loop 2); exec "$1" loop 3' sh \
        "$capture/ports.static" >said
    assert_equal "$(wc -l <said)" 5
    assert_equal "$(rows length)" 3
    grep -q "1 blind spot: [^ ]*busybox (left the command's control group)$" "$summary"
}

@test "a static program that somebody else moves is named" {
    mkfifo moved
    # shellcheck disable=SC2094 # a program of the shell waits for the other
    record bash -c '"$1" sh -c "read -r _ <moved && exec \"\$1\" loop 2" sh "$2" &
        until [ "$(cat /proc/$!/comm)" = busybox ]; do :; done
        echo $! >"$elsewhere/cgroup.procs" && echo >moved; wait' bash "$(type -P busybox)" "$capture/ports.static" >said
    assert_equal "$(wc -l <said)" 2
    is_missed busybox
}

@test "what the shim is in is seen wherever it is" {
    record "$python" -c 'import os, socket
open(os.environ["elsewhere"] + "/cgroup.procs", "w").write("0")
with socket.socket() as own:
    own.bind(("127.0.0.1", 0))
    print("tcp 127.0.0.1", own.getsockname()[1])' >said
    same_ports said
    is_clean
}

@test "a child of it that moves before it is on record is seen, too" {
    record "$python" -c 'import os, socket, sys
if os.fork() == 0:
    open(os.environ["elsewhere"] + "/cgroup.procs", "w").write("0")
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        print("tcp 127.0.0.1", own.getsockname()[1], flush=True)
    os._exit(0)
sys.exit(os.wait()[1])' >said
    same_ports said
    is_clean
}

@test "a static program that the shim saw start elsewhere is named with what would let it be seen" {
    record bash -c 'echo 0 >"$elsewhere/cgroup.procs" && exec "$1" loop 2' bash "$capture/ports.static" >said
    assert_equal "$(wc -l <said)" 2
    grep -qF "1 blind spot: $capture/ports.static (static program)" "$summary"
    grep -qx 'portwitness: to see it: --capture=host' "$summary"
}

@test "who moves to a group below the command's is seen" {
    record busybox sh -c 'own=$2$(sed -n s/^0:://p /proc/self/cgroup) && mkdir "$own/below" &&
        echo 0 >"$own/below/cgroup.procs" && "$1" loop 3 && echo 0 >"$own/cgroup.procs" && rmdir "$own/below"' sh \
        "$capture/ports.static" "$(unified)" >said
    same_ports said
    is_clean
}

@test "--capture=host sees who moved" {
    options=(--capture=host)
    record busybox sh -c 'echo 0 >"$elsewhere/cgroup.procs" && exec "$@"' sh "$capture/ports.static" loop 2 >said
    rows '.[] | select(.comm == "busybox") | "\(.protocol) \(.address) \(.port)"' | sort |
        diff <(said_ports said) -
    no_blind_spots
}

@test "groups that the command makes in that of the run go with it" {
    record bash -c 'group=$1$(sed -n "s/^0:://p" /proc/self/cgroup) && mkdir "$group/one" "$group/one/two" && echo "$group"' \
        bash "$(unified)" >said
    [ -s said ]
    [ ! -e "$(cat said)" ]
}
