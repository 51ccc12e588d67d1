# Which system calls the start and the end of a program add: each costs every program of a test run, so
# none comes in unseen. docs/performance.md has the reason of each.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    cd "$BATS_TEST_TMPDIR" || return
    true=$(type -P true)
    strace -o /dev/null "$true" 2>/dev/null || skip 'strace cannot trace here'
    unset LD_PRELOAD PORTWITNESS_TRACE
    # Before a command: it has the descriptors 0 to 2 and no others.
    three_descriptors=("$python" -c 'import os, sys; os.closerange(3, 1024); os.execvp(sys.argv[1], sys.argv[1:])')
}

# Where the kernel answers less, more is asked.
assume_a_kernel_that_answers() {
    [ "$(stat -L -c %s /proc/self/fd)" -gt 0 ] || skip 'the kernel does not count descriptors (before Linux 6.2)'
    grep -q '^Seccomp:[[:space:]]*0$' /proc/self/status || skip 'a seccomp filter is on everything here'
    grep -qE '^(tsc|kvm-clock|hyperv_clocksource_tsc_page)$' \
        /sys/devices/system/clocksource/clocksource0/current_clocksource ||
        skip 'programs cannot read the clock source here without a system call'
}

# names FILE: one call a line behind the execve of `true`, those that name a file with it.
names() {
    sed -n '/execve("[^"]*\/true"/,$p' "$1" | sed -E '
        /^([0-9]+ +)?(\+\+\+|execve|exit_group|<\.\.\.)/d
        s/^[0-9]+ +//
        s/^([a-z0-9_]+)\([^"]*"(\/proc[^"]*|[^"]*\/trace)".*/\1 \2/
        s/^([a-z0-9_]+)\(.*/\1/
        s/ [^ ]*\/trace$/ TRACE/'
}

# added BY: what the list in the file `with` has that the one in `without` has not; they are alike up to
# where the shim begins.
added() {
    diff <(sort without) <(sort with) | sed -n 's/^> //p'
}

# expected: what both add. RLIMIT_MEMLOCK does not count for root.
expected() {
    printf '%s\n' close close close madvise mmap 'newfstatat /proc/self/fd' newfstatat 'openat /proc/self/stat' \
        'openat /proc/self/status' 'openat TRACE' pread64 prlimit64 read read getpid getsockopt getsockopt getsockopt
    [ "$(id -u)" -eq 0 ] || echo prlimit64
}

without_trace() {
    "${three_descriptors[@]}" strace -o calls -E LD_PRELOAD="$shim" "$true" </dev/null
    names calls >without
}

# By hand nobody says that the trace is of this boot.
boot_id() { printf '%s\n' 'openat /proc/sys/kernel/random/boot_id' read close; }

@test "a start by hand adds the calls that docs/performance.md names" {
    assume_a_kernel_that_answers
    without_trace
    LD_PRELOAD=$shim PORTWITNESS_TRACE=$PWD/trace "$true"
    "${three_descriptors[@]}" strace -o calls -E LD_PRELOAD="$shim" -E PORTWITNESS_TRACE="$PWD/trace" "$true" </dev/null
    names calls >with
    assert_equal "$(added)" "$({ expected && boot_id; } | sort)"
}

@test "a start under run adds the same but for the boot's id" {
    assume_a_kernel_that_answers
    without_trace
    "${three_descriptors[@]}" env ASAN_OPTIONS=detect_leaks=0 strace -ff -o run.calls "$PORTWITNESS" run -q \
        --capture=preload -o trace -- "$true" </dev/null
    names "$(grep -l 'execve("[^"]*/true"' run.calls.*)" >with
    assert_equal "$(added)" "$(expected | sort)"
}

@test "without a trace nothing is asked" {
    without_trace
    strace -o calls "$true" </dev/null
    names calls >bare
    # Of the loader alone, for one more library.
    run -0 comm -13 <(sort -u bare) <(sort -u without)
    assert_equal "$output" ''
}

# inherits FD...: the numbers that are recorded of a program which starts with these.
inherits() {
    rm -f trace
    LD_PRELOAD='' "$python" - "$shim" "$PWD/trace" "$true" "$@" <<'END'
import os, socket, sys
shim, trace, program, *wanted = sys.argv[1:]
held = [socket.socket(), os.open("/", os.O_PATH), os.open("/dev/null", os.O_RDONLY)]
held = [os.dup2(h.fileno() if isinstance(h, socket.socket) else h, 900 + i) for i, h in enumerate(held)]
os.closerange(3, 900)
for word in wanted:
    kind, number = word.split(":")
    if kind == "closed":
        os.close(int(number))
    else:
        os.dup2(held[("socket", "path", "file").index(kind)], int(number))
os.closerange(900, 1024)
os.execve(program, [program], {"LD_PRELOAD": shim, "PORTWITNESS_TRACE": trace})
END
    "$PORTWITNESS" export --format jsonl trace | jq -r 'select(.kind == "descriptor") | .fd' | xargs
}

@test "each inherited socket is recorded, whichever numbers are open" {
    assert_equal "$(inherits)" ''
    assert_equal "$(inherits socket:0)" 0
    assert_equal "$(inherits socket:1 socket:3)" '1 3'
    assert_equal "$(inherits socket:3 socket:4 file:5 socket:6)" '3 4 6'
    assert_equal "$(inherits socket:9)" 9
    assert_equal "$(inherits socket:700 file:3)" 700
    assert_equal "$(inherits closed:0 socket:5)" 5
    assert_equal "$(inherits closed:0 closed:1 socket:1 socket:4)" '1 4'
    assert_equal "$(inherits path:3 socket:4 path:0 socket:8)" '4 8'
}

# own_namespace BEFORE...: sets `seen` to the inode that `stat` prints of its pid namespace, which is the
# one that is recorded.
own_namespace() {
    seen=$("$@" env LD_PRELOAD="$shim" PORTWITNESS_TRACE="$PWD/trace" stat -L -c %i /proc/self/ns/pid)
    assert_equal "$("$PORTWITNESS" export --format jsonl trace |
        jq -s 'map(select(.kind == "process-start" and .comm == "stat") | .pid_namespace) | last')" "$seen"
}

@test "the pid namespace that is recorded is the program's own, whichever /proc it sees" {
    own_namespace env
    here=$seen
    own_namespace env
    assert_equal "$seen" "$here"
    unshare --pid --fork true 2>/dev/null || skip 'no pid namespace may be made here'
    own_namespace unshare --pid --fork
    [ "$seen" != "$here" ]
    own_namespace unshare --pid --fork --mount-proc
    [ "$seen" != "$here" ]
}
