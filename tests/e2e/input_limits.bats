# Files that people write are read whole, and none without end: a device, a directory or anything else
# in their place is reported by its name.
# shellcheck disable=SC2154 # variables of bats and of common.bash

bats_require_minimum_version 1.5.0
load ../common

setup() { cd "$BATS_TEST_TMPDIR" || return; }

# Each command that reads such a file, the file's name behind it.
every_reader() {
    "$PORTWITNESS" run --quiet -o t.trace -- true
    printf '%s\n' 'check t.trace --suppressions' 'plan' 'storm' 'explain -f'
}

# refused NAME REASON: every reader ends at once with one line, which names the file.
refused() {
    local reader
    rm -f t.trace
    while read -r reader; do
        # A sanitizer's address space is as large as it wants.
        # shellcheck disable=SC2016,SC2086 # for the inner shell; the words of the command
        run -2 --separate-stderr timeout 60 bash -c \
            'case $0 in *sanitize*) ;; *) ulimit -v 1000000 ;; esac; exec "$0" "$@"' \
            "$PORTWITNESS" $reader "$1"
        assert_equal "$output" ''
        assert_equal "${#stderr_lines[@]}" 1
        assert_matches "$stderr" "^portwitness[a-z ]*: $1:[0-9: ]*.*$2"
    done < <(every_reader)
}

@test "a device that never ends and a file that is too large are refused" {
    refused /dev/zero '1048576 bytes|1 MiB'
    head -c 3000000 /dev/zero | tr '\0' '#' >large
    refused large '1048576 bytes|1 MiB'
    yes '#' | head -c 1048577 >lines
    refused lines '1048576 bytes|1 MiB'
}

@test "a directory and a file that is not there are refused" {
    mkdir folder
    refused folder 'Is a directory'
    refused nowhere 'No such file or directory'
}

@test "text with a NUL in it is refused" {
    printf 'kind:race-window\0\n' >zero
    "$PORTWITNESS" run --quiet -o t.trace -- true
    run -2 "$PORTWITNESS" check --suppressions=zero t.trace
    assert_equal "$output" 'portwitness: zero: is not a text file: it has a NUL in it'
    run -2 "$PORTWITNESS" explain -f zero
    assert_equal "$output" 'portwitness explain: zero: is not a text file: it has a NUL in it'
}

@test "suppressions: a line too long and too many lines are reported by their place" {
    "$PORTWITNESS" run --quiet -o t.trace -- true
    { echo kind:race-window; printf 'program:%05000d\n' 1; } >long
    run -2 "$PORTWITNESS" check --suppressions=long t.trace
    assert_equal "$output" 'portwitness: long:2: the line has more than 4096 bytes'
    yes kind:race-window | head -n 10001 >many
    run -2 "$PORTWITNESS" check --suppressions=many t.trace
    assert_equal "$output" 'portwitness: many: has more than 10000 lines'
    # What is as large as may be is read.
    { yes kind:race-window | head -n 9999; printf 'program:%04088d' 1; } >most
    run -0 "$PORTWITNESS" check --suppressions=most t.trace
    run -0 "$PORTWITNESS" check --suppressions=/dev/null t.trace
    run -0 "$PORTWITNESS" check --suppressions=<(echo kind:race-window) t.trace
}

@test "explain: a long line is one operation, and more than there may be are reported" {
    printf 'a tcp %0600d\n' 1 >long
    run -2 "$PORTWITNESS" explain -f long
    assert_matches "$output" '^portwitness explain: long:1: '
    { echo a tcp; yes 'a bind 127.0.0.1:0' | head -n 4096; } >many
    run -2 --separate-stderr "$PORTWITNESS" explain -f many
    assert_equal "$stderr" 'portwitness explain: many:4097: more than 4096 operations'
}

@test "a module that a trace names and that is a FIFO is not waited for" {
    mkfifo fifo
    "$PORTWITNESS" run --quiet -o t.trace -- "$build/tests/guests/rebind"
    run "$PORTWITNESS" check t.trace
    assert_matches "$output" 'rebind\.c:'
    # A copy of the program stands where the FIFO will be.
    rm fifo
    cp "$build/tests/guests/rebind" fifo
    rm t.trace
    "$PORTWITNESS" run --quiet -o t.trace -- "$PWD/fifo"
    rm fifo
    mkfifo fifo
    run timeout 60 "$PORTWITNESS" check t.trace
    assert_matches "$output" 'race-window'
    assert_equal "$status" 0
}
