# `portwitness stress`: copies of a command at the same time, and what they come to.

# shellcheck disable=SC2154 # set by bats or by common.bash
bats_require_minimum_version 1.5.0
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    suites=$root/tests/guests/suites
    PATH=/usr/bin:$PATH # the plain tools, whatever shims a user's PATH has
}

stress() { "$PORTWITNESS" stress "$@"; }

# row POLICY: that row of the table in $output, its columns by one space.
row() { grep "^$1 " <<<"$output" | tr -s ' '; }

# of POLICY KEY: from the JSON in the file `json`.
of() { jq -c --arg policy "$1" ".policies[] | select(.policy == \$policy) | $2" json; }

@test "a command that does well: a row for each policy, status 0, and nothing is left behind" {
    run -0 stress -j 3 --rounds 2 --policy kernel --policy soonest,range:40000-40999 \
        --policy seeded:5 -- "$python" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()'
    assert_equal "${#lines[@]}" 4
    assert_matches "${lines[0]}" '^POLICY +RUNS +FAILED +LOST RACES +DOUBLE HAND-OUTS +RACE WINDOWS +IN USE +TIME$'
    assert_matches "$(row kernel)" '^kernel 6 0 0 0 0 0 [0-9.]+ s$'
    assert_matches "$(row soonest,range:40000-40999)" ' 6 0 0 0 0 0 [0-9.]+ s$'
    assert_matches "$(row seeded:5)" ' 6 0 0 0 0 0 [0-9.]+ s$'
    assert_equal "$(ls)" ""
}

@test "copies know their number, run at the same time, and read nothing from the terminal" {
    # shellcheck disable=SC2016
    run -0 stress -j 3 --rounds 1 -- sh -c 'touch here.$PORTWITNESS_COPY; ! read -r line || exit 1
        for i in $(seq 1200); do [ -e here.1 ] && [ -e here.2 ] && [ -e here.3 ] && exit; sleep 0.05
        done; exit 1'
    assert_equal "$(echo here.*)" "here.1 here.2 here.3"
}

@test "failures are counted by their status, and the output and trace of the round are kept" {
    # shellcheck disable=SC2016
    run -1 stress -j 4 --rounds 2 --timeout 3 --keep kept -- sh -c 'echo "I am $PORTWITNESS_COPY"
        case $PORTWITNESS_COPY in 1) exit 0;; 2) exit 9;; 3) kill -SEGV $$;; 4) sleep 60;; esac'
    assert_matches "$(row kernel)" '^kernel 8 6 \((9: 2, SIGSEGV: 2, timeout: 2|SIGSEGV: 2, 9: 2, timeout: 2)\) 0 0 0 0'
    assert_matches "$output" '2 copies were ended after 3 s, the limit of --timeout\.'
    assert_matches "$output" 'Output and trace of 2 rounds that failed are in kept; the first is kept/kernel-1\.'
    assert_equal "$(ls kept)" "kernel-1
kernel-2"
    for copy in 1 2 3 4; do
        assert_equal "$(cat kept/kernel-2/copy-$copy.out)" "I am $copy"
    done
    run -0 "$PORTWITNESS" ports kept/kernel-1/trace
}

@test "which test failed how often under which policy is shown where marks say how tests ended" {
    cat >suite <<'SHELL'
end() { "$PORTWITNESS" mark --end --outcome "$@"; }
end passed 'always good'
end skipped 'left out'
end failed "test_a.py::often (call) [gw$PORTWITNESS_COPY]"
[ "$PORTWITNESS_COPY" = 1 ] && end failed once || end passed once
"$PORTWITNESS" mark --end 'nobody knows'
[ "$PORTWITNESS_COPY" = 1 ]
SHELL
    export PORTWITNESS
    run -1 stress -j 3 --rounds 2 --policy kernel --policy seeded:1 -- sh suite
    assert_equal "$(grep -A2 '^TEST' <<<"$output" | tr -s ' ')" "TEST THAT FAILED kernel seeded:1
test_a.py::often 6 of 6 6 of 6
once 2 of 6 2 of 6"
    [[ $output != *'always good'* && $output != *nobody* ]]
    run -1 stress -j 2 --rounds 1 --json -- sh suite
    assert_equal "$(jq -c '.tests' <<<"$output")" '[{"name":"test_a.py::often","policies":[{"policy":"kernel","isolated":false,"runs":2,"failed":2,"skipped":0}]},{"name":"once","policies":[{"policy":"kernel","isolated":false,"runs":2,"failed":1,"skipped":0}]}]'
}

@test "the racy suites of three test runners fail under soonest, and the shortest way is shown" {
    local suite all=("$python $suites/python/test_racy.py" "bats $suites/bats/racy.bats"
        "node --test $suites/node/racy.test.mjs")
    for suite in "${all[@]:0:STRESS_RUNNERS}"; do
        # shellcheck disable=SC2086
        run -1 stress -j 4 --rounds 40 --until-failure --timeout 60 --policy soonest -- $suite
        echo "$output"
        assert_matches "$(row soonest)" '^soonest [0-9]+ [0-9]+ (\(1: [0-9]+\) )?([1-9]|0 [1-9])'
        # What it says shows the failure again indeed.
        local again
        again=$(grep '^  portwitness ' <<<"$output")
        [[ $again == *"--policy soonest"* && $again == *"$suite" ]]
        if [[ $output == *"reproduced it"* ]]; then
            local shown=no
            for _ in {1..10}; do
                PATH=${PORTWITNESS%/*}:$PATH bash -c "$again" >/dev/null 2>&1 || shown=yes
                [ $shown = no ] || break
            done
            assert_equal $shown yes
        fi
    done
}

@test "their correct twins stay clean under every policy" {
    local suite policy policies=()
    local all=("$python $suites/python/test_correct.py" "bats $suites/bats/correct.bats"
        "node --test $suites/node/correct.test.mjs")
    for policy in soonest quarantine kernel seeded:7 range:40000-40999; do
        [ "${#policies[@]}" -ge $((2 * STRESS_POLICIES)) ] || policies+=(--policy "$policy")
    done
    for suite in "${all[@]:0:STRESS_RUNNERS}"; do
        # shellcheck disable=SC2086
        run -0 stress -j 3 --rounds 1 --timeout 60 "${policies[@]}" -- $suite
        assert_equal "$(tail -n +2 <<<"$output" | tr -s ' ' | cut -d' ' -f2-7 | sort -u)" "3 0 0 0 0 0"
    done
}

@test "isolate: failures that go away in network namespaces of their own are port races" {
    # Whoever has the port keeps it until every copy of its round has tried, or, where there are
    # fewer copies, until none has tried for a while.
    cat >fixed.py <<'END'
import os, socket, time
def tries():
    return os.stat("tries").st_size
s = socket.socket()
try:
    s.bind(("127.0.0.1", 18080))
    s.listen()
finally:
    with open("tries", "ab", buffering=0) as file:
        file.write(b".")
round_end = (tries() + 2) // 3 * 3
last, since = tries(), time.monotonic()
while tries() < round_end and time.monotonic() - since < 3:
    if tries() != last:
        last, since = tries(), time.monotonic()
    time.sleep(0.01)
END
    run -1 stress -j 3 --rounds 2 --isolate -- "$python" fixed.py
    assert_matches "$(row kernel | head -1)" '^kernel 6 4 \(1: 4\) 0 0 0 4 '
    assert_matches "$(row kernel,)" '^kernel, isolated 6 0 0 0 0 0 '
    assert_matches "$output" 'kernel: all 4 failures go away in network namespaces of their own: they are port races\.'
    # Others do not.
    run -1 stress -j 2 --rounds 1 --isolate -- false
    assert_matches "$output" '2 in 2 are left in network namespaces of their own'
}

@test "until-failure stops after the first round that fails" {
    # shellcheck disable=SC2016
    run -1 stress -j 1 --rounds 50 --until-failure --policy kernel --policy soonest -- sh -c '
        count=$(cat count 2>/dev/null || echo 0); echo $((count + 1)) >count; [ "$count" -ne 3 ]'
    assert_matches "$(row kernel)" '^kernel 4 1 \(1: 1\)'
    [ -z "$(row soonest)" ]
    assert_matches "$output" 'It was not reproduced in 2 tries. It came from:
  portwitness run --check --policy kernel -- sh -c '
}

@test "each round of seeded has a seed of its own, and the command shows the one that failed" {
    # shellcheck disable=SC2016
    run -1 stress -j 1 --rounds 9 --until-failure --policy seeded:7,range:40000-40999 -- \
        "$python" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); raise SystemExit(s.getsockname()[1] % 4 == 0)'
    local again
    again=$(grep '^  portwitness ' <<<"$output")
    assert_matches "$again" "portwitness run --check --policy seeded:[0-9]+,range:40000-40999 -- $python -c 'import socket"
    grep -q 'reproduced it' <<<"$output"
    seed=$(sed -n 's/.*seeded:\([0-9]*\),.*/\1/p' <<<"$again")
    runs=$(row seeded:7,range:40000-40999 | cut -d' ' -f2)
    assert_equal "$seed" $((6 + runs))
}

@test "json tells the same" {
    # shellcheck disable=SC2016
    run -1 --separate-stderr stress -j 2 --rounds 1 --policy kernel --policy quarantine:5 --json \
        --keep kept -- sh -c '[ $PORTWITNESS_COPY = 1 ]'
    printf '%s\n' "$output" >json
    assert_equal "$(of kernel '[.runs, .failed, .failed_by_status, .isolated]')" '[2,1,{"1":1},false]'
    assert_equal "$(of quarantine:5 '[.rounds, .lost_races, .race_windows, .errors]')" '[1,0,0,0]'
    assert_equal "$(jq -c '[.kept, .interrupted, .first_failure.policy, .first_failure.copies_to_show_again]' json)" \
        '[2,false,"kernel",2]'
}

@test "Ctrl-C ends every copy and what it started, and what is known is reported" {
    # shellcheck disable=SC2016
    "$PORTWITNESS" stress -j 3 --rounds 5 -- sh -c 'sleep 987 & echo $$ $! >pids.$PORTWITNESS_COPY
        wait' >said 2>&1 &
    local stress=$! status=0
    wait_for test -s pids.1 -a -s pids.2 -a -s pids.3
    kill -INT $stress
    wait $stress || status=$?
    assert_equal "$status" 130
    local pids
    mapfile -t pids < <(cat pids.1 pids.2 pids.3 | tr ' ' '\n')
    assert_equal "${#pids[@]}" 6
    for pid in "${pids[@]}"; do
        wait_for is_gone "$pid"
    done
    grep -q '^POLICY' said
    grep -q '^Interrupted: the last round is not counted\.$' said
}

@test "what a copy leaves behind is ended with its round" {
    # shellcheck disable=SC2016
    run -0 stress -j 2 --rounds 1 -- sh -c 'sleep 986 & echo $! >left.$PORTWITNESS_COPY'
    wait_for is_gone "$(cat left.1)"
    wait_for is_gone "$(cat left.2)"
}

@test "a program that is not there fails each copy and is said; no folder gives 125" {
    run -1 stress -j 1 --rounds 1 --keep kept -- no-such-command-anywhere
    assert_matches "$(row kernel)" '^kernel 1 1 \(127: 1\)'
    grep -q 'no-such-command-anywhere: No such file or directory' kept/kernel-1/copy-1.out
    run -125 stress -j 1 --rounds 1 --keep missing/folder -- true
    assert_matches "$output" '^portwitness stress: missing/folder: No such file or directory'
    # A folder that is there keeps what is in it.
    mkdir present
    run -125 stress -j 1 --rounds 1 --keep present -- true
    [ -d present ]
}

@test "wrong usage is named, with the help, and status 2" {
    local arguments
    for arguments in '-j 0 true' '-j x true' '-j 1001 true' '--rounds=0 true' '--rounds=1x true' \
        '--timeout=0 true' '--policy=never true' '--policy= true' '--keep= true' '--nothing true' \
        '-z true' '--json=1 true' '--policy' '' '--'; do
        # shellcheck disable=SC2086
        run -2 stress $arguments
        assert_complaint stress "${lines[@]}"
    done
    run -0 stress --help
    assert_matches "$output" 'Usage: portwitness stress'
}

@test "on a terminal a bar tells how far it is, and Ctrl-C ends all as well" {
    # shellcheck disable=SC2016
    run -130 "$python" "$BATS_TEST_DIRNAME/terminal.py" "$PORTWITNESS" stress -j 2 --rounds 3 -- \
        sh -c 'echo $$ >"pid.$PORTWITNESS_COPY"; exec sleep 985' <<'END'
expect \[ {30}\] kernel: round 1 of 3, 0 failed
file pid.1
file pid.2
send \x03
expect Interrupted: the last round is not counted
END
    wait_for is_gone "$(cat pid.1)"
    wait_for is_gone "$(cat pid.2)"
}

@test "isolated copies that a policy has no room for are reported" {
    run -0 stress -j 12 --rounds 1 --isolate --policy soonest -- "$python" -c 'import socket
socket.socket().bind(("127.0.0.1", 0))'
    assert_matches "$output" 'soonest, isolated: [0-9]+ requests were in network namespaces that the policy has no room for'
}

@test "that keep keeps nothing of isolated copies is said, and of others it is not" {
    local says='nothing was kept'
    run -0 stress -j 2 --rounds 1 --policy quarantine --policy keep:5 --isolate -- true
    assert_equal "$(grep "$says" <<<"$output")" "keep:5, isolated: $says in the copies' own network namespaces."
    run -0 stress -j 2 --rounds 1 --policy keep -- true
    [[ $output != *"$says"* ]]
}

@test "programs that a policy does not reach are counted" {
    run -0 stress -j 2 --rounds 2 --policy seeded:1 -- "$data/bind_once.static"
    assert_matches "$output" 'seeded:1: 4 programs were not reached by the policy: the kernel chose their ports \(bind_once.static\)\.'
    run -0 stress -j 2 --rounds 1 --policy seeded:1 --json -- "$data/bind_once.static"
    assert_equal "$(jq -c '.policies[0] | .programs_unreached, .programs_unreached_first' <<<"$output" | xargs)" \
        '2 [bind_once.static]'
    run -0 stress -j 2 --rounds 1 --policy kernel --policy quarantine --json -- "$python" -c 'import socket
socket.socket().bind(("127.0.0.1", 0))'
    assert_equal "$(jq -c '[.policies[].programs_unreached]' <<<"$output")" '[0,0]'
}

@test "where portwitness run itself ends, how it ended and its last line are said" {
    # The copy's parent holds all copies; the parent of that is `portwitness run`.
    # shellcheck disable=SC2016
    run -125 --separate-stderr stress -j 1 --rounds 1 -- sh -c 'kill -KILL "$(ps -o ppid= "$PPID" | xargs)"; sleep 1'
    assert_equal "$stderr" 'portwitness stress: portwitness run was ended by SIGKILL'
    # shellcheck disable=SC2016
    run -125 --separate-stderr stress -j 1 --rounds 1 -- sh -c 'kill -KILL "$PPID"'
    assert_equal "$stderr" 'portwitness stress: portwitness run ended with status 137'
    run -125 --separate-stderr stress -j 1 --rounds 1 --keep kept -- sh -c 'mv kept other'
    local why='portwitness stress: kept/kernel-1/statuses: No such file or directory'
    assert_equal "$stderr" "$why
portwitness stress: portwitness run ended with status 125: $why"
}
