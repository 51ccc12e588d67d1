# What the tests share that compare a guest with itself: bare, by LD_PRELOAD and under `run` it must
# print the same and end alike. `load unchanged`, after common.
# shellcheck disable=SC2154 # variables of common.bash and of the tests

warning='^portwitness: .*; the program runs on unrecorded$'

# capture NAME COMMAND...: keeps what it prints and its status in NAME.out, NAME.err, NAME.status.
capture() {
    local name=$1 status=0
    shift
    "$@" >"$BATS_TEST_TMPDIR/$name.out" 2>"$BATS_TEST_TMPDIR/$name.err" 3>&- || status=$?
    echo "$status" >"$BATS_TEST_TMPDIR/$name.status"
}

# like_bare NAME WARNINGS: what NAME left is what `bare` left, but for so many warnings.
like_bare() {
    local at=$BATS_TEST_TMPDIR found
    found=$(grep -c "$warning" "$at/$1.err" || true)
    if [ "$found" -ne "$2" ]; then
        echo "$1: $found warnings, not $2" >&2
        cat "$at/$1.err" >&2
        return 1
    fi
    cp "$at/$1.err" "$at/$1.all"
    sed -i "/$warning/d" "$at/$1.err"
    diff "$at/bare.out" "$at/$1.out" && diff "$at/bare.err" "$at/$1.err" &&
        diff "$at/bare.status" "$at/$1.status"
}

# Words that stand before the command and before what puts it under the shim.
before=()

# by_hand COMMAND...: under the shim, with $trace as the trace.
by_hand() { "${before[@]}" env LD_PRELOAD="$shim" PORTWITNESS_TRACE="$trace" "$@"; }

# unchanged_by_hand WARNINGS COMMAND...
unchanged_by_hand() {
    local warnings=$1
    shift
    capture bare "${before[@]}" "$@"
    rm -f "$trace" 2>/dev/null || true
    capture hand by_hand "$@"
    like_bare hand "$warnings"
}

# More options of `run`.
options=()

# unchanged COMMAND...: by hand and then under run, without a warning. The trace is that of run.
unchanged() {
    unchanged_by_hand 0 "$@" || return
    [ ! -e "$trace" ] || mv "$trace" "$trace.hand"
    capture run "${before[@]}" "$PORTWITNESS" run --quiet -o "$trace" "${options[@]}" -- "$@"
    like_bare run 0
}

# exported FILTER ARGUMENT...: the trace's records, all in one list, through a filter of jq.
exported() {
    "$PORTWITNESS" export --format jsonl "${from:-$trace}" 2>"$BATS_TEST_TMPDIR/evidence" |
        jq -s -r "$@"
}

# assigned_in TRACE: how many port-0 requests got a port. Leaves what the trace lacks in ./evidence.
assigned_in() {
    "$PORTWITNESS" ports --json "$1" 2>"$BATS_TEST_TMPDIR/evidence" |
        grep '"requested_port": *0[,}]' | grep -c '"port": *[1-9]'
}
