# Processes that are killed at random moments: what they had committed is in the trace, what they
# had begun is reported by name or counted, and `run` records their end.

# shellcheck disable=SC2154 # variables of bats and common.bash
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    guest=$build/tests/guests/bind_loop
    seed=$RANDOM
    echo "seed $seed" # shown where the test fails
}

# check_trace: against `said`, what the guests said, and `killed`, their process ids.
check_trace() {
    "$PORTWITNESS" export --format jsonl trace >records 2>evidence
    cat evidence
    jq -r 'select(.kind == "bind" and .state == "committed") | "\(.pid) \(.assigned.port)"' \
        records | sort >bound
    sort said | grep -E '^[0-9]+ [0-9]+$' >said.sorted
    comm -23 said.sorted bound >missing
    [ ! -s missing ] || { echo "said and not in the trace:"; head -n 5 missing; return 1; }
    [ "$(wc -l <said.sorted)" -gt $((5 * KILLS)) ]
    # A thread is in one call at a time, so a killed guest leaves at most one torn record for each.
    jq -r 'select(.state == "torn") | "\(.process) \(.kind) \(.begin_ns > 0)"' records >torn
    if grep -v '^[0-9]\+ [a-z-]\+ true$' torn; then
        echo 'torn records that do not say whom they concern' >&2
        return 1
    fi
    [ "$(cut -d' ' -f1 torn | sort | uniq -c | awk '$1 > 5' | wc -l)" -eq 0 ]
    if [ -s torn ]; then
        assert_matches "$(cat evidence)" " $(wc -l <torn) torn or unfinished"
    fi
}

@test "guests killed at random: whatever they had committed by hand is in the trace" {
    GUEST_PRELOAD=$build/libportwitness.so GUEST_TRACE=$PWD/trace \
        "$python" "$BATS_TEST_DIRNAME/kill_often.py" "$KILLS" "$seed" "$guest" 4 0 say >killed
    assert_equal "$(wc -l <killed)" "$KILLS"
    check_trace
}

@test "guests killed at random: run has what they committed, and records the end of each" {
    "$PORTWITNESS" run -o trace -- \
        "$python" "$BATS_TEST_DIRNAME/kill_often.py" "$KILLS" "$seed" "$guest" 4 0 say >killed 2>summary
    cat summary
    assert_equal "$(wc -l <killed)" "$KILLS"
    check_trace
    jq -r 'select(.kind == "process-start") | .identity_pid' records | sort -u >started
    jq -r 'select(.kind == "process-exit" and .source == "run") | .identity_pid' records |
        sort -u >ended
    sort killed | comm -12 - started >seen
    [ "$(wc -l <seen)" -gt $((KILLS / 2)) ]
    assert_equal "$(comm -23 seen ended)" ''
    assert_matches "$(cat summary)" "; $(wc -l <torn) torn"
}

@test "a command that is killed: run ends with 137, and its ports are released at that time" {
    local status=0
    # shellcheck disable=SC2016 # the guest expands it
    "$PORTWITNESS" run --quiet -o trace -- "$python" -c '
import os, signal, socket
held = socket.create_server(("127.0.0.1", 0))
print(held.getsockname()[1], flush=True)
os.kill(os.getpid(), signal.SIGKILL)' >port || status=$?
    assert_equal "$status" 137
    "$PORTWITNESS" ports --json trace >table
    assert_equal "$(jq -r --argjson port "$(cat port)" \
        'select(.port == $port) | .held_to_ns != null and .end_known_by != "not seen"' table)" true
    "$PORTWITNESS" export --format jsonl trace |
        jq -e -s 'map(select(.kind == "process-exit" and .source == "run"
            and (.flags | index("signalled")))) | length == 1'
}
