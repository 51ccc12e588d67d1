# Who may write into a trace while it is written, and what of it is counted; live_trace.bats writes random
# words into every part.

# shellcheck disable=SC2154,SC2034 # set by bats or by common.bash; for scribbled.bash
bats_require_minimum_version 1.5.0
load ../common
load scribbled

@test "a policy that is switched on in the trace does nothing, in programs that start later either" {
    # The policies' area begins behind the first page, with the kind (policy_format.h): 1, soonest.
    cat >later.sh <<'END'
printf '\1' | dd of="$PORTWITNESS_TRACE" bs=1 seek=4096 conv=notrunc 2>/dev/null
"$1" -c "$2"; env -i "$1" -c "$2"
END
    "$PORTWITNESS" run -q -o t.trace -- sh later.sh /usr/bin/python3 'import socket
for _ in range(3):
    s = socket.socket(); s.bind(("127.0.0.1", 0)); s.close()'
    "$PORTWITNESS" export --format jsonl t.trace >exported
    assert_equal "$(jq -c 'select(.kind == "bind")' exported | wc -l)" 6
    assert_equal "$(jq -c 'select(.kind == "bind" and ((.flags | index("policy"))
        or (.flags | index("policy-left"))))' exported | wc -l)" 0
}

@test "nobody writes into the shared trace of root's guests" {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    options=(-q --shared)
    writer=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    # Where nobody gets to it.
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
    install -m 755 "$guests/scribble" .
    scribble=$BATS_TEST_TMPDIR/scribble
    all_of kernel 1 capacity fill next_unit populated_to
    all_of soonest 1 policy_offset stamps_far ring0mask lowhigh
    all_of keep:1 1 keep_filling keep_asked keep_cookies
}

@test "what is lost to a wrong place for the next record is counted" {
    live lost kernel scribble next_unit 1
    unharmed lost
    run -0 --separate-stderr "$PORTWITNESS" ports lost.trace
    assert_matches "$stderr" 'incomplete: .*lost: [1-9][0-9]* '
}

@test "run survives a trace that is cut to nothing, keeps the status and says so" {
    # A guest that records nothing any more: one that does cannot survive it.
    run -7 "$PORTWITNESS" run -q --no-follow -o cut.trace -- \
        env -u LD_PRELOAD sh -c ': >cut.trace; exit 7'
    assert_matches "$output" '^portwitness: cut.trace was cut by somebody while the command ran'
}
