# A baseline: findings that a team knows of do not fail, new ones do.
# shellcheck disable=SC2154,SC2016 # variables of the helpers, those of programs in quotes

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load check
    check_setup
    rebind=$build/tests/guests/rebind
    # Binds a number that was released, once for each of its arguments.
    cat >windows.sh <<'SH'
for name; do
    "$python" "$name.py"
done
SH
    local name
    for name in one two; do
        cp pick_and_bind.py "$name.py"
    done
    export python
}

# windows NAME...: a trace t with a race window of each.
windows() {
    rm -f t
    record sh windows.sh "$@"
}

@test "what was written once is known in the next run, with other pids, ports and times" {
    windows one two
    run -1 "$PORTWITNESS" check --fail-on hazard t
    run -0 "$PORTWITNESS" check --fail-on hazard --baseline known --update-baseline t
    assert_matches "$output" 'portwitness: 2 known findings \(baseline\)
portwitness: clean: 0 errors, 0 hazards, 0 notes, 0 suppressed'
    cp known first
    windows one two
    run -0 "$PORTWITNESS" check --fail-on hazard --baseline known t
    assert_equal "${output%%; raw system calls*}" 'portwitness: 2 known findings (baseline)
portwitness: clean: 0 errors, 0 hazards, 0 notes, 0 suppressed'
    "$PORTWITNESS" check --baseline known --update-baseline t
    cmp first known
    assert_equal "$(head -n 1 known)" '{"portwitness-baseline":1}'
    assert_equal "$(wc -l <known)" 3
    sort -c <(tail -n +2 known)
    assert_equal "$(jq -r '.baseline' <("$PORTWITNESS" check --json --baseline known t | jq -c '.findings[]') | xargs)" 'true true'
}

@test "a new finding fails, and it alone is shown; what was not seen is counted" {
    windows one
    "$PORTWITNESS" check --baseline known --update-baseline t
    windows one two
    run -1 "$PORTWITNESS" check --fail-on hazard --baseline known t
    assert_equal "$(grep -c '^SUMMARY' <<<"$output")" 1
    assert_matches "$output" 'by [0-9]+ .*two.py'
    assert_matches "$output" 'portwitness: 1 known finding \(baseline\)'
    assert_matches "$output" 'portwitness: hazards: 0 errors, 1 hazard'
    windows two
    run -1 "$PORTWITNESS" check --fail-on hazard --baseline known t
    assert_matches "$output" 'portwitness: 1 of the baseline was not seen'
    assert_equal "$("$PORTWITNESS" check --json --baseline known t | jq -c '[.baseline_unseen, .findings[0].baseline]')" '[1,false]'
    assert_equal "$("$PORTWITNESS" check --json t | jq -c .baseline_unseen)" null
}

@test "names that differ by a digit, by their folder, or late in a long command are not one" {
    local long name
    long=$(printf '%0300d' 0 | tr 0 x)
    mkdir -p a/x/app b/y/app
    for name in server1.py server2.py a/x/app/web.py b/y/app/web.py; do cp one.py "$name"; done
    known() { rm -f t; record "$python" "$@"; "$PORTWITNESS" check --baseline known --update-baseline t; }
    new() { rm -f t; record "$python" "$@"; run -1 "$PORTWITNESS" check --fail-on hazard --baseline known t; }
    known server1.py
    new server2.py
    known "$PWD/a/x/app/web.py"
    new "$PWD/b/y/app/web.py"
    known one.py "${long}1"
    new one.py "${long}2"
}

@test "other folders for temporary files, identifiers and workers of pytest make nothing new" {
    again() {
        rm -f t
        mkdir -p "$1"
        cp one.py "$1/web.py"
        PYTEST_CURRENT_TEST="test_a.py::test_up[2] ($2)" PYTEST_XDIST_WORKER=$3 \
            record "$python" "$1/web.py" --id="$4"
    }
    again "$PWD/one/tmpab3x_9qz" call gw0 01234567-89ab-cdef-0123-456789abcdef
    "$PORTWITNESS" check --baseline known --update-baseline t
    assert_equal "$(tail -n 1 known | jq -c '[.command, .test]')" \
        "[\"$python */web.py --id=*\",\"test_a.py::test_up[2]\"]"
    again tmp.Ab12Cd34Ef setup gw1 3f9a2b1c
    run -0 "$PORTWITNESS" check --fail-on hazard --baseline known t
    assert_matches "$output" '1 known finding '
}

@test "a number that was written down is part of what is known" {
    cat >fixed.py <<'PYTHON'
import os, socket, sys
held = socket.create_server(("127.0.0.1", int(sys.argv[1])))
if os.fork() == 0:
    socket.create_server(("127.0.0.1", int(sys.argv[1])))
os.wait()
PYTHON
    fixed() { rm -f t; one_port 20001 "$PORTWITNESS" run --quiet -o t -- "$python" fixed.py "$1" 2>/dev/null; }
    fixed 20000
    "$PORTWITNESS" check --baseline known --update-baseline t
    assert_equal "$(tail -n 1 known | jq -r '"\(.finding) \(.protocol) \(.port)"')" 'address-in-use tcp 20000'
    fixed 20000
    run -0 "$PORTWITNESS" check --baseline known t
    fixed 20002
    run -1 "$PORTWITNESS" check --baseline known t
}

@test "run --check takes both options, and reads the file before it starts anything" {
    run -0 "$PORTWITNESS" run --quiet --check --fail-on hazard --baseline known --update-baseline -o t -- "$rebind"
    [ -s known ]
    run -0 "$PORTWITNESS" run --quiet --check --fail-on hazard --baseline known -o t2 -- "$rebind"
    run -1 "$PORTWITNESS" run --quiet --check --fail-on hazard --baseline known -o t3 -- sh windows.sh one
    run -125 --separate-stderr "$PORTWITNESS" run --check --baseline missing -o no -- touch ran
    assert_equal "$stderr" 'portwitness: missing: No such file or directory'
    run -125 --separate-stderr "$PORTWITNESS" run --check --update-baseline -o no -- touch ran
    assert_matches "$stderr" "^portwitness run: option '--update-baseline' needs '--baseline'"
    [ ! -e ran ]
    [ ! -e no ]
}

@test "a file that is no baseline is refused and stays as it is" {
    windows one
    "$PORTWITNESS" check --baseline known --update-baseline t
    local text
    for text in '' 'kind:race-window' '{"portwitness-baseline":2}' "$(cat known)
{\"finding\":\"no-such\"}"; do
        printf '%s' "$text" >bad
        cp bad before
        run -2 --separate-stderr "$PORTWITNESS" check --baseline bad t
        assert_equal "$output" ''
        assert_equal "${#stderr_lines[@]}" 1
        assert_matches "$stderr" '^portwitness: bad:[1-9]: '
        run -2 "$PORTWITNESS" check --baseline bad --update-baseline t
        cmp bad before
    done
    run -2 --separate-stderr "$PORTWITNESS" check --baseline missing t
    assert_equal "$stderr" 'portwitness: missing: No such file or directory'
    run -2 --separate-stderr "$PORTWITNESS" check --update-baseline t
    assert_matches "$stderr" "^portwitness check: option '--update-baseline' needs '--baseline'"
    run -2 --separate-stderr "$PORTWITNESS" check --baseline no/such/folder --update-baseline t
    assert_matches "$stderr" '^portwitness: no/such/folder: No such file or directory'
}

@test "the file is replaced at once: a link stays one, the mode is kept, nothing is left beside it" {
    windows one
    mkdir folder
    umask 022
    "$PORTWITNESS" check --baseline folder/real --update-baseline t
    ln -s folder/real known
    assert_equal "$(stat -c %a folder/real)" 644
    chmod 600 folder/real
    local inode
    inode=$(stat -c %i folder/real)
    "$PORTWITNESS" check --baseline known --update-baseline t
    assert_equal "$(stat -c %a folder/real)" 600
    [ "$(stat -c %i folder/real)" != "$inode" ]
    [ -L known ]
    assert_equal "$(ls folder)" real
}

@test "suppressed findings and notes are not written" {
    windows one
    echo kind:race-window >suppressions
    "$PORTWITNESS" check --suppressions suppressions --baseline known --update-baseline t
    assert_equal "$(cat known)" '{"portwitness-baseline":1}'
}

@test "what was written, added and removed is said; a run that proves nothing removes nothing" {
    update() { "$PORTWITNESS" check --quiet --json=out --baseline known --update-baseline t 2>&1; }
    windows one two
    assert_equal "$(update)" 'portwitness: baseline known: 2 written, 2 added, 0 removed'
    cp known full
    windows one
    assert_equal "$(update)" 'portwitness: baseline known: 1 written, 0 added, 1 removed'
    local last
    for last in 'exit 3' 'kill -KILL $$'; do
        cp full known
        rm t
        "$PORTWITNESS" run --quiet -o t -- sh -c "$python one.py; $last" || true
        assert_equal "$(update)" 'portwitness: baseline known: 2 written, 0 added, 1 kept: the command failed'
        cmp full known
    done
    rm t
    record sh -c true
    assert_equal "$(update)" 'portwitness: baseline known: 2 written, 0 added, 2 kept: the command asked for no port'
    rm t
    record_by_shim sh -c "$python one.py; $build/tests/guests/bind_once.static 127.0.0.1 0"
    assert_equal "$(update)" 'portwitness: baseline known: 2 written, 0 added, 1 kept: the evidence is incomplete'
    cmp full known
}

@test "what cannot be written is known before the command starts" {
    local option
    mkdir folder
    ln -s folder/missing dangling
    for option in '--baseline=no/known --update-baseline' '--json=no/out' '--json=folder' \
        '--baseline=dangling --update-baseline' '--json=dangling'; do
        # shellcheck disable=SC2086 # the words of the options
        run -125 --separate-stderr "$PORTWITNESS" run --check $option -o no.trace -- touch ran
        assert_equal "${#stderr_lines[@]}" 1
        [ ! -e ran ]
    done
    [ -L dangling ]
    [ ! -e folder/missing ]
    assert_equal "$stderr" 'portwitness: dangling: is a symbolic link to a file that does not exist'
}

@test "a baseline that cannot be written any more does not cost the report" {
    run -125 --separate-stderr "$PORTWITNESS" run --check --baseline folder/known --update-baseline -o t -- \
        sh -c 'exit 0'
    mkdir folder
    run -125 --separate-stderr "$PORTWITNESS" run --check --baseline folder/known --update-baseline -o t -- \
        sh -c 'rm -r folder; exec sh windows.sh one'
    assert_matches "$stderr" 'WARNING: portwitness: race-window'
    assert_matches "$stderr" 'portwitness: folder/known: No such file or directory'
    assert_matches "$stderr" 'portwitness: hazards: 0 errors, 1 hazard'
}

@test "the file of --json is neither a trace nor a file that is read" {
    windows one
    "$PORTWITNESS" check --baseline known --update-baseline t
    echo kind:race-window >suppressions
    ln t other
    local file
    for file in t ./t other known suppressions; do
        cp "$file" before
        run -2 --separate-stderr "$PORTWITNESS" check --baseline known --suppressions suppressions --json="$file" t
        assert_matches "$stderr" "^portwitness: $file: is also named as a"
        cmp before "$file"
    done
    run -2 "$PORTWITNESS" check --baseline new --update-baseline --json="$PWD/new" t
    [ ! -e new ]
    run -125 "$PORTWITNESS" run --check --json=./new.trace -o new.trace -- touch ran
    [ ! -e ran ]
    run -0 "$PORTWITNESS" check --json=out --json t
    assert_equal "$(jq -r .verdict <<<"$output")" hazards
    [ ! -e out ]
}

@test "a pipe is no baseline, nor what run reads twice" {
    windows one
    mkfifo pipe
    run -2 timeout 20 "$PORTWITNESS" check --baseline pipe t
    assert_equal "$output" 'portwitness: pipe: must be a regular file'
    run -125 timeout 20 "$PORTWITNESS" run --check --suppressions pipe -o no -- touch ran
    assert_equal "$output" 'portwitness: pipe: must be a regular file'
    [ ! -e ran ]
}

@test "a report that cannot be written has another status than findings" {
    record true
    run -2 --separate-stderr sh -c '"$0" check t >/dev/full' "$PORTWITNESS"
    assert_matches "$stderr" 'No space left on device'
}
