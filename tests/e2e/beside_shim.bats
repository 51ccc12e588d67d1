#!/usr/bin/env bats
# What reports say of programs that the shim is not in: what would let one be seen, which errors are inferred, and
# that a container daemon works elsewhere.
# shellcheck disable=SC2154,SC2016,SC2034,SC2030,SC2031 # variables of common.bash, those of jq, those for guests.bash and of subshells

setup() {
    load ../common
    load guests
    load capture
    capture_setup
    trace=$BATS_TEST_TMPDIR/t
    load check
    check_setup
    static=$data/bind_once.static
}

teardown() {
    guests_teardown
}

summary_has() { grep -qxF "portwitness: $1" "$summary" || { cat "$summary"; return 1; }; }

# record is that of guests.bash again: check.bash has another.
recorded() {
    "${in_namespace[@]}" "$PORTWITNESS" run -o t "${options[@]}" -- "$@" 2>"$summary" 3>&-
}

@test "a blind spot says what would let it be seen, in the summary and in check" {
    options=(--capture=preload)
    recorded "$static"
    summary_has 'to see it: --capture=seccomp, or --capture=ebpf as root'
    "$PORTWITNESS" check t >text || [ $? -le 1 ]
    grep -qxF "not seen: t: 1 blind-spot: static program: $static; to see it: --capture=seccomp, or --capture=ebpf as root" \
        text
    assert_equal "$("$PORTWITNESS" check --json t | jq -r '.evidence.blind_spots[].remedy')" \
        '--capture=seccomp, or --capture=ebpf as root'
}

@test "several blind spots: each remedy once, with the reason that it is for" {
    cp "$static" second
    options=(--capture=preload --no-follow)
    recorded sh -c "$static; ./second; env -i $data/show_environment"
    grep -q ' 3 blind spots: ' "$summary"
    summary_has 'to see them: static program: --capture=seccomp, or --capture=ebpf as root; not followed: leave --no-follow out'
}

@test "--capture=preload: what the shim records is recorded" {
    options=(--capture=preload)
    recorded "$data/show_environment"
    summary_has '1 port-0 request, 1 port assigned'
}

@test "a client of a container daemon that the shim is not in is a blind spot" {
    cp "$static" docker
    local each
    for each in "${means[@]}"; do
        rm -f t
        options=(--capture="$each")
        recorded sh -c ./docker
        grep -qE ' 1 blind spot: ([^ ]*/)?docker \(container daemon\)$' "$summary" || { cat "$summary"; return 1; }
        summary_has 'to see it: --capture=host as root, or run portwitness in the container'
        # All that it does itself is seen, all the same.
        summary_has '1 port-0 request, 1 port assigned'
    done
    has_ebpf || return 0
    rm t
    options=(--capture=host)
    recorded sh -c ./docker
    grep -q 'no blind spots' "$summary"
}

# says_cause CAUSE: the summary and the verdict of a clean run whose program binds past the shim.
unseen='raw system calls and io_uring are not seen without eBPF'
says_cause() {
    grep -qE "^portwitness: .* seen, (.*, )?no blind spots; $unseen \($1\)$" "$summary" || { cat "$summary"; return 1; }
    run -0 "$PORTWITNESS" check --strict t
    assert_matches "$output" "^portwitness: clean: 0 errors, 0 hazards, 0 notes, 0 suppressed; $unseen \($1\)$"
    assert_matches "$("$PORTWITNESS" check --json t | jq -r '.evidence | "\(.complete) \(.without_ebpf[] | "\(.trace) \(.cause)")"')" \
        "^true t $1$"
}

@test "without eBPF neither the summary nor a clean verdict stands without what is not seen, and the cause" {
    has_ebpf || skip 'what is taken away is not there'
    local group
    group=$(unified)$(sed -n 's/^0:://p' /proc/self/cgroup)
    unshare -m sh -c 'mount -o remount,ro,bind "$1" && shift && exec "$@"' sh "$(unified)" \
        "$PORTWITNESS" run -o t -- "$capture/ports.raw" loop 2 2>"$summary"
    says_cause "no control group can be made in ${group%/}/?: Read-only file system"
    assert_equal "$("$PORTWITNESS" ports --json t | wc -l)" 0
    rm t
    setpriv --bounding-set=-bpf,-sys_admin "$PORTWITNESS" run -o t -- "$capture/ports.raw" loop 2 2>"$summary"
    says_cause 'the eBPF programs cannot be loaded: Operation not permitted, .*'
    local each
    for each in preload seccomp; do
        rm t
        "$PORTWITNESS" run --capture="$each" -o t -- true 2>"$summary"
        says_cause "--capture=$each"
    done
    cp t other
    rm t
    "$PORTWITNESS" run -o t -- "$capture/ports.raw" loop 2 2>"$summary"
    assert_equal "$(grep -c 'without eBPF' "$summary")" 0
    assert_equal "$("$PORTWITNESS" ports --json t | wc -l)" 2
    run -0 "$PORTWITNESS" check t
    assert_equal "$output" 'portwitness: clean: 0 errors, 0 hazards, 0 notes, 0 suppressed'
    assert_equal "$("$PORTWITNESS" check --json t | jq -c .evidence.without_ebpf)" '[]'
    run -0 "$PORTWITNESS" check t other
    assert_matches "$output" "0 suppressed; in 1 of 2 traces $unseen \(--capture=seccomp\)$"
    rm t
    LD_PRELOAD=$shim PORTWITNESS_TRACE=$PWD/t /bin/true
    run -0 "$PORTWITNESS" check t
    assert_matches "$output" "0 suppressed; $unseen \(not under portwitness run\)$"
}

@test "where something is not seen the cause stands behind what would let it be seen" {
    has_ebpf || skip 'what is taken away is not there'
    cp "$static" docker
    unshare -m sh -c 'umount "$1" && shift && exec "$@"' sh "$(unified)" \
        "$PORTWITNESS" run -o t -- sh -c ./docker 2>"$summary"
    grep -qxF "portwitness: $unseen (no cgroup2 is mounted)" "$summary"
    "$PORTWITNESS" check t >text
    grep -q "docker was not checked.*(incomplete: .*); $unseen (no cgroup2 is mounted)$" text ||
        grep -q "^portwitness: incomplete: .*; $unseen (no cgroup2 is mounted)$" text
}

@test "a control group above that admits no eBPF programs of others: seccomp, and that is said" {
    need_ebpf
    local group
    group=$(unified)$(sed -n 's/^0:://p' /proc/self/cgroup)/exclusive-$$
    mkdir "$group"
    "$data/exclusive_group" "$group" "$PORTWITNESS" run -o t -- sh -c "'$static'; '$capture/ports.raw' loop 2" \
        2>"$summary" || { rmdir "$group"; return 1; }
    run -125 --separate-stderr "$data/exclusive_group" "$group" "$PORTWITNESS" run --capture=ebpf -o t2 -- true
    rmdir "$group"
    local why='a control group above admits no eBPF programs beside its own: Operation not permitted'
    assert_equal "$stderr" "portwitness run: --capture=ebpf: $why"
    grep -q ' 1 by seccomp alone, no blind spots; ' "$summary"
    says_cause "$why"
}

# programs_seen LINE: of a shell that starts a static program, one with raw system calls and one of libc's.
programs_seen() {
    rm -f t
    recorded sh -c '"$1/ports.static" loop 2; "$1/ports.raw" loop 1; "$1/ports" loop 1; true' sh "$capture"
    summary_has "programs seen: $1"
    "$PORTWITNESS" ports --json t | jq -r '"\(.comm) \(.source)"' | sort -u >sources
    assert_equal "$(grep -v "^ports.raw" sources)" "ports shim
ports.static $(source_of)"
}

@test "the summary says by which means programs were seen, and names those that were not seen by the shim alone" {
    local each
    for each in "${means[@]}"; do
        options=(--capture="$each")
        case $each in
        ebpf) programs_seen '2 by the shim, 2 by eBPF (ports.static, ports.raw)' ;;
        seccomp) programs_seen '3 by the shim, 1 by seccomp (ports.static)' ;;
        esac
        rm t
        recorded sh -c '"$1/ports" loop 1; (:); true' sh "$capture"
        assert_equal "$(grep -c 'programs seen:' "$summary")" 0
    done
    for each in long-name-of-a-program one two three; do cp "$capture/ports.static" $each; done
    rm t
    recorded sh -c './long-name-of-a-program loop 1; ./one loop 1; ./two loop 1; ./three loop 1; ./one loop 1; true'
    grep -qE '^portwitness: programs seen: 1 by the shim, 5 by (eBPF|seccomp) \(long-name-of-a-program, one, two and 1 more\)$' \
        "$summary" || { cat "$summary"; return 1; }
}

# Holds a number, and starts a static program that wants it at the address $1.
wants() {
    cat >holder.py <<'PYTHON'
import socket, subprocess, sys
server = socket.create_server(("127.0.0.1", 4711))
sys.exit(subprocess.call(["busybox", "httpd", "-f", "-p", sys.argv[1] + ":4711"]))
PYTHON
    ! ldd "$(command -v busybox)" >/dev/null 2>&1 || skip 'this busybox is dynamic'
    rm -f t
    options=(--capture=ebpf)
    local status=0
    recorded "$python" holder.py "$1" || status=$?
    assert_equal "$status" 1
    "$PORTWITNESS" ports --failed --json t >failed
    assert_equal "$(jq -r '"\(.comm) \(.requested_port)"' failed)" 'busybox 4711'
}

@test "an error that was inferred is said to be" {
    need_ebpf
    wants 127.0.0.1
    assert_equal "$(found '.[] | "\(.kind) \(.certain) \(.subject.error) \(.subject.error_inferred)"')" \
        'address-in-use true EADDRINUSE true'
    assert_equal "$(found '.[] | .subject.seen_by, .holder.bound_by.seen_by' | xargs)" '[ ebpf ] [ shim ]'
    "$PORTWITNESS" check t >text || [ $? -eq 1 ]
    grep -q '^  bind to tcp 127.0.0.1:4711 failed with EADDRINUSE (inferred)' text
    "$PORTWITNESS" check -v t >text || [ $? -eq 1 ]
    grep -q '^  Call: bind to tcp 127.0.0.1:4711 failed with EADDRINUSE (inferred)$' text
}

@test "a failure of which nobody knows the error is no finding" {
    need_ebpf
    wants 192.0.2.1
    assert_equal "$(jq -r .error failed)" 'unknown error'
    assert_equal "$(kinds)" ''
}

@test "an error that the shim saw is not inferred" {
    options=()
    "${in_namespace[@]}" "$PORTWITNESS" run --quiet -o t -- "$python" -c 'import socket
server = socket.create_server(("127.0.0.1", 4711))
socket.create_server(("127.0.0.1", 4711))' 2>/dev/null && return 1
    assert_equal "$(found '.[] | "\(.subject.error) \(.subject.error_inferred)"')" 'EADDRINUSE false'
    "$PORTWITNESS" check t >text || [ $? -eq 1 ]
    assert_equal "$(grep -c inferred text)" 0
}
