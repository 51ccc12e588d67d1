# The command line of the checker: statuses, suppressions, markers, bad input.
# shellcheck disable=SC2154,SC2016 # variables of the helpers, those of jq and of programs

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load check
    check_setup
}

# A trace t with a race window, or with an error.
hazard() { "$PORTWITNESS" run --quiet -o t -- "$build/tests/guests/rebind"; }
error() {
    cat >fails.py <<'PYTHON'
import socket, subprocess, sys
child = subprocess.Popen([sys.executable, "taker.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
socket.create_server(("127.0.0.1", int(child.stdout.readline())))
PYTHON
    "$PORTWITNESS" run --quiet -o "${1-t}" -- "$python" fails.py 2>/dev/null || true
}

@test "the exit status goes by --fail-on and --strict" {
    hazard
    run -0 "$PORTWITNESS" check t
    assert_matches "$output" 'portwitness: hazards: 0 errors, 1 hazard, 0 notes, 0 suppressed'
    run -1 "$PORTWITNESS" check --fail-on hazard t
    run -0 "$PORTWITNESS" check --strict t
    rm t
    error
    run -1 "$PORTWITNESS" check t
    run -0 "$PORTWITNESS" check --fail-on never t
    rm t
    record_by_shim busybox true
    run -0 "$PORTWITNESS" check t
    assert_matches "$output" 'not seen: t: 1 blind-spot: static program: .*busybox'
    assert_matches "$output" 'portwitness: busybox was not checked: it is a static program \(incomplete: 0 errors'
    assert_equal "$("$PORTWITNESS" check --json t | jq -r .headline)" 'busybox was not checked: it is a static program'
    run -3 "$PORTWITNESS" check --strict t
    rm t
    record true
    run -0 "$PORTWITNESS" check --strict t
    assert_equal "${output%%; raw system calls*}" 'portwitness: clean: 0 errors, 0 hazards, 0 notes, 0 suppressed'
    run -0 "$PORTWITNESS" check --quiet t
    assert_equal "$output" ''
}

@test "run --check ends with the command's status, or 1 where an error was found" {
    hazard
    rm t
    cat >caught.py <<'PYTHON'
import os, socket, sys
held = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    socket.create_server(held.getsockname())
os.wait()
sys.exit(int(sys.argv[1]))
PYTHON
    run -1 --separate-stderr "$PORTWITNESS" run --check -o t -- "$python" caught.py 0
    assert_matches "$stderr" 'SUMMARY: portwitness: address-in-use'
    run -7 --separate-stderr "$PORTWITNESS" run --check -o t2 -- "$python" caught.py 7
    run -0 --separate-stderr "$PORTWITNESS" run --check -o t3 -- true
    assert_matches "$stderr" 'portwitness: clean: 0 errors'
    run -0 --separate-stderr "$PORTWITNESS" run --quiet --check -o t4 -- true
    assert_equal "$stderr" ''
}

@test "suppressions leave findings out, and those that match nothing are reported" {
    hazard
    port=$(found '.[0].endpoint.port')
    local line
    for line in kind:race-window kind:race-* program:rebind program:*/rebind module:rebind \
        port:"$port" port:1-65535 "kind:race-window program:reb*  port:$port"; do
        echo "$line # of this test" >known
        run -0 "$PORTWITNESS" check --fail-on hazard --suppressions known t
        assert_equal "${output%%; raw system calls*}" 'portwitness: clean: 0 errors, 0 hazards, 0 notes, 1 suppressed'
    done
    for line in kind:lost-race program:other module:libc.so.6 port:1-1023 'kind:race-window port:1'; do
        printf '# a comment\n\n  %s\n' "$line" >known
        run -1 "$PORTWITNESS" check --fail-on hazard --suppressions known t
        assert_matches "$output" "unused suppression, line 3: ${line//\*/\\*}"
        run -1 "$PORTWITNESS" check --json --fail-on hazard --suppressions known t
        assert_equal "$(jq -r '.unused_suppressions[0]' <<<"$output")" "$line"
    done
}

@test "a bad suppression is one line with file and line, and status 2" {
    hazard
    local line
    for line in nonsense kind: kind:no-such port:0 port:70000 port:9-8 port:1-2-3 port:x \
        'kind:torn kind:torn' 'kind:torn what'; do
        printf 'port:80\n%s\n' "$line" >known
        run -2 --separate-stderr "$PORTWITNESS" check --suppressions known t
        assert_equal "$output" ''
        assert_equal "${#stderr_lines[@]}" 1
        assert_matches "$stderr" 'portwitness: known:2: '
    done
    run -2 --separate-stderr "$PORTWITNESS" check --suppressions missing t
    assert_equal "$stderr" 'portwitness: missing: No such file or directory'
}

@test "portwitness mark names the test in what it starts" {
    cat >suite <<'SHELL'
mark() { "$portwitness" mark "$@"; }
mark 'first test'
"$rebind"
mark --end
"$rebind"
mark 'third test'
"$rebind"
SHELL
    portwitness=$PORTWITNESS rebind=$build/tests/guests/rebind record sh suite
    assert_equal "$(found '[.[].test] | map(. // "none") | join(", ")')" 'first test, none, third test'
    run "$PORTWITNESS" check --all t
    assert_matches "$output" 'in test first test'
}

@test "mark without a trace, or with a bad one, is one line and status 2" {
    run -2 --separate-stderr env -u PORTWITNESS_TRACE "$PORTWITNESS" mark a
    assert_matches "$stderr" '^portwitness mark: PORTWITNESS_TRACE is not set'
    run -0 --separate-stderr env -u PORTWITNESS_TRACE "$PORTWITNESS" mark --if-traced a
    assert_equal "$stderr" ''
    echo text >no-trace
    run -2 --separate-stderr env PORTWITNESS_TRACE=no-trace "$PORTWITNESS" mark a
    assert_equal "${#stderr_lines[@]}" 1
    assert_equal "$(cat no-trace)" text
    run -2 --separate-stderr env PORTWITNESS_TRACE=missing "$PORTWITNESS" mark a
    local arguments
    for arguments in '' 'a b' '--no-such a'; do
        # shellcheck disable=SC2086 # words on purpose
        run -2 --separate-stderr "$PORTWITNESS" mark $arguments
        assert_complaint mark "${stderr_lines[@]}"
    done
}

@test "findings alike are counted behind the first; --all shows each" {
    cat >many.py <<'PYTHON'
import socket
for _ in range(12):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
PYTHON
    record "$python" many.py
    run -0 "$PORTWITNESS" check t
    assert_equal "$(grep -c '^SUMMARY' <<<"$output")" 1
    assert_matches "$output" 'And 11 more race-window like it: ports [0-9]+, [0-9]+'
    run -0 "$PORTWITNESS" check --all t
    assert_equal "$(grep -c '^SUMMARY' <<<"$output")" 12
}

@test "usage and files that are no traces: one line each, status 2, and the help for wrong usage" {
    hazard
    local arguments
    for arguments in '' '--fail-on' '--fail-on=x t' '--no-such t' 'missing' '.' '/dev/null'; do
        # shellcheck disable=SC2086 # words on purpose
        run -2 --separate-stderr "$PORTWITNESS" check $arguments
        assert_equal "$output" ''
        if [[ $stderr == "portwitness check: "* ]]; then
            assert_complaint check "${stderr_lines[@]}"
        else
            assert_equal "${#stderr_lines[@]}" 1
            assert_matches "$stderr" "^portwitness: $arguments: "
        fi
    done
    # A good one beside a bad one is not reported on: the evidence would not be what was asked for.
    run -2 --separate-stderr "$PORTWITNESS" check t missing
    assert_equal "$output" ''
}

@test "a trace with damaged, torn and cut records is checked, and that is reported" {
    hazard
    cp --sparse=always t damaged
    size=$((4096 + 1048576))
    printf '\377\377\377\377' | dd of=damaged bs=1 seek=$((size + 64 * 3)) conv=notrunc status=none
    run "$PORTWITNESS" check --json damaged
    [ "$status" -le 1 ]
    assert_equal "$(jq -r '.evidence.complete' <<<"$output")" false
    run "$PORTWITNESS" check damaged
    assert_matches "$output" 'not seen: damaged: [0-9]+ torn: '
    cp --sparse=always t cut
    truncate -s $((size + 64 * 8)) cut
    run -0 "$PORTWITNESS" check cut
    assert_matches "$output" 'not seen: cut: [0-9]+ torn: units cut off'
}

@test "traces of two boots are not mixed up" {
    error t
    cp --sparse=always t other
    printf 'another boot id!' | dd of=other bs=1 seek=48 conv=notrunc status=none
    run -1 "$PORTWITNESS" check --json t other
    assert_equal "$(jq -r '[.findings[] | select(.kind == "address-in-use") | .other.trace == .subject.trace] | unique | join(" ")' <<<"$output")" true
    assert_equal "$(jq -r '[.findings[] | select(.kind == "address-in-use")] | length' <<<"$output")" 2
}

@test "the manual names each key of the JSON form, and each finding" {
    man -l "$root/docs/man/portwitness-check.1" "$root/docs/man/portwitness-json.5" | col -bx >manual
    grep -oE 'set\(object, "[a-z_]+"|set\(spot, "[a-z_]+"' "$root/harness/report/finding_json.c" |
        grep -oE '"[a-z_]+"' | tr -d '"' | sort -u >keys
    [ "$(wc -l <keys)" -gt 40 ]
    local word
    while read -r word; do
        grep -qw -- "$word" manual || { echo "no $word"; false; }
    done <keys
    grep -oE '\] = \{"[a-z-]+"' "$root/harness/check/finding.c" | grep -oE '"[a-z-]+"' | tr -d '"' >names
    # As many as there are kinds, so that none was overlooked.
    assert_equal "$(wc -l <names)" "$(grep -cE '^ +FINDING_[A-Z_]+,' "$root/harness/check/finding.h")"
    [ "$(wc -l <names)" -ge 14 ]
    while read -r word; do
        grep -q -- "$word" manual || { echo "no $word"; false; }
    done <names
}
