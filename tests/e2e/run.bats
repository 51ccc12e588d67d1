# `portwitness run`: the command behaves as if it were run without.

# shellcheck disable=SC2154 # set by bats or by common.bash
bats_require_minimum_version 1.5.0
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    bind_one='import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True)'
}

# The last line of a text.
last_line() {
    tail -n 1 <<<"$1"
}

@test "the command's exit status is kept" {
    for expected in 0 1 7 125 255; do
        run -"$expected" "$PORTWITNESS" run -q -- sh -c "exit $expected"
    done
}

@test "a command ended by signal N gives 128+N" {
    run -143 "$PORTWITNESS" run -q -- sh -c 'kill -TERM $$'
    run -137 "$PORTWITNESS" run -q -- sh -c 'kill -KILL $$'
    run -134 "$PORTWITNESS" run -q -- sh -c 'ulimit -c 0; kill -ABRT $$'
}

@test "a command that is not found gives 127, one that cannot be executed 126" {
    run -127 "$PORTWITNESS" run -- no-such-command-anywhere
    assert_equal "$output" "portwitness: no-such-command-anywhere: No such file or directory"
    run -127 "$PORTWITNESS" run -- ./missing
    : >file
    run -126 "$PORTWITNESS" run -- ./file
    assert_equal "$output" "portwitness: ./file: Permission denied"
    run -126 "$PORTWITNESS" run -- .
    long=$(printf '%0300d' 1)
    run -127 "$PORTWITNESS" run -- "$long"
    assert_equal "$output" "portwitness: $long: File name too long"
    run -126 "$PORTWITNESS" run -- "./$long"
    printf '\177ELF no program' >broken
    chmod +x broken
    # Its bytes are then read as a shell script, as a shell would.
    run -127 "$PORTWITNESS" run -q -- ./broken
}

@test "a command that was not started leaves no trace" {
    run -127 "$PORTWITNESS" run -o t.trace -- no-such-command-anywhere
    run -126 "$PORTWITNESS" run -- /
    assert_equal "$(ls)" ""
}

@test "failures of run itself give 125 and one line, and a second one that names the help for wrong usage" {
    : >present
    local arguments
    for arguments in '' '--' '--no-such-option true' '-z true' '-o' '-o missing/t.trace true' \
        '-o present true' '--max-size=1M true' '--max-size=x true' '--shared=no-such-group true' \
        '--shared=0777 true' '--quiet=yes true' "--host-id=$(printf '%070d' 1) true" \
        '--stacks=0 true' '--stacks=17 true' '--stacks=x true' '--check=yes true'; do
        # shellcheck disable=SC2086 # words on purpose
        run -125 "$PORTWITNESS" run $arguments
        if [[ $output == "portwitness run: "* ]]; then
            assert_complaint run "${lines[@]}"
        else
            assert_equal "${#lines[@]}" 1
            assert_matches "$output" '^portwitness: (missing/t.trace|present): '
        fi
    done
    run -125 env PORTWITNESS_SHIM=/no/such/shim.so "$PORTWITNESS" run true
    assert_matches "$output" '^portwitness: /no/such/shim.so: '
    assert_equal "$(ls)" present
}

@test "a file that exists is refused and left alone" {
    echo precious >t.trace
    run -125 "$PORTWITNESS" run -o t.trace -- touch started
    assert_equal "$output" "portwitness: t.trace: exists already"
    assert_equal "$(cat t.trace)" precious
    [ ! -e started ]
}

@test "a symbolic link is neither followed nor replaced" {
    ln -s elsewhere t.trace
    run -125 "$PORTWITNESS" run -o t.trace -- touch started
    [ ! -e elsewhere ]
    [ -L t.trace ]
}

@test "without -o a new trace is made in the current folder and named on the last line" {
    run -0 "$PORTWITNESS" run -- true
    assert_equal "$(last_line "$output")" "portwitness: $(ls)"
    assert_matches "$(ls)" '^portwitness-[0-9]+\.trace$'
    run -0 "$PORTWITNESS" run -- true
    assert_equal "$(find . -name 'portwitness-*.trace' | wc -l)" 2
}

@test "a made-up name never takes an existing file's" {
    # exec keeps the pid, so the names are known before.
    sh -c ': >"portwitness-$$.trace"; : >"portwitness-$$-1.trace"; exec "$0" run -- true' \
        "$PORTWITNESS" 2>errors
    assert_equal "$(find . -name '*-2.trace' -size +0 | wc -l)" 1
    assert_equal "$(find . -name '*.trace' -size 0 | wc -l)" 2
    assert_matches "$(tail -n 1 errors)" '^portwitness: portwitness-[0-9]+-2\.trace$'
}

@test "the trace is for its owner alone, unless it is shared" {
    (umask 0; "$PORTWITNESS" run -q -o own.trace -- true)
    (umask 077; "$PORTWITNESS" run -q --shared -o all.trace -- true)
    (umask 077; "$PORTWITNESS" run -q --shared=0640 -o mode.trace -- true)
    (umask 077; "$PORTWITNESS" run -q --shared=daemon -o group.trace -- true)
    assert_equal "$(stat -c %a own.trace all.trace mode.trace | xargs)" "600 666 640"
    assert_equal "$(stat -c %a:%G group.trace)" 660:daemon
}

@test "the summary has at most five lines and counts what the trace holds" {
    run -0 "$PORTWITNESS" run -o t.trace -- "$python" -c "$bind_one"
    [ "${#lines[@]}" -le 6 ]
    assert_equal "${lines[1]}" "portwitness: 1 port-0 request, 1 port assigned"
    assert_matches "${lines[2]}" '^portwitness: 1 program and 0 forks seen, no blind spots(; raw system calls .*)?$'
    assert_equal "${lines[3]}" "portwitness: 0 records lost; 0 torn"
    assert_equal "${lines[4]}" "portwitness: t.trace"
    assert_matches "$("$PORTWITNESS" ports t.trace)" "${lines[0]}"
}

@test "--quiet prints nothing, but failures and a name that was made up" {
    run -0 "$PORTWITNESS" run --quiet -o t.trace -- true
    assert_equal "$output" ""
    run -127 "$PORTWITNESS" run --quiet -o u.trace -- no-such-command-anywhere
    [ -n "$output" ]
    run -0 "$PORTWITNESS" run --quiet -- true
    assert_equal "$output" "portwitness: $(ls portwitness-*.trace)"
}

@test "standard input, output and error are the command's own" {
    run -0 bash -c "echo in | '$PORTWITNESS' run -q -o t.trace -- sh -c 'cat; echo err >&2' 2>errors"
    assert_equal "$output" in
    assert_equal "$(cat errors)" err
}

@test "the command's descriptor numbers do not shift" {
    # shellcheck disable=SC2016 # for the inner shell
    list='for fd in /proc/$$/fd/*; do echo "${fd##*/}"; done; exec 7<&0; exec 8</dev/null; ls -l /proc/$$/fd/8 | sed "s/.*-> //"'
    bare=$(bash -c "$list" 3>&-)
    under=$("$PORTWITNESS" run -q -- bash -c "$list" 3>&-)
    assert_equal "$under" "$bare"
}

@test "an LD_PRELOAD that is there stays in front" {
    first=$(cc -print-file-name=libm.so.6)
    # shellcheck disable=SC2016 # for the inner shell
    run -0 env LD_PRELOAD="$first" "$PORTWITNESS" run -q -o t.trace -- sh -c 'echo "$LD_PRELOAD"'
    assert_matches "$output" "^$first:/.*/libportwitness\.so$"
}

@test "another copy of the shim in LD_PRELOAD gives its place to ours" {
    cp "$build/libportwitness.so" .
    run -0 env LD_PRELOAD="$PWD/libportwitness.so" "$PORTWITNESS" run -o t.trace -- "$python" -c "$bind_one"
    assert_matches "$output" ': 1 port-0 request, 1 port assigned'
}

@test "the trace's name in the environment is absolute" {
    # shellcheck disable=SC2016 # for the inner shell
    run -0 "$PORTWITNESS" run -q -o t.trace -- sh -c 'cd /; echo "$PORTWITNESS_TRACE $PORTWITNESS_NO_FOLLOW"'
    assert_equal "$output" "$(pwd -P)/t.trace "
    # shellcheck disable=SC2016 # for the inner shell
    run -0 "$PORTWITNESS" run -q --no-follow -o u.trace -- sh -c 'echo "$PORTWITNESS_NO_FOLLOW"'
    assert_equal "$output" 1
}

@test "signal masks and dispositions reach the command as they were" {
    show='import signal
print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
      [s for s in sorted(signal.valid_signals())
       if s not in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT) and signal.getsignal(s) == signal.SIG_IGN])'
    set_up='import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execvp(sys.argv[1], sys.argv[1:])'
    bare=$("$python" -c "$set_up" "$python" -c "$show")
    under=$("$python" -c "$set_up" "$PORTWITNESS" run -q -- "$python" -c "$show")
    assert_equal "$under" "$bare"
    assert_matches "$bare" SIGCHLD
}

@test "a program that outlives the command is named" {
    # shellcheck disable=SC2016 # for the inner shell
    run -0 "$PORTWITNESS" run -o t.trace -- sh -c \
        '"$0" -c "import time; open(\"up\", \"w\"); time.sleep(60)" >/dev/null 2>&1 3>&- & echo $!
        until [ -e up ]; do sleep 0.05; done' "$python"
    kill "${lines[0]}"
    assert_matches "$output" "portwitness: still running: ${python##*/} \(${lines[0]}\)"
    assert_equal "$(last_line "$output")" "portwitness: t.trace"
}

is_reaped() { [ ! -e "/proc/$1" ]; }

@test "--wait waits for what outlives the command, and keeps the command's status" {
    # shellcheck disable=SC2016 # for the inner shell
    late='(until [ -e go ]; do sleep 0.05; done; echo late >late) >/dev/null 2>&1 3>&- & echo $$ >command; exit 3'
    run -3 "$PORTWITNESS" run -- sh -c "$late"
    [ ! -e late ]
    : >go
    wait_for test -e late
    rm late go command
    (wait_for test -s command; wait_for is_reaped "$(cat command)"; : >go) 3>&- &
    run -3 "$PORTWITNESS" run --wait -- sh -c "$late"
    assert_equal "$(cat late)" late
    [[ $output != *"still running"* ]]
}

@test "a signal during --wait does not go to a command that has ended" {
    # shellcheck disable=SC2016 # for the inner shell
    "$PORTWITNESS" run --wait -- sh -c '(until [ -e go ]; do sleep 0.05; done) >/dev/null 2>&1 &
        echo $$ >command; exit 3' 2>errors 3>&- &
    runner=$!
    wait_for test -s command
    wait_for is_reaped "$(cat command)"
    kill -USR1 "$runner"
    : >go
    status=0
    wait "$runner" || status=$?
    assert_equal "$status" 3
}

@test "the end of a process that is killed is known" {
    run -137 "$PORTWITNESS" run -o t.trace -- "$python" -c "$bind_one; import os; os.kill(os.getpid(), 9)"
    port=${lines[0]}
    run -0 "$PORTWITNESS" ports --json --port "$port" t.trace
    assert_matches "$output" '"end_known_by": ?"(destroyed|exit)"'
    run -0 bash -c "'$PORTWITNESS' export --format jsonl t.trace | jq -c 'select(.kind == \"process-exit\") | [.source, .flags]'"
    assert_equal "$output" '["run",["signalled","status-known"]]'
}

@test "the kernel's notice reports the side that keeps TIME_WAIT" {
    "$PORTWITNESS" run -q -o t.trace -- "$python" -c 'import socket
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client_port = client.getsockname()[1]
client.close(); server.recv(1); server.close()
print(client_port, listener.getsockname()[1])' >ports
    read -r client server <ports
    destroyed() {
        "$PORTWITNESS" export --format jsonl t.trace |
            jq -c "select(.kind == \"destroyed\" and .assigned.port == $1 and .peer.port == $2) | [.source, (.flags | index(\"time-wait\") != null)]"
    }
    assert_equal "$(destroyed "$client" "$server")" '["kernel",true]'
    assert_equal "$(destroyed "$server" "$client")" '["kernel",false]'
}

@test "only sockets that the trace knows get a record of their end" {
    "$PORTWITNESS" run -q -o t.trace -- sh -c ': >up; until [ -e go ]; do sleep 0.05; done' 3>&- &
    runner=$!
    wait_for test -e up
    "$python" -c "$bind_one" >/dev/null
    : >go
    wait "$runner"
    assert_equal "$("$PORTWITNESS" export --format jsonl t.trace | grep -c '"destroyed"')" 0
}

@test "a thousand short processes: each end is known" {
    # shellcheck disable=SC2016 # for the inner shell
    run -0 "$PORTWITNESS" run -o t.trace -- bash -c 'for ((i = 0; i < 1000; i++)); do (:) ; done'
    assert_matches "$output" '1 program and 1000 forks seen'
    assert_matches "$output" '0 records lost; 0 torn'
    "$PORTWITNESS" export --format jsonl t.trace >records
    assert_equal "$(jq -r 'select(.kind == "process-exit") | .process' records | sort -u | wc -l)" 1001
}

@test "beyond the descriptor limit the ends that were not watched are counted" {
    # They live until run has used up its descriptors, but for the one that it needs to look at the next.
    mkfifo gate
    # shellcheck disable=SC2016 # for the inner shell
    run -0 bash -c 'ulimit -n 40; exec "$0" run -- bash -c "$1"' "$PORTWITNESS" '
        exec 4<>gate
        for ((i = 0; i < 60; i++)); do read -r _ <&4 & done
        until [ "$(ls "/proc/$PPID/fd" | wc -l)" -ge 39 ]; do sleep 0.05; done
        for ((i = 0; i < 60; i++)); do echo >&4; done
        wait'
    assert_matches "$output" '0 records lost; 0 torn; also missing: ends of processes \([1-9][0-9]*\)'
}

@test "the command keeps its descriptor limit" {
    # shellcheck disable=SC2016 # for the inner shell
    run -0 bash -c 'ulimit -Sn 64; exec "$0" run -q -o t.trace -- bash -c "ulimit -Sn"' "$PORTWITNESS"
    assert_equal "$output" 64
}

@test "at its maximal size the trace stops, the loss is counted, and the command is unharmed" {
    run -0 "$PORTWITNESS" run --max-size 2M -o t.trace -- "$python" -c 'import socket
for i in range(10000):
    with socket.socket() as s: s.bind(("127.0.0.1", 0))
print("finished")'
    assert_equal "${lines[0]}" finished
    assert_matches "$output" 'portwitness: [1-9][0-9]* records lost: records over the maximal size \([1-9][0-9]*\); '
    assert_equal "$(stat -c %s t.trace)" 2097152
    run "$PORTWITNESS" ports t.trace
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -gt 1000 ]
}

@test "programs that the shim cannot enter are named" {
    echo 'int main(void) { return 0; }' >static.c
    cc -static -o static-program static.c
    [ "$(id -u)" -eq 0 ] || skip 'a program of another user needs root'
    cp /bin/true setuid-program
    chown daemon setuid-program
    chmod u+s setuid-program
    run -0 "$PORTWITNESS" run --capture=preload -- ./static-program
    assert_matches "$output" '1 blind spot: [^ ]*static-program \(static'
    run -0 "$PORTWITNESS" run --capture=preload -- ./setuid-program
    assert_matches "$output" '1 blind spot: [^ ]*setuid-program \(set'
    run -0 "$PORTWITNESS" run --capture=preload -- sh -c './static-program; ./setuid-program; true'
    assert_matches "$output" '2 blind spots: '
    # Of these two seccomp can enter one.
    run -0 "$PORTWITNESS" run --capture=seccomp -- sh -c './static-program; ./setuid-program; true'
    assert_matches "$output" ' 1 by seccomp alone, 1 blind spot: [^ ]*setuid-program \(set'
}

@test "a program built with AddressSanitizer runs" {
    echo 'int main(void) { return 6; }' >asan.c
    gcc -fsanitize=address -o asan-program asan.c
    run -6 "$PORTWITNESS" run -- ./asan-program
    assert_matches "${lines[0]}" '^portwitness: '
}

# A folder that other users may enter, with a copy of the shim. Sets `open`.
make_open_folder() {
    [ "$(id -u)" -eq 0 ] || skip 'changing the user needs root'
    open=$(mktemp -d)
    chmod 0777 "$open"
    cp "$build/libportwitness.so" "$open/"
    export PORTWITNESS_SHIM=$open/libportwitness.so
}

@test "a shared trace takes the records of another user" {
    make_open_folder
    run -0 "$PORTWITNESS" run --shared -o "$open/t.trace" -- \
        setpriv --reuid=65534 --regid=65534 --clear-groups "$python" -c "$bind_one"
    ports=$("$PORTWITNESS" ports "$open/t.trace")
    rm -r "$open"
    assert_matches "$ports" "${lines[0]}"
    assert_matches "$output" 'no blind spots'
}

@test "a user who may not open the trace is a blind spot of the shim, and the program runs" {
    make_open_folder
    run -0 "$PORTWITNESS" run --capture=preload -o "$open/t.trace" -- \
        setpriv --reuid=65534 --regid=65534 --clear-groups "$python" -c "$bind_one"
    rm -r "$open"
    assert_matches "$output" 'blind spot'
    assert_matches "$output" 'python3'
    assert_matches "$output" '[0-9]{4,5}'
}

@test "sockets in another network namespace are a blind spot of the notices" {
    unshare --net true 2>/dev/null || skip 'no network namespace can be made here'
    # eBPF programs see all of them, in whichever namespace.
    run -0 "$PORTWITNESS" run --capture=preload -- unshare --net "$python" -c \
        'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'
    assert_matches "$output" '1 port-0 request, 1 port assigned'
    assert_matches "$output" 'network namespace'
}
