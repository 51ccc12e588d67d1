# One trace that is named twice, or beside a copy of it, is read once; what a damaged one claims to hold
# and has no bytes for is counted.
# shellcheck disable=SC2154 # variables of bats and of common.bash

bats_require_minimum_version 1.5.0
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

make_trace() {
    "$PORTWITNESS" run --quiet -o "$1" -- "$python" "$root/tests/guests/accepted_and_window.py"
}

# once COMMAND...: it says of the second name that it is the first one's trace, and what it writes
# is what it writes of the first alone.
once() {
    local other status alone_status=0
    timeout 60 "$PORTWITNESS" "$@" one.trace >alone 2>errors || alone_status=$?
    for other in one.trace ./one.trace copy.trace link.trace hard.trace; do
        status=0
        timeout 60 "$PORTWITNESS" "$@" one.trace "$other" >both 2>errors || status=$?
        assert_equal "$status" "$alone_status"
        assert_equal "$(grep -c . errors)" 1
        assert_equal "$(cat errors)" "portwitness: $other: same trace as one.trace; read once"
        diff alone both
    done
}

@test "a trace that is named twice, by a link, or beside a copy is read once, and that is reported" {
    make_trace one.trace
    cp --sparse=always one.trace copy.trace
    ln -s one.trace link.trace
    ln one.trace hard.trace
    once ports
    once ports --json
    once export --format jsonl
    once check --fail-on hazard
    once check --json
}

@test "a copy made while the trace was written gives way to the trace" {
    make_trace one.trace
    cp --sparse=always one.trace early.trace
    # Its header as it was when there was one unit.
    printf '\001\000\000\000\000\000\000\000' | dd of=early.trace bs=1 seek=320 conv=notrunc status=none
    "$PORTWITNESS" export --format jsonl early.trace >early 2>/dev/null
    "$PORTWITNESS" export --format jsonl one.trace >alone
    [ "$(wc -l <early)" -lt "$(wc -l <alone)" ]
    run -0 --separate-stderr timeout 60 "$PORTWITNESS" export --format jsonl early.trace one.trace
    assert_equal "$stderr" 'portwitness: early.trace: same trace as one.trace; read once'
    diff alone <(echo "$output")
}

@test "another trace beside them is read as well" {
    make_trace one.trace
    make_trace two.trace
    cp --sparse=always one.trace copy.trace
    "$PORTWITNESS" ports --json one.trace >expected
    "$PORTWITNESS" ports --json two.trace >>expected
    run -0 --separate-stderr timeout 60 "$PORTWITNESS" ports --json one.trace two.trace copy.trace
    assert_equal "$stderr" 'portwitness: copy.trace: same trace as one.trace; read once'
    diff expected <(echo "$output")
    run -1 --separate-stderr timeout 60 "$PORTWITNESS" check --fail-on hazard --json one.trace copy.trace two.trace
    assert_equal "$(jq '[.findings[] | select(.kind == "race-window")] | length' <<<"$output")" 2
}

@test "a socket that is accepted a second time does not make its list a ring" {
    make_trace one.trace
    cp --sparse=always one.trace ring.trace
    # The copy is another trace by its host, so that both are read.
    printf 'elsewhere' | dd of=ring.trace bs=1 seek=152 conv=notrunc status=none
    "$python" - ring.trace <<'END'
import struct, sys
with open(sys.argv[1], "r+b") as file:
    file.seek(320)
    used = struct.unpack("Q", file.read(8))[0]
    begin = 4096 + (1 << 20)
    file.seek(begin)
    units = file.read(64 * used)
    added = 0
    for at in range(0, len(units), 64):
        head = struct.unpack_from("I", units, at)[0]
        if head & 0xff == 0x53 and head >> 16 & 0xff == 12:  # the start of an accept's record
            size = 64 * (head >> 8 & 0xff)
            file.seek(begin + 64 * (used + added))
            file.write(units[at:at + size])
            added += size // 64
    assert added > 0
    file.seek(320)
    file.write(struct.pack("Q", used + added))
END
    for command in ports 'export --format jsonl' 'check --fail-on never'; do
        # shellcheck disable=SC2086 # the words of the command
        timeout 60 "$PORTWITNESS" $command ring.trace one.trace >both
    done
    assert_equal "$("$PORTWITNESS" ports --json ring.trace | wc -l)" "$("$PORTWITNESS" ports --json one.trace | wc -l)"
}

@test "units that a damaged header claims and the file has no bytes for are counted at once" {
    make_trace one.trace
    cp --sparse=always one.trace claims.trace
    # The next free unit, and the file's size: 4 TiB.
    printf '\377\377\377\377\377\377\377\000' | dd of=claims.trace bs=1 seek=320 conv=notrunc status=none
    printf '\000\000\000\000\000\004\000\000' | dd of=claims.trace bs=1 seek=32 conv=notrunc status=none
    truncate -s 4T claims.trace || skip 'this file system has no files of 4 TiB'
    for command in ports 'export --format jsonl' 'check --fail-on never'; do
        # shellcheck disable=SC2086 # the words of the command
        timeout 60 "$PORTWITNESS" $command one.trace >alone
        # shellcheck disable=SC2086
        timeout 60 "$PORTWITNESS" $command claims.trace >said 2>errors
        [[ $command == check* ]] || assert_equal "$(wc -l <said)" "$(wc -l <alone)"
        grep -q '68719[0-9]\{6\}' said errors # of blank units
    done
}
