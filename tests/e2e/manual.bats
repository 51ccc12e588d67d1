# What the manual says is what the program does: pages, options, names, JSON keys, variables.

bats_require_minimum_version 1.5.0
load ../common

# shellcheck disable=SC2154 # common.bash sets build and root
setup() {
    cd "$BATS_TEST_TMPDIR" || return
    pages=$root/docs/man
}

# Fails, and names it, for each line of stdin that does not stand in a text as a word of its own.
assert_each_in() {
    local text=$1 word count=0 missing=0
    while IFS= read -r word; do
        count=$((count + 1))
        [[ $text =~ (^|[^[:alnum:]_-])"$word"($|[^[:alnum:]_-]) ]] ||
            { echo "not in the manual: $word" >&2; missing=$((missing + 1)); }
    done
    [ "$count" -gt 0 ]
    assert_equal "$missing" 0
}

# A page as plain text: `page portwitness-run.1`.
page() { cat "$BATS_FILE_TMPDIR/$1"; }

# A help text: `help run`.
help() { cat "$BATS_FILE_TMPDIR/${1-help}"; }

setup_file() {
    local page command
    for page in "$root"/docs/man/*; do
        MANWIDTH=500 man -l "$page" | col -bx >"$BATS_FILE_TMPDIR/${page##*/}"
    done
    "$PORTWITNESS" --help >"$BATS_FILE_TMPDIR/help"
    for command in $(commands); do
        "$PORTWITNESS" "$command" --help >"$BATS_FILE_TMPDIR/$command"
    done
}

# The strings in a table of a C file, from the line that a pattern matches on.
names_in() {
    sed -n "/$2/,/^ *};/p" "$root/$1" | grep -o '"[^"]*"' | tr -d '"'
}

commands() {
    help | sed -n 's/^  \([a-z]*\) .*/\1/p'
}

# The options that a help text has, and those under OPTIONS of a page.
help_options() {
    help "$@" | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+|^ +-[a-zA-Z]' |
        grep -oE -- '--?[a-zA-Z-]+' | sort -u
}
page_options() {
    page "$1" | sed -n '/^OPTIONS/,/^[A-Z]/s/^       \(-.*\)/\1/p' | sed 's/   .*//' |
        grep -oE -- '(^| )--?[a-zA-Z][a-z-]*' | tr -d ' ' | sort -u
}

# The keys in the tables of a section of the reference.
documented_keys() {
    sed -n "/^\\.SH $1\$/,/^\\.SH /p" "$pages/portwitness-json.5" |
        sed -n 's/^\([a-z][a-z0-9_, ]*\)|[a-z ]*|T{$/\1/p' | tr -d ' ' | tr , '\n' | sort -u
}

# The keys in the JSON of stdin, but for those that are statuses.
written_keys() {
    jq -r 'paths | select(.[-1] | type == "string") | select(.[-2] != "failed_by_status") | .[-1]' |
        sort -u
}

# assert_keys SECTION: those of stdin are the section's, each of them.
assert_keys() {
    written_keys >written
    documented_keys "$1" >documented
    [ -s written ]
    diff documented written
}

# assert_keys_among SECTION NUMBER: those of stdin, NUMBER of them at least, are among the section's.
assert_keys_among() {
    written_keys >written
    documented_keys "$1" >documented
    [ "$(wc -l <written)" -ge "$2" ]
    assert_equal "$(comm -13 documented written)" ''
}

@test "each command has a page, and each page of a command has its command" {
    commands | sort >names
    [ "$(wc -l <names)" -ge 3 ]
    printf '%s\n' "$pages"/portwitness-*.1 | sed 's/.*portwitness-//; s/\.1$//' | sort >paged
    diff names paged
    assert_each_in "$(page portwitness.1)" < <(sed 's/.*/portwitness-&(1)/' names)
}

@test "a page has the options that the command's help has, and no others" {
    local command
    commands >names
    while read -r command; do
        help_options "$command" >helped
        [ "$(wc -l <helped)" -ge 2 ]
        page_options "portwitness-$command.1" >paged
        diff helped paged || { echo "portwitness $command --help, and its page" >&2; false; }
    done <names
}

@test "pages that pages and help refer to exist, and help refers to the page that says it" {
    local name section count=0
    { cat <(for name in "$pages"/*; do page "${name##*/}"; done)
      for name in $(commands); do help "$name"; done; } |
        grep -oE 'portwitness(-[a-z]+)?\([0-9]\)' | tr '()' '  ' | sort -u >named
    while read -r name section; do
        [ -f "$pages/$name.$section" ] || { echo "no page $name($section)" >&2; false; }
        count=$((count + 1))
    done <named
    [ "$count" -ge 10 ]
    # The main page lists no findings, keys or policies.
    for name in $(commands); do help "$name"; done >helps
    run -1 grep -F 'portwitness(1)' helps
}

@test "the manual names each way in which an end is known" {
    names_in harness/report/ports_report.c 'static const char \*end_name' >ends
    assert_equal "$(wc -l <ends)" 8
    assert_each_in "$(page portwitness-ports.1 | tr -s ' ')" <ends
}

@test "the manual names each kind, flag, option, reason and cause in an export" {
    local table
    for table in kinds sources families types blind_spots losses options; do
        names_in harness/base/names.c "\\*const $table\\[\\]" |
            assert_each_in "$(page portwitness-json.5 | tr -s ' ')"
    done
    names_in harness/base/names.c '^} flags\[\]' |
        assert_each_in "$(page portwitness-json.5 | tr -s ' ')"
}

@test "the manual names each variable that the program and the shim read" {
    grep -rhoE '"PORTWITNESS_[A-Z_]+[="]' "$root/shim" "$root/harness" | tr -d '"=' | sort -u |
        grep -v -e '_H$' -e PORTWITNESS_VERSION >variables
    [ "$(wc -l <variables)" -ge 5 ]
    assert_each_in "$(page portwitness.1)" <variables
}

@test "the reference has each key that the sources write, and no other" {
    find "$root/harness" -name '*.c' -exec cat {} + >sources
    tr -s '\n ' ' ' <sources | grep -oE '(set(_new)?(_nocheck)?|JSON_[A-Z_]+|put_unless)\([a-z]+, ?"[a-z0-9_]+"' |
        grep -oE '"[^"]+"' | tr -d '"' | sort -u >keys
    [ "$(wc -l <keys)" -ge 100 ]
    for section in PORTS EXPORT CHECK PLAN STORM STRESS EXPLAIN; do
        documented_keys "$section"
    done | sort -u >documented
    assert_equal "$(comm -13 documented keys)" ''
    while read -r key; do
        grep -qF "\"$key\"" sources || { echo "no source writes $key" >&2; false; }
    done <documented
}

@test "the reference has the keys that ports and export write" {
    "$PORTWITNESS" run --quiet -o trace -- \
        bash -c 'exec 3<>/dev/udp/127.0.0.1/9; (exec 3>&-); busybox true; cat /dev/null'
    "$PORTWITNESS" ports --json trace | assert_keys PORTS
    [ "$(wc -l <written)" -ge 14 ]
    assert_each_in "$(page portwitness-json.5)" <written
    "$PORTWITNESS" export --format jsonl trace 2>/dev/null | assert_keys_among EXPORT 31
    assert_each_in "$(page portwitness-json.5)" <written
    grep -oE '(JSON_[A-Z_]+|put_unless)\(to, "[a-z_]+"' "$root/harness/report/record_json.c" |
        grep -oE '"[a-z_]+"' | tr -d '"' | sort -u >keys
    assert_equal "$(comm -13 keys written)" ''
    assert_equal "$(comm -13 documented keys)" ''
}

@test "the reference has the keys that check writes" {
    cat >lose.py <<'PYTHON'
import os, socket, subprocess, time

def bind(port):
    taken = socket.socket()
    taken.bind(("127.0.0.1", port))
    return taken

subprocess.run(["busybox", "true"])
first = bind(0)
port = first.getsockname()[1]
first.close()
ready, done = os.pipe()
if os.fork() == 0:
    second = bind(0)
    os.write(done, b".")
    time.sleep(1)
    os._exit(0)
os.read(ready, 1)
bind(port)
PYTHON
    run "$PORTWITNESS" run --quiet --stacks=2 --policy soonest -o trace -- python3 lose.py
    [ "$status" -eq 1 ]
    printf 'program:nobody\n' >known
    run -1 --separate-stderr "$PORTWITNESS" check --json --suppressions known trace
    assert_equal "$(jq -r '.findings[0].kind' <<<"$output")" lost-race
    assert_keys_among CHECK 70 <<<"$output"
    "$PORTWITNESS" export --format jsonl trace 2>/dev/null | assert_keys_among EXPORT 40
}

@test "the reference has the keys that plan and explain write" {
    python3 - "$PORTWITNESS" >plan.json <<'PYTHON'
import socket, subprocess, sys

with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]
    subprocess.run([sys.argv[1], "plan", "--json", "--check-now", "-p", f"{port}:80"])
PYTHON
    assert_equal "$(jq '(.warnings | length > 0) and (.mappings[0].now.holders | length > 0)' plan.json)" true
    assert_keys PLAN <plan.json
    "$PORTWITNESS" explain --json 'a tcp' 'a bind 127.0.0.1:0' | assert_keys EXPLAIN
}

@test "the reference has the keys that storm and stress write" {
    # Besides those of the policy, which stand in the section on check.
    "$PORTWITNESS" storm --json --publishers 2 --rounds 1 >storm.json
    jq -c 'del(.policy[])' storm.json | assert_keys STORM
    jq -c .policy storm.json | assert_keys_among CHECK 14
    run -1 --separate-stderr "$PORTWITNESS" stress --json -j 1 --rounds 1 --keep kept -- \
        sh -c "'$PORTWITNESS' mark --end --outcome failed a; false"
    assert_keys STRESS <<<"$output"
}
