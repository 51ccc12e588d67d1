# Guests that put a seccomp filter on themselves: one system call that they did not ask for may end
# them, so they run as without the shim, and the trace says that they could not be asked.

# shellcheck disable=SC2154,SC2034 # variables of bats and unchanged.bash
load ../common
load unchanged

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    trace=$BATS_TEST_TMPDIR/trace
    guest=$data/sandboxed
}

# The blind spots of the trace, "REASON PROGRAM" each; also those that are none where eBPF sees the program.
blind_spots() {
    exported 'map(select(.kind == "blind-spot") | "\(.reason) \(.text | split("/") | last)")
        | unique | join(", ")'
}

# in_each_way HOW ACTION WHAT...: the guest as bare, and named; in a short run each second.
in_each_way() {
    local how=$1 action=$2 what number=0
    shift 2
    for what; do
        [ -n "${TESTS_FULL-}" ] || [ $((number++ % 2)) -eq 0 ] || continue
        rm -f "$trace" "$trace.hand"
        unchanged "$guest" "$how" "$action" "$what" || return
        assert_equal "$how $action $what: $(blind_spots)" \
            "$how $action $what: sandboxed sandboxed" || return
        assert_equal "$(from=$trace.hand blind_spots)" 'sandboxed sandboxed' || return
    done
}

@test "a filter that kills ends nobody, whatever the guest does under it" {
    in_each_way prctl kill calls fork clone vfork vfork-filter exec spawn shell thread
}

@test "nor does one that traps, or one that answers EPERM, and nobody prints a word" {
    in_each_way prctl trap calls fork vfork-filter exec
    in_each_way prctl errno calls fork vfork-filter exec shell
}

@test "nor does one made by seccomp(2), for all threads, or by syscall(2)" {
    in_each_way seccomp kill calls exec
    in_each_way tsync kill calls thread
    in_each_way raw-prctl kill calls
}

@test "nor under a policy" {
    local policy what under_policy=(calls vfork-filter)
    [ -z "${TESTS_FULL-}" ] || under_policy+=(fork spawn)
    for policy in soonest quarantine:1 seeded:7 range:20000-29999; do
        for what in "${under_policy[@]}"; do
            capture bare "$guest" seccomp kill "$what"
            rm -f "$trace"
            capture run "$PORTWITNESS" run -q --policy "$policy" -o "$trace" -- \
                "$guest" seccomp kill "$what"
            like_bare run 0
            assert_equal "$(blind_spots)" 'sandboxed sandboxed'
        done
    done
}

@test "nor under keep, where what is kept is bound by number, and listened on, under the filter" {
    local how action what hows=(seccomp) under_keep=(picked calls thread)
    [ -z "${TESTS_FULL-}" ] || hows+=(tsync) under_keep+=(fork spawn vfork-filter exec)
    for how in "${hows[@]}"; do
        for action in kill errno; do
            for what in "${under_keep[@]}"; do
                capture bare "$guest" "$how" "$action" "$what"
                assert_matches "$(cat bare.out)" "$what: 0$|started, 0 failed$"
                rm -f "$trace"
                capture run "$PORTWITNESS" run -q --policy keep -o "$trace" -- \
                    "$guest" "$how" "$action" "$what"
                like_bare run 0
                assert_equal "$(blind_spots)" 'sandboxed sandboxed'
            done
        done
    done
    # The third is a socket of before, whose port was read and which listens under the filter.
    "$PORTWITNESS" run -q --policy keep -o "$trace.picked" -- "$guest" seccomp kill picked
    assert_equal "$("$PORTWITNESS" check --json --fail-on never "$trace.picked" |
        jq -c '.policies[0] | [.kept, .kept_bound]')" '[3,3]'
}

@test "in a sandbox as well what is kept is given up where the range is used up" {
    # shellcheck disable=SC2016 # for the shell inside
    few_ports=("${in_namespace[@]}" sh -c 'echo 40000 40063 >/proc/sys/net/ipv4/ip_local_port_range && exec "$@"' sh)
    capture bare "${few_ports[@]}" "$guest" seccomp kill use-up
    assert_matches "$(cat bare.out)" 'given: 64'
    capture run "${few_ports[@]}" "$PORTWITNESS" run -q --policy keep -o "$trace" -- "$guest" seccomp kill use-up
    like_bare run 0
    assert_equal "$("$PORTWITNESS" check --json --fail-on never "$trace" |
        jq -c '.policies[0] | [.kept, .kept_given_up]')" '[4,4]'
}

@test "nor for an ordinary user, in a trace that is shared" {
    local folder
    folder=$(mktemp -d)
    chmod 755 "$folder"
    cp "$PORTWITNESS" "$shim" "$guest" "$folder"
    as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    capture bare "${as_nobody[@]}" "$folder/sandboxed" prctl kill calls
    capture run "$PORTWITNESS" run -q --shared -o "$folder/trace" -- \
        "${as_nobody[@]}" "$folder/sandboxed" prctl kill calls
    like_bare run 0
    assert_equal "$(from=$folder/trace blind_spots)" 'sandboxed sandboxed'
    mkdir -m 777 "$folder/out"
    capture run "${as_nobody[@]}" "$folder/portwitness" run -q -o "$folder/out/trace" -- \
        "$folder/sandboxed" prctl kill fork
    assert_equal "$(cat run.out)" $'filter: 0\nfork: 0'
    assert_equal "$(from=$folder/out/trace blind_spots)" 'sandboxed sandboxed'
    rm -r "$folder"
}

@test "what memory can tell is recorded: ports read by the program, closes, refusals" {
    run_ports() { "$PORTWITNESS" ports --json "$trace" 2>/dev/null; }
    "$PORTWITNESS" run -q --capture=preload -o "$trace" -- "$guest" seccomp kill calls
    run_ports >rows
    # The socket of before, the listener, the port bound by number, and who was refused it.
    local before
    before=$(jq -r 'select(.requested_port != 0 and .error == null) | .port' rows)
    assert_matches "$before" '^[0-9]+$'
    assert_equal "$(jq -r --argjson p "$before" 'select(.requested_port == 0 and .port == $p)
        | .end_known_by' rows)" closed
    assert_equal "$(jq -r 'select(.requested_port == 0 and .port != null and .port != 0) | .port' \
        rows | wc -l)" 2
    assert_equal "$(exported 'map(select(.kind == "bind" and .error == "EADDRINUSE")) | length')" 1
    # Nothing was asked: no cookie of the kernel's stands on what was made under the filter.
    "$PORTWITNESS" check --json "$trace" >findings 2>/dev/null || true
    assert_equal "$(jq -r .verdict findings | grep -c '^clean$')" 0
}

@test "what is no port is not taken for one: an address that was cut" {
    "$PORTWITNESS" run -q --capture=preload -o "$trace" -- "$guest" seccomp kill cut-name
    assert_equal "$("$PORTWITNESS" ports --json "$trace" 2>/dev/null | jq -r .port)" null
}

@test "a close in a sandbox proves nothing: its own connection is no lost race" {
    "$PORTWITNESS" run -q -o "$trace" -- "$guest" none kill own-connection
    "$PORTWITNESS" run -q -o "$trace.sandboxed" -- "$guest" seccomp kill own-connection
    "$PORTWITNESS" check --json "$trace.sandboxed" >findings
    assert_equal "$(jq -c '[.findings[]? | select(.kind == "lost-race" or .severity == "error")]' findings)" '[]'
}

@test "a filter is seen in a program of many groups, and where there is no /proc" {
    [ "$(id -u)" -eq 0 ] || skip 'only root can change its groups'
    cat >groups.py <<'END'
import os, sys
os.setgroups([4000000000 + i for i in range(500)])
os.execv(sys.argv[1], sys.argv[1:])
END
    unchanged /usr/bin/python3 groups.py "$guest" seccomp kill exec
    rm -f "$trace" "$trace.hand"
    # shellcheck disable=SC2016 # for the shell below
    unchanged unshare -m sh -c 'mount --make-rprivate / && mount -t tmpfs none /proc && exec "$@"' - \
        "$guest" seccomp errno exec
}

@test "threads: one that is refused a filter, and ones that bind, beside one that takes it" {
    local how policy
    for how in seccomp tsync; do
        in_each_way "$how" kill beside-binds
        for policy in soonest seeded:7; do
            rm -f "$trace"
            "$PORTWITNESS" run -q --policy "$policy" -o "$trace" -- "$guest" "$how" kill beside-binds
        done
    done
    in_each_way seccomp kill beside-refused
    # Whoever of the two came first, the program has a name.
    local turn
    for ((turn = 0; turn < REFUSED_RUNS; turn++)); do
        rm -f "$trace"
        "$PORTWITNESS" run -q -o "$trace" -- "$guest" seccomp kill beside-refused >out
        assert_equal "$(blind_spots)" 'sandboxed sandboxed'
    done
}

@test "by hand a program tells a filter of its own from the surroundings', with an environment of its own" {
    # What the guest executes was given the variables before the filter was made.
    cat >later.py <<'END'
import ctypes, os, struct
kept = dict(os.environ)
code = [(0x20, 0, 0, 0), (0x15, 0, 1, 56), (6, 0, 0, 0x80000000), (0x15, 0, 1, 61),
        (6, 0, 0, 0x80000000), (6, 0, 0, 0x7fff0000)] # clone and wait4 kill
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
filter = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(program))
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, filter, 0, 0) == 0
os.execve("/bin/true", ["true"], kept)
END
    [ "$(uname -m)" = x86_64 ] || skip 'the filter below knows the numbers of x86-64'
    /usr/bin/python3 later.py
    by_hand /usr/bin/python3 later.py
}

@test "call sites under the filter are found, as the modules were noted before" {
    "$PORTWITNESS" run -q -o "$trace" -- "$guest" seccomp kill fork
    assert_equal "$(exported 'map(select(.kind == "bind") | .site) | length')" 2
    assert_equal "$(exported 'map(select(.kind == "bind") | .site.module | split("/") | last)
        | unique | join(" ")')" sandboxed
}

@test "a vfork child that takes a filter leaves its parent as it was" {
    # The ports of the children themselves are nothing that the shim can know.
    "$PORTWITNESS" run -q --capture=preload -o "$trace" -- "$guest" seccomp kill vfork-filter
    "$PORTWITNESS" ports --json "$trace" 2>/dev/null >rows
    assert_equal "$(jq -r 'select(.port > 0) | .end_known_by' rows)" closed
    # The kernel was asked for the parent's cookie and for its port.
    assert_equal "$(exported 'map(select(.kind == "bind" and (.flags | index("has-assigned"))
        and .cookie < 9223372036854775808)) | length >= 1')" true
}

@test "a filter that the kernel does not take changes nothing: programs ask that way what it can do" {
    "$PORTWITNESS" run -q -o "$trace" -- "$guest" refused kill calls
    assert_equal "$(blind_spots)" ''
    assert_equal "$(exported 'map(select(.kind == "bind" and .error == null
        and (.flags | index("has-assigned") | not))) | length')" 0
}

@test "run and check name the program that could not be asked" {
    "$PORTWITNESS" run --capture=preload -o "$trace" -- "$guest" prctl kill fork 2>errors
    assert_matches "$(cat errors)" 'blind spots?: .*sandboxed \(sandboxed\)'
    run "$PORTWITNESS" check --strict "$trace"
    assert_equal "$status" 3
    assert_matches "$output" 'sandboxed: .*/sandboxed'
}

@test "where eBPF sees it as well it is no blind spot, nor is what it executes" {
    load guests
    load capture
    need_ebpf
    "$PORTWITNESS" run -o "$trace" -- "$guest" prctl kill exec 2>errors
    assert_matches "$(cat errors)" 'no blind spots'
    "$PORTWITNESS" ports --only-ephemeral --json "$trace" >rows 2>evidence
    assert_matches "$(jq -r .port rows)" '^[1-9][0-9]*$'
    assert_equal "$(cat evidence)" ''
    run "$PORTWITNESS" check --strict "$trace"
    assert_equal "$status" 0
}

@test "a thousand binds find room; what finds none is counted as lost" {
    by_hand "$guest" seccomp kill some
    "$PORTWITNESS" ports "$trace" >/dev/null 2>evidence
    assert_equal "$(grep -c lost evidence)" 0
    rm "$trace"
    by_hand "$guest" seccomp kill many
    "$PORTWITNESS" ports "$trace" >/dev/null 2>evidence
    assert_matches "$(cat evidence)" 'lost: [0-9]+ records without room made for them'
}

@test "a filter of the surroundings, a container's, is none of the guest's own" {
    before=("$guest" --surround errno)
    unchanged "$data/bind_loop" 1 20
    assert_equal "$(assigned_in "$trace")" 20
    assert_equal "$(assigned_in "$trace.hand")" 20
    assert_equal "$(blind_spots)" ''
    # Under it, a program's own is distinguished, also where the environment was cleared on the way.
    rm "$trace" "$trace.hand"
    unchanged "$guest" prctl kill exec
    assert_equal "$(blind_spots)" 'sandboxed sandboxed'
    rm "$trace" "$trace.hand"
    unchanged env -i "$data/bind_loop" 1 20
    assert_equal "$(assigned_in "$trace")" 20
    assert_equal "$(blind_spots)" ''
}

@test "surroundings that end whoever makes our calls end no guest, and run says so" {
    local action
    for action in kill trap; do
        capture bare "$data/bind_loop" 1 20
        rm -f "$trace"
        capture run "$guest" --surround "$action" "$PORTWITNESS" run -o "$trace" -- \
            "$data/bind_loop" 1 20
        assert_equal "$(cat run.status)" 0
        diff bare.out run.out
        assert_matches "$(cat run.err)" 'run: the seccomp filter of this environment ends programs'
        [ ! -e "$trace" ]
        capture hand "$guest" --surround "$action" env LD_PRELOAD="$shim" \
            PORTWITNESS_TRACE="$trace.hand" "$data/bind_loop" 1 20
        like_bare hand 0
    done
}
