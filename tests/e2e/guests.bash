# What the tests with real programs share: a guest under portwitness run in a network namespace of its
# own, where the kernel's socket table holds its sockets and no others, and ways to compare the two.
# shellcheck disable=SC2154,SC2034,SC2016 # variables of bats, those for the tests, those of jq

# Call it in setup().
guests_setup() {
    trace=$BATS_TEST_TMPDIR/trace
    summary=$BATS_TEST_TMPDIR/summary
    guest='' to=''
    cd "$BATS_TEST_TMPDIR" || return
}

# Call it in teardown(). A test that failed leaves its guest: the end of its input, or else the signal
# that `run` passes on, ends it. Nothing is ever looked for by name or place, and a number is used
# only while it is that of our own child, which cannot have been given to another process.
guests_teardown() {
    [ ! -s "$summary" ] || cat "$summary"
    [ -n "$guest" ] || return 0
    [ -z "$to" ] || exec {to}>&-
    local signal
    for signal in 0 TERM KILL; do
        for _ in {1..20}; do
            [[ " $(jobs -rp | xargs) " == *" $guest "* ]] || return 0
            sleep 0.05
        done
        kill -"$signal" "$guest" || return 0
    done
}

now() { "$data/monotonic_now"; }

# record COMMAND...: runs a guest to its end in a namespace of its own; its summary goes to
# $summary, its output and status are the caller's. More options of `run` stand in $options.
options=()
record() {
    "${in_namespace[@]}" "$PORTWITNESS" run -o "$trace" "${options[@]}" -- "$@" 2>"$summary" 3>&-
}

# start COMMAND...: the same for a guest whose input stays open until `finish`. `hear` reads what it
# says.
start() {
    mkfifo in out
    "${in_namespace[@]}" "$PORTWITNESS" run -o "$trace" "${options[@]}" -- "$@" \
        <in >out 2>"$summary" 3>&- &
    guest=$!
    exec {to}>in {from}<out
    rm in out
}

# hear: the guest's next line, in $said and in the words of $words. It fails at the end of the
# guest's output, and where nothing is said for two minutes.
hear() {
    IFS= read -r -t 120 said <&"$from" || { echo "the guest said nothing more" >&2; return 1; }
    read -ra words <<<"$said"
}

tell() { printf '%s\n' "$1" >&"$to"; }

# finish: ends the guest's input and waits for its end; the status is the guest's.
finish() {
    exec {to}>&-
    to=''
    timeout 120 cat <&"$from" >rest || { echo 'the guest does not end' >&2; return 1; }
    exec {from}<&-
    local ended=$guest
    guest=''
    wait "$ended"
}

# stop SIGNAL: ends the guest by a signal and waits. What bash starts in the background ignores INT.
stop() {
    kill -"$1" "$guest"
    finish
}

# rows FILTER: what `ports` says, through a filter of jq that gets the list of all rows.
rows() {
    "$PORTWITNESS" ports --json "$trace" | jq -s -r "$@"
}

# The kernel's table of the guest's namespace, now: a line "protocol address port pids" for each TCP
# socket that listens and each UDP socket that is not connected.
kernel_table() {
    nsenter -t "$guest" -n ss -Hanpltu | awk '{
        port = $5; sub(/.*:/, "", port)
        address = substr($5, 1, length($5) - length(port) - 1)
        gsub(/[][]/, "", address); sub(/%.*/, "", address)
        if (address == "*") address = "::"
        pids = ","
        for (rest = $0; match(rest, /pid=[0-9]+/); rest = substr(rest, RSTART + RLENGTH))
            pids = pids substr(rest, RSTART + 4, RLENGTH - 4) ","
        print $1, address, port, pids
    }' | sort
}

# same_as_kernel [FILTER]: what `ports` says is held now, and who asked for it, is what the kernel's
# table says, no more and no less. FILTER picks rows. Leaves in $before and $after the time in which
# the kernel was asked, and in $held the sockets, a line each.
same_as_kernel() {
    local filter=${1:-true} ours kernel line pid
    before=$(now)
    kernel=$(kernel_table)
    after=$(now)
    ours=$(rows "sort_by(.port)[] | select(.held_from_ns != null and .held_to_ns == null)
        | select($filter) | \"\(.protocol) \(.address) \(.port) \(.pid)\"" | sort)
    held=$ours
    if [ "$(cut -d' ' -f1-3 <<<"$ours")" != "$(cut -d' ' -f1-3 <<<"$kernel")" ]; then
        printf 'ports says:\n%s\nthe kernel says:\n%s\n' "$ours" "$kernel" >&2
        return 1
    fi
    [ -n "$ours" ] || return 0
    while read -r line; do
        pid=${line##* }
        grep -qF "${line% *} " <<<"$kernel" || return 1
        grep -F "${line% *} " <<<"$kernel" | grep -q ",$pid," || {
            printf 'the kernel does not know of %s as an owner of: %s\n' "$pid" "$line" >&2
            return 1
        }
    done <<<"$ours"
}

# held_while PORT: the row of that port was held from before the kernel was asked to after it.
held_while() {
    [ "$(rows --argjson port "$1" --argjson before "$before" --argjson after "$after" \
        'map(select(.port == $port and .held_from_ns <= $before and .held_to_ns >= $after)) | length')" \
        -ge 1 ] || { rows '.[]|tostring' >&2; return 1; }
}

# nothing_lost: the summary of `run` and the trace itself report no loss. Leaves the records in the
# file `records`.
nothing_lost() {
    grep -qx 'portwitness: 0 records lost; 0 torn' "$summary" || { cat "$summary" >&2; return 1; }
    "$PORTWITNESS" export --format jsonl "$trace" >records 2>complaints
    if [ ! -s records ] || [ -s complaints ]; then cat complaints >&2; return 1; fi
    [ "$(grep -vc '"state":"committed"' records)" -eq 0 ]
}

# ended_between PORT BEGIN END HOW: the row of that port ended in that time, and that is how it is
# known.
ended_between() {
    [ "$(rows --argjson port "$1" --argjson first "$2" --argjson last "$3" --arg how "$4" \
        'map(select(.port == $port and .held_to_ns >= $first and .held_to_ns <= $last
            and .end_known_by == $how)) | length')" -eq 1 ] || { rows '.[]|tostring' >&2; return 1; }
}

# held_before PORT TIME: the row of that port was held from before that time.
held_before() {
    [ "$(rows --argjson port "$1" --argjson time "$2" \
        'map(select(.port == $port and .held_from_ns < $time)) | length')" -eq 1 ]
}
