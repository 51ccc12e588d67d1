# Guests that lack, or take away, what the shim stands on: they print what they print without it.

# shellcheck disable=SC2154,SC2034 # variables of bats, common.bash and unchanged.bash
load ../common
load unchanged

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    trace=$BATS_TEST_TMPDIR/trace
}

@test "a guest that lowers RLIMIT_AS runs on; what cannot be mapped is counted" {
    unchanged_by_hand 0 "$data/hostile" lower-address-space 130000
    mv "$trace" "$trace.hand"
    [ "$(assigned_in "$trace.hand")" -gt 20000 ]
    assert_matches "$(cat evidence)" 'lost: [0-9]+ records without address space'
}

@test "a guest that locks all its memory runs on, and nothing is lost" {
    [ "$(id -u)" -eq 0 ] || skip 'needs root: others may lock only a little'
    unchanged "$data/hostile" lock-all 40000
    assert_equal "$(assigned_in "$trace.hand")" 40000
    assert_equal "$(assigned_in "$trace")" 40000
}

@test "a guest that closes every descriptor is recorded on" {
    unchanged "$data/hostile" close-all 1000
    assert_equal "$(assigned_in "$trace.hand")" 1000
    assert_equal "$(assigned_in "$trace")" 1000
    unchanged "$data/hostile" close-everything 1000
    assert_equal "$(assigned_in "$trace.hand")" 1000
    assert_equal "$(assigned_in "$trace")" 1000
}

@test "a guest in a sandbox that answers EPERM to all that the shim adds runs on" {
    options=(--capture=preload)
    unchanged "$data/hostile" forbid-the-rest 5000
    assert_matches "$(cat bare.out)" 'getppid: -1 EPERM'
    assert_matches "$(cat bare.out)" 'succeeded 5000 of 5000'
    # By hand nobody makes room for the records, and the guest may not any more.
    [ "$(assigned_in "$trace.hand")" -lt 5000 ]
    assert_matches "$(cat evidence)" 'lost: [0-9]+ records without room made for them'
    assert_matches "$(cat evidence)" 'blind spot: 1 sandboxed'
    [ "$(assigned_in "$trace")" -gt 0 ]
    assert_matches "$(cat evidence)" 'blind spot: 1 sandboxed'
}

@test "a guest under RLIMIT_AS below the trace's size maps what fits" {
    local kilobytes
    for kilobytes in 200000 40000 9000; do
        unchanged sh -c "ulimit -v $kilobytes; exec \"\$@\"" sh "$data/hostile" do-nothing 2000
        assert_equal "$(assigned_in "$trace.hand")" 2000
        assert_equal "$(assigned_in "$trace")" 2000
        rm "$trace" "$trace.hand"
    done
}

@test "under a small RLIMIT_FSIZE the trace is smaller, and no SIGXFSZ comes" {
    before=(bash -c 'ulimit -f 4096; exec "$@"' bash)
    unchanged_by_hand 0 "$data/hostile" do-nothing 24000
    assert_equal "$(stat -c %s "$trace")" $((4096 * 1024))
    [ "$(assigned_in "$trace")" -gt 5000 ]
    assert_matches "$(cat evidence)" 'lost: [0-9]+ records over the maximal size'
}

@test "under an RLIMIT_FSIZE that no trace fits in, one warning and no trace" {
    before=(bash -c 'ulimit -f 64; exec "$@"' bash)
    unchanged_by_hand 1 "$data/hostile" do-nothing 100
    assert_matches "$(cat hand.all)" 'file size limit'
    assert_equal "$(find . -name 'trace*')" ''
}

@test "a guest under run that lowers RLIMIT_FSIZE is recorded on" {
    unchanged bash -c 'ulimit -f 8; exec "$@"' bash "$data/hostile" do-nothing 2000
    assert_equal "$(assigned_in "$trace")" 2000
}

# A root with a shell and two guests, in which neither the shim nor the trace exist.
make_root() {
    local file
    mkdir -p root/bin
    cp "$data/hostile" "$data/bind_loop" root/bin/
    cp /bin/sh root/bin/sh
    while read -r file; do
        mkdir -p "root/$(dirname "$file")"
        cp "$file" "root/$file"
    done < <(ldd "$data/bind_loop" /bin/sh | grep -o '/[^ :]*\.so[^ :]*' | sort -u)
}

@test "programs started in another root run without the loader's complaints" {
    [ "$(id -u)" -eq 0 ] || skip 'needs root: chroot'
    make_root
    options=(--capture=preload)
    unchanged chroot root /bin/sh -c '/bin/bind_loop 2 5; /bin/sh -c "/bin/bind_loop 1 5; exit 4"'
    assert_equal "$(cat bare.status)" 4
    assert_matches "$(exported 'map(select(.kind == "blind-spot"))[] | "\(.text) \(.reason)"')" \
        '^/bin/sh cannot reach the shim or the trace$'
}

@test "a guest that changes its root is recorded on, and its shell runs without complaints" {
    [ "$(id -u)" -eq 0 ] || skip 'needs root: chroot'
    make_root
    cd root
    options=(--capture=preload)
    unchanged "$data/hostile" chroot 100 '/bin/bind_loop 1 5; exit 3'
    # The shell does not reach the shim in that root: eBPF alone sees its 5.
    assert_equal "$(assigned_in "$trace.hand")" 100
    assert_equal "$(assigned_in "$trace")" 100
    options=()
    load guests
    load capture
    ! has_ebpf || {
        rm "$trace" "$trace.hand"
        unchanged "$data/hostile" chroot 100 '/bin/bind_loop 1 5; exit 3'
        assert_equal "$(assigned_in "$trace")" 105
    }
}

@test "smallest stacks, of threads and of signal handlers, are large enough for the shim too" {
    unchanged "$data/small_stack"
    assert_equal "$(wc -l <bare.out)" 6
    assert_equal "$(grep -c '600 600$' bare.out)" 5
    unchanged "$data/small_stack" cleared
}
