# The four checks of a storm: each broken publisher is caught by those that should, and strace
# counts the same binds.
# shellcheck disable=SC2154 # variables of bats

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load storm
    cd "$BATS_TEST_TMPDIR" || return
}

# Which checks complain of a strategy that is broken on purpose.
complaining() {
    run -1 --separate-stderr storm --private-net=20000-21023 --publishers 6 --rounds 2 --json \
        --strategy "$1"
    value '[.strategies[0].checks | to_entries[] | select(.value != "agree") | .key] | join(" ")' \
        "$output" >complaints
}

@test "a port that is announced and not held is found by kernel, reach and trace" {
    complaining broken-unheld
    assert_equal "$(cat complaints)" 'kernel reach trace'
}

@test "another's port that is announced is found by all four, and is a collision" {
    complaining broken-neighbour
    assert_equal "$(cat complaints)" 'claims kernel reach trace'
    assert_equal "$(value '.strategies[0].collisions' "$output")" 2
}

@test "a port that is held and not announced is found by kernel and trace" {
    complaining broken-silent
    assert_equal "$(cat complaints)" 'kernel trace'
}

@test "a wrong token is found by reach" {
    complaining broken-token
    assert_equal "$(cat complaints)" reach
}

@test "what differs is printed, with status 1" {
    run -1 storm --private-net --publishers 3 --rounds 1 --strategy broken-silent
    assert_matches "$output" 'broken-silent: claims: agree'
    assert_matches "$output" 'broken-silent: kernel: process [0-9]+ has tcp 127.0.0.1:[0-9]+ and did not announce it'
    assert_matches "$output" 'broken-silent: trace: nobody announced the binding of tcp 127.0.0.1:[0-9]+'
}

# binds PATTERN RESULT: how many binds of publishers, as strace tells them, match.
binds() {
    local file count=0
    for file in calls.*; do
        grep -q -e '--as-publisher' "$file" || continue
        count=$((count + $(grep -c "^bind(.*sa_family=AF_INET.*$1.*) *= $2" "$file")))
    done
    echo "$count"
}

# LeakSanitizer cannot work in a process that is traced.
@test "strace counts as many binds to port 0 as hold publishes" {
    run -0 --separate-stderr env ASAN_OPTIONS=detect_leaks=0 strace -ff -e trace=bind,execve \
        -o calls "$PORTWITNESS" storm \
        --private-net=20000-21023 --publishers 6 --rounds 3 --json
    assert_equal "$(value '.strategies[0].published' "$output")" 72
    assert_equal "$(binds 'htons(0)' 0)" 72
    assert_equal "$(binds 'htons([1-9][0-9]*)' '.*')" 0
}

@test "strace counts as many failed binds as probe loses races" {
    run -1 --separate-stderr env ASAN_OPTIONS=detect_leaks=0 strace -ff -e trace=bind,execve \
        -o calls "$PORTWITNESS" storm \
        --private-net=20000-20127 --publishers 12 --rounds 2 --json --strategy probe \
        --window 30-40ms
    assert_equal "$(binds 'htons(0)' 0)" $((12 * 4 * 2))
    assert_equal "$(binds 'htons([1-9][0-9]*)' 0)" "$(value '.strategies[0].published' "$output")"
    assert_equal "$(binds 'htons([1-9][0-9]*)' '-1 EADDRINUSE')" \
        "$(value '.strategies[0].lost_races' "$output")"
    assert_checks_agree "$output"
}

@test "the checker finds the storm's lost races in its trace, one for one, and nothing in hold's" {
    local strategy lost
    for strategy in probe kind podman; do
        run -1 --separate-stderr "$PORTWITNESS" storm --private-net=20000-20255 --publishers 12 \
            --rounds 4 --strategy $strategy -o $strategy.trace --json
        assert_checks_agree "$output"
        lost=$(value '.strategies[0].lost_races' "$output")
        [ "$lost" -gt 0 ]
        run -1 "$PORTWITNESS" check --json $strategy.trace
        # Kind picks over TCP what it binds over UDP: who had that one before has taken nothing.
        assert_equal "$(value '[.findings[] | select(.kind == "lost-race" or .cause == "picked-elsewhere")] |
            length' "$output")" "$lost"
    done
    run -0 --separate-stderr "$PORTWITNESS" storm --private-net=20000-20255 --publishers 12 --rounds 4 \
        -o hold.trace --json
    run -0 "$PORTWITNESS" check --json hold.trace
    assert_equal "$(value .verdict "$output")" clean
}
