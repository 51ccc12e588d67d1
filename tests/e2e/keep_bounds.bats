# `portwitness run --policy keep`: how much is kept, and what becomes of the run where the keeper, `run` or
# a program of it is killed or stopped. Each test has a network namespace of its own, in which strangers
# look from outside the run at what can be bound.

# shellcheck disable=SC2154,SC2034 # set by bats or by common.bash; for policies.bash
bats_require_minimum_version 1.5.0
load ../common
load policies

low=40000

setup() {
    policies_setup
    "${in_namespace[@]}" sleep 300 3>&- &
    holder=$!
    wait_for is_sleep "$holder"
    inside=(nsenter -t "$holder" -n)
    [ "$(id -u)" -eq 0 ] || inside+=(-U --preserve-credentials)
    mkfifo orders answers
    exec 5<>orders 6<>answers
    keeper='' stranger=''
}

teardown() {
    local pid
    for pid in $keeper $stranger $holder; do
        kill -CONT "$pid" 2>/dev/null || true
        kill "$pid" 2>/dev/null || true
    done
}

# The last of the steps by which a namespace is entered.
is_sleep() {
    [ "$(cat "/proc/$1/comm")" = sleep ]
}

# ports_up_to HIGH: what is given for port 0.
ports_up_to() {
    high=$1
    # shellcheck disable=SC2016 # for the shell inside
    "${inside[@]}" sh -c 'echo "$1 $2" >/proc/sys/net/ipv4/ip_local_port_range' - "$low" "$high"
}

# told POLICY [COMMAND...]: starts told.py, behind the command, in the background.
told() {
    local policy=$1
    shift
    rm -f t.trace
    "${inside[@]}" "$PORTWITNESS" run -o t.trace --policy "$policy" -- "$@" "$python" "$guests/told.py" \
        <orders >answers 2>said 3>&- 5>&- 6>&- &
    run=$!
}

# tell ORDER...: gives the guest an order; its answer is in $answer.
tell() {
    echo "$*" >&5
    read -r -t 20 answer <&6 || { cat said >&2 && return 1; }
}

# What the guest has to answer: answers EXPECTED ORDER...
answers() {
    local expected=$1
    shift
    tell "$@"
    assert_equal "$*: $answer" "$*: $expected"
}

# Ends the guest; its run has to end well.
finish() {
    echo end >&5
    wait "$run"
}

find_keeper() {
    keeper=$(pgrep -P "$run" -x pw-keeper)
}

# What nobody outside the run can bind.
taken() {
    "${inside[@]}" "$python" "$guests/taken.py" "$1" "$low" "$high"
}

none_taken() {
    [ -z "$(taken tcp)$(taken udp)" ]
}

# Forty ports of each protocol, one after the other, in tcp.picked and udp.picked.
pick_forty() {
    local number
    for ((number = 0; number < 40; number++)); do
        tell pick tcp
        echo "$answer" >>tcp.picked
        tell pick udp
        echo "$answer" >>udp.picked
    done
}

newest_are_taken() {
    local protocol
    for protocol in tcp udp; do
        assert_equal "$(taken "$protocol")" "$(tail -n "$1" "$protocol.picked" | sort -n)"
    done
}

@test "a quarter of the range is kept for each protocol: the oldest is given up for the next" {
    ports_up_to 40063
    told keep
    pick_forty
    newest_are_taken 16
    finish
    assert_matches "$(cat said)" 'policy keep:30: 80 ports kept, .*48 given up to make room, the oldest first'
    assert_equal "$(counted kept_given_up) $(counted not_kept)" '48 0'
}

@test "of a large range as many are kept as descriptors allow" {
    ports_up_to 41023
    ulimit -n 64
    told keep
    pick_forty
    newest_are_taken 16 # of both 64, but for 32 that are spared
    answers bound bind tcp "$(tail -n 1 tcp.picked)"
    answers bound bind udp "$(tail -n 1 udp.picked)"
    finish
    assert_equal "$(counted kept) $(counted kept_given_up) $(counted not_kept)" '80 48 0'
}

# used_up CALL PROTOCOL ERROR: four ports are kept and strangers have all others. So many requests are
# granted, and then the answer is the one that the kernel gives without us.
used_up() {
    local number
    told keep
    for ((number = 0; number < 5; number++)); do
        tell pick "$2"
    done
    "${inside[@]}" "$python" "$guests/fill.py" full 3>&- &
    stranger=$!
    wait_for [ -e full ]
    assert_equal "$(taken "$2" | wc -l)" 16
    for ((number = 0; number < 4; number++)); do
        answers given ask "$1" "$2"
    done
    answers "$3" ask "$1" "$2"
    kill "$stranger"
    finish
    [ "$(counted kept_given_up)" -ge 5 ]
    rm full
}

@test "where strangers have the rest of the range, a bind and a listen are given what was kept" {
    ports_up_to 40015
    used_up bind tcp EADDRINUSE
    used_up bind udp EADDRINUSE
    used_up listen tcp EADDRINUSE
}

@test "and so are a connect and a send" {
    ports_up_to 40015
    used_up connect tcp EADDRNOTAVAIL
    used_up connect udp EAGAIN
    used_up send udp EAGAIN
}

@test "a connect is given it too where strangers have the rest at an address of the other family" {
    local number
    ports_up_to 40015
    told keep
    for ((number = 0; number < 4; number++)); do
        tell pick tcp
    done
    "${inside[@]}" "$python" "$guests/fill.py" full "$low" "$high" 3>&- &
    stranger=$!
    wait_for [ -e full ]
    for ((number = 0; number < 4; number++)); do
        answers given ask connect tcp
    done
    answers EADDRNOTAVAIL ask connect tcp
    finish
}

@test "a run that uses up the range itself is given all of it" {
    local number
    ports_up_to 40015
    told keep
    for ((number = 0; number < 4; number++)); do
        tell pick tcp
        tell pick udp
    done
    answers '16 16' hold
    finish
    assert_equal "$(counted kept_given_up)" 8
}

@test "what is kept beside sockets that are still open is given up first, and then what has room" {
    local number
    ports_up_to 40063
    told keep
    for ((number = 0; number < 12; number++)); do
        tell keep_open tcp
    done
    for ((number = 0; number < 4; number++)); do
        tell pick tcp
    done
    "${inside[@]}" "$python" "$guests/fill.py" full 3>&- &
    stranger=$!
    wait_for [ -e full ]
    answers given ask bind tcp
    answers given ask connect tcp
    finish
}

@test "a program that narrows the range of its sockets is given what was kept of that range" {
    local number protocol others
    ports_up_to 40063
    told keep
    tell pick tcp
    others=$answer
    for ((number = 0; number < 3; number++)); do
        tell pick tcp
        others+=$'\n'$answer
    done
    answers narrow narrow "$low" $((low + 2))
    for protocol in tcp udp; do
        for ((number = 0; number < 8; number++)); do
            tell pick "$protocol"
            assert_matches "$answer" '^4000[0-2]$'
        done
    done
    # What was kept of the others is kept on.
    assert_equal "$(comm -12 <(taken tcp) <(sort <<<"$others") | grep -cv '^4000[0-2]$')" \
        "$(grep -cv '^4000[0-2]$' <<<"$others")"
    finish
}

@test "sockets of another network namespace are not kept, and nothing fails" {
    ports_up_to 40063
    # shellcheck disable=SC2016 # for the shell inside; the same range, so that no number is outside it
    told keep "${in_namespace[@]}" sh -c \
        'echo 40000 40063 >/proc/sys/net/ipv4/ip_local_port_range && exec "$@"' -
    tell pick tcp
    none_taken
    answers bound bind tcp "$answer"
    answers listens listen
    tell pick udp
    none_taken
    answers bound bind udp "$answer"
    finish
    # The port is read where it was picked, and the one of the client that looks after the listener.
    assert_equal "$(counted kept)" 0
    [ "$(counted not_kept)" -ge 2 ]
}

@test "a keeper that is killed leaves the run as under kernel, and the summary says so" {
    local kept
    ports_up_to 40063
    told keep
    tell pick tcp
    kept=$answer
    assert_equal "$(taken tcp)" "$kept"
    find_keeper
    kill -KILL "$keeper"
    wait_for none_taken
    answers bound bind tcp "$kept"
    answers listens listen
    tell pick tcp
    answers bound bind tcp "$answer"
    tell pick udp
    answers bound bind udp "$answer"
    finish
    assert_matches "$(cat said)" 'policy keep:30: .*1 keeper ended early: nothing was kept from then on'
    [ "$(counted keeper_ended)" -eq 1 ]
}

@test "beside a keeper that is stopped TCP is bound by number, and it works again when it goes on" {
    local kept
    ports_up_to 40063
    told keep
    tell pick tcp
    kept=$answer
    find_keeper
    kill -STOP "$keeper"
    wait_for in_state "$keeper" T
    answers bound bind tcp "$kept"
    answers listens listen
    tell pick tcp
    answers bound bind tcp "$answer"
    kill -CONT "$keeper"
    wait_for keeps_again
    answers bound bind tcp "$answer"
    answers listens listen
    finish
    [ "$(counted unanswered)" -ge 1 ]
}

keeps_again() {
    tell pick tcp
    [[ $(taken tcp) == *"$answer"* ]]
}

@test "where run is killed the keeper ends, and the program goes on" {
    local kept guest
    ports_up_to 40063
    told keep
    tell pick tcp
    kept=$answer
    find_keeper
    kill -KILL "$run"
    wait_for is_gone "$keeper"
    answers bound bind tcp "$kept"
    answers listens listen
    tell pick tcp
    answers bound bind tcp "$answer"
    tell pick udp
    answers bound bind udp "$answer"
    echo end >&5
}

no_slot_is_in_use() {
    assert_equal "$("$data/keep_slots" t.trace)" '0 in use'
}

holds_nothing() {
    [ -z "$(ls "/proc/$keeper/fd")" ] && none_taken
}

@test "processes that are killed while they ask take no slot and no port with them" {
    ports_up_to 41023
    # shellcheck disable=SC2016 # for the shell below
    told keep:1 sh -c '"$0" "$1" >killed; shift; exec "$@"' "$data/kill_askers" "$KEEP_KILLS"
    tell pick tcp
    assert_equal "$(cat killed)" "killed $KEEP_KILLS, then 2000 of 2000 asked"
    find_keeper
    wait_for keeps_again
    wait_for holds_nothing
    wait_for no_slot_is_in_use
    finish
    assert_equal "$(counted keeper_ended)" 0
}
