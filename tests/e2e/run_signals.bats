# What signals and stops do to `portwitness run` and its command.

# shellcheck disable=SC2154,SC2030,SC2031 # set by bats or by common.bash; each test is a subshell
bats_require_minimum_version 1.5.0
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

# Starts the rest under run in the background and waits until it has written `ready`. Sets `runner`,
# and `command`, the pid that it wrote there.
start_in_background() {
    rm -f ready
    "$PORTWITNESS" run -o t.trace -- "$@" >output 2>errors 3>&- &
    runner=$!
    wait_for test -s ready
    command=$(cat ready)
}

count_signals='import os, signal, sys, time
seen = []
def note(number, frame):
    seen.append(int(number))
    os.write(log, b"%d\n" % number)
log = os.open("seen", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
for s in set(range(1, 32)) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD} | {34, 37, 64}:
    signal.signal(s, note)
with open("ready.new", "w") as file:
    print(os.getpid(), file=file)
os.rename("ready.new", "ready")
while not os.path.exists("finish"):
    time.sleep(0.02)
print(*seen)
sys.exit(9)'

# Has the command that counts signals seen so many?
has_seen() { [ "$(wc -l <seen)" -ge "$1" ]; }

@test "a signal sent to run reaches the command, once" {
    start_in_background "$python" -c "$count_signals"
    # All that can be caught, but what children send.
    numbers="1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 18 20 21 22 23 24 25 26 27 28 29 30 31 34 37 64"
    sent=0
    for number in $numbers; do
        kill -s "$number" "$runner"
        sent=$((sent + 1))
        wait_for has_seen "$sent"
    done
    : >finish
    status=0
    wait "$runner" || status=$?
    assert_equal "$status" 9
    assert_equal "$(cat output)" "$numbers"
}

@test "a reader of the summary that is gone is run's own affair" {
    # shellcheck disable=SC2016 # for the inner shell
    run -5 bash -c '"$0" run -o t.trace -- sh -c "trap : PIPE; while echo; do sleep 0.05; done >&2; exit 5" \
        2> >(exec true)' "$PORTWITNESS"
}

@test "a signal sent to run that the command does not catch ends both" {
    # shellcheck disable=SC2016 # for the inner shell
    start_in_background sh -c 'echo $$ >ready; exec sleep 60'
    kill -TERM "$runner"
    status=0
    wait "$runner" || status=$?
    assert_equal "$status" 143
    is_gone "$command"
    assert_equal "$(tail -n 1 errors)" "portwitness: t.trace"
}

@test "a command that signals its whole process group gets that back once" {
    # A signal from outside that run takes up after that one tells when all has come that will come.
    # shellcheck disable=SC2016 # for the inner shell
    setsid "$PORTWITNESS" run -q -o t.trace -- bash -c 'n=0; trap "n=\$((n + 1))" TERM; trap "last=1" IO
        kill -TERM 0; echo $$ >ready; until [ -n "$last" ]; do sleep 0.05; done; echo "$n"; exit 4' >output 3>&- &
    runner=$!
    wait_for test -s ready
    kill -IO "$runner"
    status=0
    wait "$runner" || status=$?
    assert_equal "$status" 4
    assert_equal "$(cat output)" 1
}

@test "when the command stops, run stops, and both go on when run is continued" {
    start_in_background "$python" -c "$count_signals"
    kill -STOP "$command"
    wait_for in_state "$runner" T
    kill -CONT "$runner"
    wait_for in_state "$runner" SR
    wait_for in_state "$command" SR
    : >finish
    status=0
    wait "$runner" || status=$?
    assert_equal "$status" 9
}

# Stops itself, or is stopped by its child; somebody who knows nothing of run continues it.
stop_alone='import os, signal, sys, time
command = os.getpid()
if os.fork() == 0:
    for number in (signal.SIGSTOP, signal.SIGCONT) * 3:
        time.sleep(0.2)
        os.kill(command, number)
    os._exit(0)
os.wait()
print("went on")
sys.exit(7)'

@test "a command that is stopped and continued alone goes on, and run ends with it" {
    for before in '' 'setsid --wait'; do
        # shellcheck disable=SC2086 # words on purpose
        run -7 timeout -s KILL 60 $before "$PORTWITNESS" run -- "$python" -c "$stop_alone"
        assert_equal "${lines[0]}" "went on"
    done
}

@test "a stopped command that is killed ends run" {
    start_in_background "$python" -c "$count_signals"
    kill -STOP "$command"
    wait_for in_state "$runner" T
    kill -KILL "$command"
    wait_for is_gone "$runner"
    status=0
    wait "$runner" || status=$?
    assert_equal "$status" 137
}

@test "nothing is left of a stopped run that is killed" {
    start_in_background "$python" -c "$count_signals"
    kill -STOP "$command"
    wait_for in_state "$runner" T
    waker=$(pgrep -P "$runner" portwitness)
    kill -KILL "$runner"
    wait_for is_gone "$waker"
    kill -KILL "$command"
}

# Has run taken up every signal that was sent to it?
has_none_pending() {
    [ -z "$(pgrep -P "$1" portwitness)" ] && ! grep -q '^S\(ig\|hd\)Pnd:.*[1-9a-f]' "/proc/$1/status"
}

@test "a signal sent by itself after run was continued reaches the command" {
    start_in_background "$python" -c "$count_signals"
    kill -STOP "$command"
    wait_for in_state "$runner" T
    kill -CONT "$command"
    wait_for in_state "$runner" SR
    wait_for has_none_pending "$runner"
    kill -CONT "$runner"
    wait_for has_seen 2
    : >finish
    status=0
    wait "$runner" || status=$?
    assert_equal "$status" 9
    assert_equal "$(cat output)" "18 18"
}

@test "an interrupt typed at the terminal reaches the command once, and run waits for it" {
    # shellcheck disable=SC2016 # for the inner shell
    run -3 "$python" "$BATS_TEST_DIRNAME/terminal.py" "$PORTWITNESS" run -- bash -c \
        'n=0; trap "n=\$((n + 1))" INT; echo ready; until [ "$n" -gt 0 ]; do sleep 0.1; done
        for i in 1 2 3 4 5; do sleep 0.1; done; echo "caught $n"; exit 3' \
        <<<'expect ready
send \x03
expect caught 1\s
expect port-0 request'
}

@test "an interrupt typed at the terminal ends a command that does not catch it" {
    run -130 "$python" "$BATS_TEST_DIRNAME/terminal.py" "$PORTWITNESS" run -- sh -c \
        'echo ready; exec sleep 60' <<<'expect ready
send \x03
expect port-0 request'
}

@test "a shell's job control stops and continues the command" {
    run -5 env PS1='$ ' "$python" "$BATS_TEST_DIRNAME/terminal.py" bash --norc --noprofile -i <<END
expect \\\$
send '$PORTWITNESS' run -q -- bash -c 'echo re""ady; read word; echo "got-\$word"; exit 5'\n
expect ready
send \x1a
expect Stopped
send fg\n
expect read word
send hello\n
expect got-hello
send exit \$?\n
END
}

@test "a terminal that goes away hangs the command up" {
    # shellcheck disable=SC2016 # for the inner shell
    cat >hangup.py <<'END'
import os, pty, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
while not os.path.exists("ready"):
    time.sleep(0.02)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
    # shellcheck disable=SC2016 # for the inner shell
    run -0 "$python" hangup.py "$PORTWITNESS" run -q -- sh -c \
        'trap "echo hung up >result; exit 6" HUP; : >ready; for i in $(seq 600); do sleep 0.1; done'
    assert_equal "$output" 6
    assert_equal "$(cat result)" "hung up"
}

@test "when run is killed the command goes on and the trace stays readable" {
    start_in_background "$python" -c 'import os, socket, time
first = socket.socket(); first.bind(("127.0.0.1", 0))
open("ready.new", "w").write(str(os.getpid())); os.rename("ready.new", "ready")
while not os.path.exists("finish"): time.sleep(0.02)
second = socket.socket(); second.bind(("127.0.0.1", 0))
open("ports", "w").write("%d %d\n" % (first.getsockname()[1], second.getsockname()[1]))'
    kill -KILL "$runner"
    wait "$runner" || true
    in_state "$command" SR
    : >finish
    wait_for test -s ports
    wait_for is_gone "$command"
    read -r first second <ports
    run -0 "$PORTWITNESS" ports --json t.trace
    assert_matches "$output" "\"port\": ?$first"
    assert_matches "$output" "\"port\": ?$second"
}
