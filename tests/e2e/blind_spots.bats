# Programs that the shim cannot enter: they run as they would, and the summary of `run` names each of
# them with the reason, where nothing but the shim may see them. The last tests are of what eBPF then sees.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034,SC2016 # variables of guests.bash and of subshells, those of jq

setup() {
    load ../common
    load guests
    load capture
    capture_setup
    options=(--capture=preload)
    show=$data/show_environment
    static=$data/bind_once.static
}

teardown() {
    guests_teardown
    [ -z "${open-}" ] || rm -r "$open"
}

# blind PROGRAM REASON: the one blind spot that the summary names.
blind() {
    grep -qF "1 blind spot: $1 ($2)" "$summary" || { cat "$summary" >&2; return 1; }
}

nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)

# A folder that the user nobody can reach, with copies of a guest and of the shim in it, and with
# the trace to be.
copy_for_nobody() {
    [ "$(id -u)" -eq 0 ] || skip 'another user needs root'
    open=$(mktemp -d /tmp/portwitness-blind.XXXXXX)
    chmod 755 "$open"
    cp "$show" "$open/guest"
    cp "$build/libportwitness.so" "$open/"
    export PORTWITNESS_SHIM=$open/libportwitness.so
    trace=$open/trace
}

@test "a static program, started by run itself, by a shell and by posix_spawn" {
    record "$static" >said
    grep -q '^port [1-9]' said
    blind "$static" 'static program'
    rm "$trace"
    record sh -c "$static; $show" >said
    blind "$static" 'static program'
    [ "$(rows 'map(select(.requested_port == 0 and .comm == "show_environmen")) | length')" -eq 1 ]
    rm "$trace"
    record "$show" posix_spawn "$static" >said
    [ "$(grep -c '^port [1-9]' said)" -eq 2 ]
    blind "$static" 'static program'
}

@test "a dynamic Go program, which loads the shim and goes past it" {
    record sh -c "$data/go_like && $show" >said
    blind "$data/go_like" 'Go program that calls the kernel itself'
    [ "$(rows 'map(select(.requested_port == 0 and .comm == "show_environmen")) | length')" -eq 1 ]
}

@test "a dynamic Go program by hand, where nobody looked at it before it started" {
    LD_PRELOAD=$build/libportwitness.so PORTWITNESS_TRACE=$trace "$data/go_like"
    "$PORTWITNESS" ports "$trace" 2>evidence
    grep -q "blind spot: 1 Go program that calls the kernel itself, first $data/go_like" evidence
}

@test "a script whose interpreter is static" {
    printf '#!%s sh\necho "said by $0"\n' "$(command -v busybox)" >script
    chmod +x script
    ldd "$(command -v busybox)" >/dev/null 2>&1 && skip 'this busybox is dynamic'
    record sh -c ./script >said
    [ "$(cat said)" = 'said by ./script' ]
    grep -qE '1 blind spot: [^ ]*(busybox|script) \(static program\)' "$summary"
}

@test "a setuid program of another user" {
    copy_for_nobody
    chmod 4755 "$open/guest"
    options+=(--shared)
    record "${nobody[@]}" sh -c "$open/guest" >said
    grep -q '^port [1-9]' said
    blind "$open/guest" 'setuid, setgid or capabilities'
    [ "$(rows 'map(select(.comm == "guest" and .call != null)) | length')" -eq 0 ]
}

@test "a program with capabilities of its file" {
    copy_for_nobody
    "$python" -c 'import os, struct, sys
os.setxattr(sys.argv[1], "security.capability", struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0))' \
        "$open/guest"
    options+=(--shared)
    record "${nobody[@]}" sh -c "$open/guest" >said
    grep -q '^port [1-9]' said
    blind "$open/guest" 'setuid, setgid or capabilities'
}

@test "a user who may not open the trace: output and status as without, one warning" {
    copy_for_nobody
    record "${nobody[@]}" "$open/guest" >said
    grep -q '^port [1-9]' said
    blind "$open/guest" 'may not open the trace'
    [ "$(grep -cv '^portwitness: [0-9]* \|^portwitness: /\|^portwitness: raw system calls' "$summary")" -le 1 ]
}

@test "a user who may not enter the trace's folder: a shell found by PATH, and what it starts" {
    copy_for_nobody
    mkdir -m 700 "$open/closed"
    trace=$open/closed/trace
    options+=(--shared)
    record "${nobody[@]}" sh -c "$open/guest; :" >said
    grep -q '^port [1-9]' said
    grep -qE 'blind spots?: [^ ]*/sh \(may not open the trace\)' "$summary"
    [ -z "$(rows '.[] | .port')" ]
}

@test "the same user with --shared: seen" {
    copy_for_nobody
    options+=(--shared)
    record "${nobody[@]}" "$open/guest" >said
    grep -q 'no blind spots' "$summary"
    [ "$(rows '.[] | select(.comm == "guest") | .port')" = "$(sed -n 's/^port \([0-9]*\) .*/\1/p' said)" ]
}

@test "a program of another C library, started by run itself and by a shell" {
    printf '#include <stdio.h>\nint main(void) { return puts("musl") < 0; }\n' >guest.c
    musl-gcc -o guest guest.c
    record ./guest >said 2>&1
    [ "$(cat said)" = musl ]
    blind ./guest 'other architecture'
    rm "$trace"
    record sh -c './guest && exit 3' >said || [ $? -eq 3 ]
    [ "$(cat said)" = musl ]
    blind ./guest 'other architecture'
}

@test "a program of another word size" {
    [ "$(uname -m)" = x86_64 ] || skip 'the program below is for x86-64 kernels'
    # exit(7) in 32 bits, without any library.
    printf '.globl _start\n_start: mov $1, %%eax\nmov $7, %%ebx\nint $0x80\n' >guest.s
    as --32 -o guest.o guest.s
    ld -m elf_i386 -o guest guest.o
    local bare=0 status=0
    sh -c ./guest 2>/dev/null || bare=$?
    record sh -c ./guest 2>/dev/null || status=$?
    [ "$status" -eq "$bare" ]
    # A kernel without 32-bit programs refuses it (ENOEXEC), and then there is nothing to be blind for.
    [ "$bare" -eq 7 ] || return 0
    grep -qE '1 blind spot: [^ ]*guest \((other architecture|static program)\)' "$summary"
    # A filter of seccomp lets its calls through.
    options=(--capture=seccomp)
    rm "$trace"
    record sh -c ./guest || [ $? -eq 7 ]
    grep -qE '1 blind spot: [^ ]*guest \(other architecture\)' "$summary"
}

@test "a program that can be seen is no blind spot" {
    record sh -c "$show; env -i $show" >said
    grep -q 'no blind spots' "$summary"
}

# eBPF is what `run` chooses itself as root.
by_default() {
    need_ebpf
    options=(--shared)
}

# sees PROGRAM COMMAND...: that program, of which the shim records no call, gets a port, and the trace has it.
sees() {
    rm -f "$trace"
    record "${@:2}" >said
    grep -q 'no blind spots' "$summary" || { cat "$summary" >&2; return 1; }
    "$PORTWITNESS" export --format jsonl "$trace" >records
    assert_equal "$(jq -r --arg name "$1" 'select(.kind == "bind" and .comm == $name)
        | "\(.source) \(.assigned.port)"' records)" "kernel $(sed -n 's/^port \([0-9]*\).*/\1/p' said)"
}

@test "by default: a static program is seen, by the start of run itself and by that of a shell" {
    by_default
    sees bind_once.stati "$static"
    sees bind_once.stati sh -c "$static; :"
}

@test "by default: a setuid program, and one that may not open the trace, are seen" {
    copy_for_nobody
    by_default
    options=()
    sees guest "${nobody[@]}" "$open/guest"
    chmod 4755 "$open/guest"
    sees guest "${nobody[@]}" sh -c "$open/guest"
}
