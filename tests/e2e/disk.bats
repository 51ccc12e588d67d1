# Where the trace cannot be made, opened or grow, the guest gets the result that it would have had.

# shellcheck disable=SC2154,SC2034,SC2030,SC2031 # variables of bats, common.bash and unchanged.bash
# shellcheck disable=SC2016 # other shells expand what is in single quotes
bats_require_minimum_version 1.5.0
load ../common
load unchanged

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    mkdir disk
    trace=$BATS_TEST_TMPDIR/disk/trace
}

needs_root() {
    [ "$(id -u)" -eq 0 ] || skip 'needs root: mount'
}

# on_disk COMMAND...: before each guest MOUNT makes a new ./disk in a mount namespace of its own;
# afterwards what a trace there holds is left in ./records and ./evidence.
on_disk() {
    MOUNT=$1
    export MOUNT PORTWITNESS
    before=(unshare -m bash -c '
        eval "$MOUNT" || exit 99
        status=0
        "$@" || status=$?
        rm -f records evidence
        if [ -e disk/trace ]; then
            "$PORTWITNESS" export --format jsonl disk/trace >records 2>evidence
        fi
        exit $status' bash)
}

tmpfs='mount -t tmpfs -o size=900k none disk'
ext4='truncate -s 1m image && mkfs.ext4 -q -F -O ^has_journal image && mount -o loop image disk'

# The guest's records need far more room than the disk has.
fills_disk() {
    unchanged_by_hand 0 "$data/hostile" do-nothing 6000
    disk_was_full
    unchanged_by_hand 0 "$data/bind_loop" 16 400
    disk_was_full
    capture run "${before[@]}" "$PORTWITNESS" run --quiet -o disk/trace -- "$data/bind_loop" 16 400
    like_bare run 0
    disk_was_full
}

disk_was_full() {
    assert_matches "$(cat evidence)" 'lost: [0-9]+ records on a full disk'
    [ "$(jq -s 'map(select(.kind == "bind" and .assigned.port > 0)) | length' records)" -gt 1000 ]
}

@test "a tmpfs fills up under the trace: the guest runs on, the loss is counted" {
    needs_root
    on_disk "$tmpfs"
    fills_disk
}

@test "an ext4 disk fills up under the trace: the guest runs on, the loss is counted" {
    needs_root
    [ -e /dev/loop-control ] || skip 'no loop devices here'
    on_disk "$ext4"
    fills_disk
}

@test "a disk that is full from the start: one warning, and nothing is left there" {
    needs_root
    on_disk "$tmpfs; head -c 3m /dev/zero >disk/filler 2>fill.err; ls disk >disk.before"
    unchanged_by_hand 1 "$data/bind_loop" 2 10
    assert_matches "$(cat hand.all)" 'disk/trace cannot be made: the disk is full'
    assert_equal "$(cat disk.before)" filler
    [ ! -e records ]
}

@test "run on a full disk does not start the command, and says why" {
    needs_root
    on_disk "$tmpfs; head -c 3m /dev/zero >disk/filler 2>fill.err || true"
    run --separate-stderr "${before[@]}" "$PORTWITNESS" run -o disk/trace -- touch started
    assert_equal "$status" 125
    assert_equal "$(wc -l <<<"$stderr")" 1
    assert_matches "$stderr" 'disk is full'
    [ ! -e started ]
}

@test "a folder mounted read-only: one warning" {
    needs_root
    on_disk 'mount --bind disk disk && mount -o remount,bind,ro disk'
    unchanged_by_hand 1 "$data/bind_loop" 2 10
    assert_matches "$(cat hand.all)" 'EROFS'
}

# The checkout may be in a folder that nobody else can enter.
copy_for_others() {
    copy=$(mktemp -d /tmp/portwitness-disk.XXXXXX)
    chmod 755 "$copy"
    cp "$data/bind_loop" "$shim" "$copy/"
    data=$copy shim=$copy/libportwitness.so
    export PORTWITNESS_SHIM=$shim
}

teardown() {
    [ -z "${copy-}" ] || rm -r "$copy"
}

@test "a folder in which this user may not write: one warning" {
    needs_root
    chmod 755 disk
    before=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chmod a+x "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" 2>/dev/null || true
    copy_for_others
    unchanged_by_hand 1 "$data/bind_loop" 2 10
    assert_matches "$(cat hand.all)" 'EACCES'
}

@test "no such folder: one warning" {
    trace=$BATS_TEST_TMPDIR/nowhere/trace
    unchanged_by_hand 1 "$data/bind_loop" 2 10
    assert_matches "$(cat hand.all)" 'nowhere/trace cannot be (made|opened) \(ENOENT\)'
}

# The beginning of the file, which may be 4 GiB of holes.
sum() { head -c 2m disk/trace | sha256sum; }

# The file is left as it was found.
not_a_trace() {
    local sum=''
    [ ! -f disk/trace ] || sum=$(sum)
    capture bare "$data/bind_loop" 2 10
    capture hand by_hand "$data/bind_loop" 2 10
    like_bare hand 1
    [ -z "$sum" ] || assert_equal "$(sum)" "$sum"
    capture hand by_hand env PORTWITNESS_QUIET=1 "$data/bind_loop" 2 10
    assert_matches "$(cat hand.err)" "$warning"
    capture hand env PORTWITNESS_QUIET=1 LD_PRELOAD="$shim" PORTWITNESS_TRACE="$trace" \
        "$data/bind_loop" 2 10
    like_bare hand 0
}

@test "a text file instead of a trace: one warning, none with PORTWITNESS_QUIET=1" {
    yes 'this is no trace' | head -c 100000 >disk/trace
    not_a_trace
    assert_matches "$(cat hand.all)" '^$'
}

@test "an empty file instead of a trace: one warning, none with PORTWITNESS_QUIET=1" {
    : >disk/trace
    not_a_trace
}

@test "a folder instead of a trace: one warning, none with PORTWITNESS_QUIET=1" {
    mkdir disk/trace
    not_a_trace
}

@test "a fifo instead of a trace: one warning, and nobody waits for its other end" {
    mkfifo disk/trace
    not_a_trace
}

@test "a symbolic link instead of a trace is not followed" {
    by_hand true
    mv disk/trace disk/real
    ln -s real disk/trace
    not_a_trace
}

# changed OFFSET BYTES: a good trace with other bytes at that place.
changed() {
    by_hand true
    printf '%b' "$2" | dd of=disk/trace bs=1 seek="$1" conv=notrunc status=none
}

@test "a trace of another version, byte order, boot or length: one warning" {
    local change
    for change in '8 \x02' '12 \x01\x02\x03\x04' '16 \x20' '48 \xff\xff\xff\xff\xff'; do
        # shellcheck disable=SC2086 # two words
        changed $change
        not_a_trace
        rm disk/trace
    done
    by_hand true
    truncate -s 100000 disk/trace
    not_a_trace
}

@test "a trace may have any name that the folder takes; a longer path: one warning" {
    local name
    name=$(printf 'x%.0s' {1..255})
    "$PORTWITNESS" run --quiet -o "disk/$name" -- true
    [ -s "disk/$name" ]
    [ "$(find disk -type f | wc -l)" -eq 1 ]
    capture hand env LD_PRELOAD="$shim" PORTWITNESS_TRACE="/$(printf 'y/%.0s' {1..2100})t" "$data/bind_loop" 1 3
    capture bare "$data/bind_loop" 1 3
    like_bare hand 1
    assert_equal "$(grep portwitness hand.all)" \
        'portwitness: PORTWITNESS_TRACE is too long (ENAMETOOLONG); the program runs on unrecorded'
}

# A tree in which every way of starting a program occurs, some with a cleared environment.
tree=(sh -c '
    "$1" 1 3
    /usr/bin/env -i "$1" 1 3
    perl -e "system { \$ARGV[0] } @ARGV; system qq(\$ARGV[0] 1 3)" "$1" 1 3
    /usr/bin/python3 -c "import os, subprocess, sys
subprocess.run(sys.argv[1:], env={})
os.system(sys.argv[1] + \" 1 3\")
os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:])" "$1" 1 3
    ("$1" 1 3; (exec "$1" 1 3)) | cat
' sh "$data/bind_loop")

@test "no more than one warning in a whole tree of programs" {
    mkdir disk/trace
    capture bare "${tree[@]}"
    assert_equal "$(grep -c succeeded bare.out)" 9
    capture hand by_hand "${tree[@]}"
    like_bare hand 1
    capture hand env PORTWITNESS_QUIET=1 LD_PRELOAD="$shim" PORTWITNESS_TRACE="$trace" "${tree[@]}"
    like_bare hand 0
}

@test "programs that changed to a user who may not open the trace run without a word" {
    needs_root
    local drop=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    copy_for_others
    options=(--capture=preload)
    unchanged sh -c '"$@"; "$@"; "$@"' sh "${drop[@]}" "$data/bind_loop" 2 10
    assert_equal "$(exported 'map(select(.reason == "may not open the trace")) | length')" 3
}
