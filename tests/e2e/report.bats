# The text of a report: what stands in its ten lines, clocks, colours, and who is who.
# shellcheck disable=SC2154,SC2016 # variables of the helpers, those of programs in quotes

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load check
    check_setup
    # Binds the port of its second argument and keeps it until its input ends.
    cat >server.py <<'PYTHON'
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):
    print(flush=True)
    sys.stdin.readline()
PYTHON
    # A suite as many have it: with a number of its own, and a server.
    cat >suite.sh <<'SH'
"$1" server.py 20000
exit
SH
    chmod +x suite.sh
}

# alone COMMAND...: in a network namespace that has one port to give.
alone() { one_port 20001 "$@"; }

# Two shards that use one fixed port, below one shell, into the trace t.
shards() {
    cat >shards.sh <<'SH'
coproc FIRST { exec sh ./suite.sh "$1" 3; }
read -r _ <&"${FIRST[0]}"
sh ./suite.sh "$1" 4 </dev/null
status=$?
echo >&"${FIRST[1]}"
wait "$FIRST_PID"
exit "$status"
SH
    alone "$PORTWITNESS" run --quiet -o t -- bash shards.sh "$python" 2>/dev/null || true
}

@test "ancestors tell two shards apart, in ten lines" {
    shards
    run -1 "$PORTWITNESS" check t
    assert_matches "$output" "by [0-9]+ .*python3.* server.py 20000 \(of sh ./suite.sh .*python3.* 4\), "
    assert_matches "$output" "Held by [0-9]+ .*python3.* server.py 20000 \(of sh ./suite.sh .*python3.* 3\)
    since "
    sed -n '/^ERROR/,/^SUMMARY/p' <<<"$output" >between
    [ "$(wc -l <between)" -le 10 ]
    [ "$(wc -l <between)" -ge 7 ]
    run -1 "$PORTWITNESS" check --verbose t
    assert_equal "$(grep -c ' sh ./suite.sh ' <<<"$(sed -n '/Processes:/,/Fix:/p' <<<"$output")")" 2
}

@test "ancestors tell two shards apart that have a trace each" {
    local shard
    cat >shards.sh <<'SH'
coproc FIRST { exec "$0" run --quiet -o t3 -- sh ./suite.sh "$1" 3; }
read -r _ <&"${FIRST[0]}"
"$0" run --quiet -o t4 -- sh ./suite.sh "$1" 4 </dev/null
echo >&"${FIRST[1]}"
wait "$FIRST_PID"
SH
    alone bash -c '. ./shards.sh' "$PORTWITNESS" "$python" 2>/dev/null || true
    run -1 "$PORTWITNESS" check t3 t4
    assert_matches "$output" "by [0-9]+ .*python3.* server.py 20000 \(of sh ./suite.sh .*python3.* 4\) in t4, "
    assert_matches "$output" "Held by [0-9]+ .*python3.* server.py 20000 \(of sh ./suite.sh .*python3.* 3\) in t3
"
    run -1 "$PORTWITNESS" check --verbose t3 t4
    for shard in 3 4; do
        assert_matches "$output" " in t$shard:
    [0-9]+ sh ./suite.sh .*python3 $shard
      [0-9]+ .*python3.* server.py 20000   <- "
    done
}

@test "a parent that is the holder is shown as such, once" {
    cat >parent.py <<'PYTHON'
import socket, subprocess, sys
with socket.create_server(("127.0.0.1", 20000)):
    sys.exit(subprocess.run([sys.executable, "server.py", "20000"], stderr=subprocess.DEVNULL).returncode)
PYTHON
    alone "$PORTWITNESS" run --quiet -o t -- "$python" parent.py || true
    run -1 "$PORTWITNESS" check t
    assert_matches "$output" 'Held by [0-9]+ .*python3.* parent.py, its parent'
    assert_equal "$(grep -c 'python3[^ ]* parent\.py' <<<"$output")" 1
    run -1 "$PORTWITNESS" check -v t
    assert_matches "$output" 'Processes:
    [0-9]+ .*parent.py   <- has or had it
      [0-9]+ .*server.py 20000   <- was refused it
'
    assert_equal "$(grep -c '^ *[0-9]* .*parent\.py   <-' <<<"$output")" 1
}

@test "a long command line is cut in the middle, and not with --verbose" {
    local long
    long=$(printf -- '--a-long-option-%s ' {1..12})
    # shellcheck disable=SC2086 # words on purpose
    alone "$PORTWITNESS" run --quiet -o t -- "$python" -c 'import socket, sys
held = socket.create_server(("127.0.0.1", 20000))
import os
if os.fork() == 0:
    socket.create_server(("127.0.0.1", 20000))
os.wait()' $long last 2>/dev/null || true
    run "$PORTWITNESS" check t
    assert_matches "$output" '    by [0-9]+ .*\.\.\..*last, '
    [ "$(grep -c -- '--a-long-option-6 ' <<<"$output")" -eq 0 ]
    run "$PORTWITNESS" check -v t
    assert_matches "$output" '--a-long-option-6 '
}

@test "traces of one machine have one clock, and each process has its trace beside it" {
    cat >late.py <<'PYTHON'
import subprocess, sys
def start(trace):
    return subprocess.Popen([sys.argv[1], "run", "--quiet", "-o", trace, "--", sys.executable,
                             "server.py", "20000"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
first = start("first.trace")
first.stdout.readline()
start("second.trace").communicate()
first.communicate(b"\n")
PYTHON
    alone "$python" late.py "$PORTWITNESS"
    run -1 "$PORTWITNESS" check second.trace first.trace
    assert_matches "$output" 'by [0-9]+ .* in second.trace, [0-9.]+ s into the run'
    assert_matches "$output" 'Held by [0-9]+ .* in first.trace
    since [0-9.]+ s \([0-9:.]+\), [0-9.]+ s before'
    # One clock: both times are as far apart as the report says.
    local failed since before
    failed=$(sed -n 's/.* \([0-9.]*\) s into the run.*/\1/p' <<<"$output")
    since=$(sed -n 's/^ *since \([0-9.]*\) s .*/\1/p' <<<"$output")
    before=$(sed -n 's/^ *since .*, \([0-9.]*\) s before.*/\1/p' <<<"$output")
    awk -v failed="$failed" -v since="$since" -v before="$before" \
        'BEGIN { off = failed - since - before; exit !(off < 0.003 && off > -0.003) }'
    run -1 "$PORTWITNESS" check -v second.trace first.trace
    assert_matches "$output" ' by process [0-9]+ python3.* in first.trace
'
    assert_matches "$output" '   in first.trace:
    [0-9]+ .*server.py 20000   <- has or had it'
}

@test "the time of the day is that of the call, in the local time zone" {
    local before after
    before=$(date -u +%s)
    shards
    after=$(date -u +%s)
    TZ=UTC-5 run -1 "$PORTWITNESS" check t
    local shown
    shown=$(sed -n 's/.* into the run (\(.*\)\.[0-9]*)$/\1/p' <<<"$output")
    shown=$(date -u -d "$(date -u -d "@$((before + 5 * 3600))" +%F) $shown" +%s)
    [ "$shown" -ge $((before + 5 * 3600)) ]
    [ "$shown" -le $((after + 5 * 3600)) ]
}

@test "colours on a terminal and where they are asked for, not with NO_COLOR or TERM=dumb" {
    shards
    on_terminal() { TERM=xterm "$python" "$root/tests/e2e/terminal.py" "$@" </dev/null | cat -v; }
    assert_matches "$(on_terminal "$PORTWITNESS" check t)" '\^\[\[1;31mERROR:\^\[\[0m portwitness: .*\^\[\[1;32m  Fix:'
    local words
    for words in 'NO_COLOR=1' 'TERM=dumb'; do
        run on_terminal env "$words" "$PORTWITNESS" check t
        assert_matches "$output" 'ERROR: portwitness'
    done
    run on_terminal env NO_COLOR= "$PORTWITNESS" check t
    assert_matches "$output" '31mERROR'
    run on_terminal "$PORTWITNESS" check --color=never t
    assert_matches "$output" '^ERROR:|
ERROR:'
    run -1 "$PORTWITNESS" check t
    [[ $output != *$'\033'* ]]
    run -1 "$PORTWITNESS" check --color=always t
    [[ $output == *$'\033[1;31mERROR:\033[0m'* ]]
    # What programs read has none.
    run -1 "$PORTWITNESS" check --color=always --json t
    [[ $output != *$'\033'* ]]
}

@test "findings of different commands or places are not counted behind one, and none without its test" {
    cat >pick.sh <<'SH'
"$1" pick_and_bind.py one
"$1" pick_and_bind.py one
"$1" pick_and_bind.py two
"$2" mark 'a test'
"$1" pick_and_bind.py two
SH
    record sh pick.sh "$python" "$PORTWITNESS"
    run -0 "$PORTWITNESS" check t
    assert_equal "$(grep -c '^SUMMARY' <<<"$output")" 2
    assert_equal "$(grep -c '^And 1 more race-window like it' <<<"$output")" 2
    assert_matches "$output" 'pick_and_bind.py two.*
And 1 more race-window like it: ports [0-9]+
  in tests a test
'
    rm t
    cat >two_places.c <<'C'
#include <arpa/inet.h>
#include <unistd.h>
static int bound(int port) {
    struct sockaddr_in any = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return bind(fd, (struct sockaddr *)&any, sizeof any) == 0 ? fd : -1;
}
static int picked(void) {
    struct sockaddr_in got;
    socklen_t size = sizeof got;
    int fd = bound(0);
    getsockname(fd, (struct sockaddr *)&got, &size);
    close(fd);
    return ntohs(got.sin_port);
}
static int first(void) { return bound(picked()) < 0; }
static int second(void) { return bound(picked()) < 0; }
int main(void) { return first() | second(); }
C
    gcc -g -O0 -o two_places two_places.c
    "$PORTWITNESS" run --quiet --stacks -o t -- ./two_places
    run -0 "$PORTWITNESS" check t
    assert_equal "$(grep -c '^SUMMARY' <<<"$output")" 2
}

@test "of a process that failed the last finding comes first" {
    cat >fails.py <<'PYTHON'
import os, socket
ports = 20000, 20003
held = [socket.socket() for port in ports]
for one, port in zip(held, ports):
    one.bind(("127.0.0.1", port))
if os.fork() == 0:
    for port in ports:
        try:
            socket.socket().bind(("127.0.0.1", port))
        except OSError:
            pass
    os._exit(1)
os.wait()
PYTHON
    alone "$PORTWITNESS" run --quiet -o t -- "$python" fails.py
    assert_equal "$(found '[.[] | select(.severity == "error") | .endpoint.port] | join(" ")')" '20003 20000'
}

@test "traces with one boot id and two host ids are held apart, which is said once" {
    local name
    for name in one two three; do "$PORTWITNESS" run --quiet --host-id $name -o $name -- true; done
    run -0 --separate-stderr "$PORTWITNESS" check one two three
    assert_equal "$stderr" 'portwitness: traces one and two have one boot id and two host ids: they are held apart'
    "$PORTWITNESS" run --quiet --host-id one -o again -- true
    run -0 --separate-stderr "$PORTWITNESS" check one again
    assert_equal "$stderr" ''
}
