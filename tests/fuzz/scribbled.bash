# What the tests share in which somebody writes into a trace while it is written. `load scribbled`, after
# common.
# shellcheck shell=bash disable=SC2154 # set by bats or by common.bash

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
