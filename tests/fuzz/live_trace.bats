# A trace that others may write to, while it is written: whatever they put there, the guests and `run`
# go on as if nothing were, and `check` comes to an end.

# shellcheck disable=SC2154 # set by bats or by common.bash
bats_require_minimum_version 1.5.0
load ../common

words=$SCRIBBLE_WORDS
few=$((words < 100000 ? 1 : 0)) # parts are left out
longest=$((60 + words / 2000)) # seconds

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    guests=$data
    options=(-q)
    writer=()
    scribble=$guests/scribble
}

# live NAME POLICY COMMAND...: a run with a guest, and meanwhile the command, which finds the trace in
# $trace. Leaves the status of `run` in NAME.status.
live() {
    local name=$1 policy=$2 status=0 run
    shift 2
    local trace=$PWD/$name.trace
    timeout -s KILL "$longest" "$PORTWITNESS" run "${options[@]}" -o "$trace" --policy "$policy" -- \
        "$guests/scribbled_guest" "$name.ready" "$name.stop" >"$name.out" 2>"$name.err" 3>&- &
    run=$!
    wait_for [ -e "$name.ready" ] || return
    trace=$trace "$@" || status=$?
    touch "$name.stop"
    wait "$run" && echo 0 >"$name.status" || echo $? >"$name.status"
    return "$status"
}

# unharmed NAME: the guest saw nothing, `run` neither; check ends, and the disk is not full.
unharmed() {
    local name=$1 status=0 used
    assert_equal "$(cat "$name.status")" 0 || return
    assert_matches "$(cat "$name.out")" '^[0-9]+ rounds, 0 wrong, the longest [0-9][.]' || return
    # A program that is started when the trace is none any more says so.
    assert_equal "$(grep -v '; the program runs on unrecorded$' "$name.err" || true)" '' || return
    used=$(du -k "$name.trace" | cut -f 1)
    if [ "$used" -gt 400000 ]; then
        echo "$name: $used KiB on the disk" >&2
        return 1
    fi
    timeout -s KILL "$longest" "$PORTWITNESS" check --json "$name.trace" >/dev/null 2>"$name.said" ||
        status=$?
    timeout -s KILL "$longest" "$PORTWITNESS" ports "$name.trace" >/dev/null 2>&1 || [ $? -lt 3 ] ||
        return
    [ "$status" -lt 3 ]
}

# scribbled NAME POLICY PART HOW_OFTEN
scribbled() {
    live "$1" "$2" scribble "$3" "$4" && unharmed "$1" && rm "$1.trace"
}

# shellcheck disable=SC2317 # called by live
scribble() {
    "${writer[@]}" "$scribble" "$trace" "$1" "$2" "$((RANDOM * 32768 + RANDOM))" \
        >scribble.said
}

# all_of POLICY HOW_OFTEN PART...: each part in a run of its own, all at once.
all_of() {
    local policy=$1 times=$2 part bad=0 number=0 parts=()
    local -A jobs=()
    shift 2
    for part; do
        # In a short run each third part.
        [ $((few * (number++ % 3))) -ne 0 ] || parts+=("$part")
    done
    for part in "${parts[@]}"; do
        rm -f "$part".*
        (RANDOM=$BASHPID && scribbled "$part" "$policy" "$part" "$times") 2>"$part.problem" 3>&- &
        jobs[$part]=$!
    done
    for part in "${parts[@]}"; do
        wait "${jobs[$part]}" && continue
        { echo "$part under $policy:" && cat "$part.problem" "$part.err" "$part.out"; } >&2
        bad=1
    done
    return "$bad"
}

# The full test leaves out none of them under any policy.
parts=(header units counters places stamps rings spaces config all)
of_the_header=(capacity fill next_unit next_unit_wrap populated_to policy_offset policy_size stacks
    questions config_soonest next_process last_process)
of_the_spaces=(stamps_far ringmask ring0mask head lowhigh used)

@test "random words in any part, kernel" {
    all_of kernel "$words" header counters config spaces units all
}

@test "random words in any part, soonest" {
    all_of soonest "$words" "${parts[@]:few*4}"
}

@test "random words in any part, quarantine" {
    all_of quarantine:1 "$words" "${parts[@]}"
}

@test "random words in any part, seeded" {
    all_of seeded:7 "$words" "${parts[@]:few*6}"
}

@test "random words in any part, range" {
    all_of range:41000-41999 "$words" "${parts[@]:few*6}"
}

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

@test "each exact word of the header" {
    all_of kernel 1 "${of_the_header[@]}"
}

@test "each exact word of a policy's spaces, and of the header under a policy" {
    all_of soonest 1 "${of_the_spaces[@]}" policy_offset policy_size
    all_of quarantine:1 1 "${of_the_spaces[@]}"
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
