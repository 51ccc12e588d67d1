# What `ports` and `export` say to files that are no traces, or traces no longer whole.

# shellcheck disable=SC2154 # variables of common.bash
bats_require_minimum_version 1.5.0

load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

# A trace with some hundred records, made by hand in the file that is named.
make_trace() {
    LD_PRELOAD=$shim PORTWITNESS_TRACE=$1 bash -c '
        for i in {1..100}; do exec 3<>/dev/udp/127.0.0.1/9; exec 3>&-; done'
    "$PORTWITNESS" ports "$1" >whole.txt
    [ "$(grep -c udp whole.txt)" -eq 100 ]
}

# Where the last unit in use ends, in bytes.
end_of_units() {
    local last
    last=$("$PORTWITNESS" export --format jsonl "$1" | tail -n 1 | grep -o '"seq":[0-9]*')
    echo $((4096 + 1048576 + (${last#*:} + 1) * 64))
}

# One line on stderr that names the file and says what is wrong, nothing on stdout, status 2.
assert_refused() {
    local file=$1 because=$2 command
    for command in ports "ports --json" "export --format jsonl"; do
        local status=0
        # shellcheck disable=SC2086 # the words of the command
        "$PORTWITNESS" $command "$file" >out 2>err || status=$?
        if [ "$status" -ne 2 ] || [ -s out ] || [ "$(wc -l <err)" -ne 1 ] ||
            ! grep -qF -- "portwitness: $file: " err || ! grep -q -- "$because" err; then
            echo "$command $file: status $status"
            cat out err
            return 1
        fi
    done
}

# Either refused as above, or some records reported and the rest counted: $answer says which. This runs
# thousands of times, so nothing but the program itself is started, in a shell of its own: bats stops
# at every command to look at it.
assert_refused_or_counted() {
    local file=$1 command=$2 status=0 lines
    # shellcheck disable=SC2086 # the words of the command
    "$PORTWITNESS" $command "$file" >out 2>err || status=$?
    mapfile -t lines <err
    answer=wrong
    if [ "${#lines[@]}" -eq 1 ] && [[ ${lines[0]} == "portwitness: $file: "* ]]; then
        if [ "$status" -eq 2 ] && [ ! -s out ]; then
            answer=refused
        elif [ "$status" -eq 0 ] && [[ ${lines[0]} == *"units cut off"* ]]; then
            answer=counted
        fi
    fi
    [ "$answer" != wrong ] || printf '%s: status %s\n' "$command" "$status" "${lines[@]}"
    [ "$answer" != wrong ]
}

# Overwrites bytes of a copy of the trace: file, offset, bytes in printf's octal.
patch_trace() {
    # shellcheck disable=SC2059 # the bytes are given as a format
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "a file that is not there, a folder, a device and a FIFO are refused" {
    mkdir folder
    mkfifo fifo
    assert_refused nowhere 'No such file or directory'
    assert_refused folder 'is a folder'
    assert_refused /dev/null 'not a regular file'
    assert_refused fifo 'not a regular file'
}

@test "an empty file, text and random bytes are refused" {
    : >empty
    echo 'PORT PROTO ADDRESS' >text
    head -c 100000 /dev/urandom >random
    assert_refused empty 'is empty'
    assert_refused text 'not a portwitness trace'
    assert_refused random 'not a portwitness trace'
}

@test "a trace of another version, byte order or unit size is refused by that reason" {
    make_trace whole
    cp --sparse=always whole version
    patch_trace version 8 '\002'
    assert_refused version 'version 2.*reads version 1'
    cp --sparse=always whole order
    patch_trace order 12 '\001\002\003\004'
    assert_refused order 'other byte order'
    cp --sparse=always whole mark
    patch_trace mark 12 '\000\000\000\000'
    assert_refused mark 'no byte order mark'
    cp --sparse=always whole unit
    patch_trace unit 16 '\100\001'
    assert_refused unit 'units of 320 bytes'
    cp --sparse=always whole feature
    patch_trace feature 24 '\200'
    assert_refused feature 'features.*0x80'
}

# tests/unit/reader_test.c tries each length in one process, also under ASan.
@test "a trace cut at any length of its first 4 KiB is refused" {
    make_trace cut
    truncate -s 4096 cut
    cp cut whole_header
    export -f assert_refused_or_counted
    PORTWITNESS=$PORTWITNESS bash -e -c '
        for ((size = 4096; size >= 0; size -= CUT_STEP)); do
            head -c "$size" whole_header >"cut"
            assert_refused_or_counted cut ports
            [ "$answer" = refused ]
        done'
    head -c 4096 whole_header >"cut"
    assert_refused cut 'cut off before its first record'
    head -c 2000 whole_header >"cut"
    assert_refused cut 'cut off inside its header, after 2000 bytes'
    head -c 9 whole_header >"cut"
    assert_refused cut 'cut off inside its header, after 9 bytes'
}

@test "a trace cut at random places is reported as far as it goes" {
    make_trace cut
    local end
    end=$(end_of_units cut)
    RANDOM=1
    for ((i = 0; i < RANDOM_CUTS / 2; i++)); do
        # Half of them where the records are, half anywhere.
        echo $((4096 + 1048576 + (RANDOM * 32768 + RANDOM) % (end - 4096 - 1048576)))
        echo $(((RANDOM * 32768 + RANDOM) % end))
    done | sort -rn >sizes
    [ "$(wc -l <sizes)" -eq "$RANDOM_CUTS" ]
    export -f assert_refused_or_counted
    PORTWITNESS=$PORTWITNESS bash -e -c '
        counted=0 refused=0
        while read -r size; do
            truncate -s "$size" cut
            assert_refused_or_counted cut "export --format jsonl"
            : $(($answer++))
        done <sizes
        [ $((10 * counted)) -gt $((4 * RANDOM_CUTS)) ] && [ $((10 * refused)) -gt "$RANDOM_CUTS" ]'
}

@test "random bytes where the records were are counted, never believed" {
    make_trace noise
    local end
    end=$(end_of_units noise)
    head -c $((end - 1052672)) /dev/urandom |
        dd of=noise bs=4096 seek=257 conv=notrunc iflag=fullblock status=none
    run "$PORTWITNESS" ports noise
    [ "$status" -eq 0 ]
    [[ $output == *"damaged units"* ]]
}

@test "good traces are shown beside a bad one, and the status is still 2" {
    make_trace whole
    run --separate-stderr "$PORTWITNESS" ports whole nowhere
    [ "$status" -eq 2 ]
    [ "$(grep -c udp <<<"$output")" -eq 100 ]
    # shellcheck disable=SC2154 # run sets it
    [[ $stderr == "portwitness: nowhere: "* ]]
}

@test "output that cannot be written is reported, on a full disk and on a closed pipe" {
    make_trace whole
    local command status
    for command in ports "ports --json" "export --format jsonl" --help; do
        local file=whole
        [ "$command" = --help ] && file=
        status=0
        # shellcheck disable=SC2086 # the words of the command
        "$PORTWITNESS" $command $file >/dev/full 2>err || status=$?
        [ "$status" -eq 1 ]
        grep -q 'No space left on device' err
        status=0
        # shellcheck disable=SC2086
        "$PORTWITNESS" $command $file >&- 2>err || status=$?
        [ "$status" -eq 1 ]
        [ "$(wc -l <err)" -eq 1 ]
    done
    # run has a status of its own for what is its own failure.
    "$PORTWITNESS" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' >commands
    [ "$(wc -l <commands)" -ge 5 ]
    while read -r command; do
        status=0
        "$PORTWITNESS" "$command" --help >/dev/full 2>err || status=$?
        [ "$status" -eq "$([ "$command" = run ] && echo 125 || echo 1)" ]
        grep -q 'No space left on device' err
        [ "$(wc -l <err)" -eq 1 ]
    done <commands
    status=0
    { "$PORTWITNESS" export --format jsonl whole 2>err || echo $? >status; } | true
    # The reader may still have been there for the first part of it.
    for ((i = 0; i < 100; i++)); do
        [ -s status ] && break
        { "$PORTWITNESS" export --format jsonl whole 2>err || echo $? >status; } | true
    done
    [ "$(cat status)" -eq 1 ]
    grep -q 'Broken pipe' err
}

@test "wrong options are named, with the help" {
    local arguments
    for arguments in "ports --frobnicate x" "ports --pid many x" "ports" "export x" \
        "export --format xml x" "frobnicate"; do
        # shellcheck disable=SC2086 # the words of the command
        run --separate-stderr "$PORTWITNESS" $arguments
        [ "$status" -eq 2 ]
        [ -z "$output" ]
        if [ "$arguments" = frobnicate ]; then
            # shellcheck disable=SC2154 # run sets it
            assert_complaint '' "${stderr_lines[@]}"
        else
            assert_complaint "${arguments%% *}" "${stderr_lines[@]}"
        fi
    done
    run "$PORTWITNESS" ports --frobnicate x
    [[ $output == *--frobnicate* ]]
    run "$PORTWITNESS" ports --pid many x
    [[ $output == *many* ]]
}

@test "an invalid process or port number is reported in one line that names it" {
    make_trace whole
    local option value
    while read -r option value; do
        value=${value//_/ }
        for value in "$value" "${value}x"; do
            run --separate-stderr "$PORTWITNESS" ports "--$option" "$value" whole
            [ "$status" -eq 2 ]
            [ -z "$output" ]
            [ "$(wc -l <<<"$stderr")" -eq 1 ]
            [[ $stderr == "portwitness ports: invalid argument '$value' for '--$option': must be a number from "* ]]
        done
    done <<'VALUES'
pid -5
pid -1
pid 0
pid
pid _5
pid 5_
pid +5
pid 2147483648
pid 99999999999999999999
port -1
port
port _80
port 65536
port 70000
port 0x50
VALUES
    run "$PORTWITNESS" ports --port 65535 --pid 2147483647 whole
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
}

@test "of an option that is repeated the last one counts, and nothing is left behind" {
    make_trace whole
    local arguments expected count=0 valgrind=(valgrind --quiet --leak-check=full
        --errors-for-leak-kinds=definite --error-exitcode=99)
    while read -r expected arguments; do
        local watched=()
        [ $((count++ % VALGRIND_STEP)) -ne 0 ] || watched=("${valgrind[@]}")
        # shellcheck disable=SC2086 # the words of the command
        run "${watched[@]}" "$PORTWITNESS" $arguments
        echo "$arguments: $status, $output"
        [ "$status" -eq "$expected" ]
    done <<'COMMANDS'
0 ports --program a --program bash whole
0 ports --program a --help
2 ports --program a --bogus whole
2 ports --program a --pid b --pid c whole
2 ports --program a
0 export -f xml -f jsonl whole
2 export -f jsonl -f xml whole
2 export -f jsonl --bogus whole
0 export -f jsonl --help
COMMANDS
    run "$PORTWITNESS" ports --program a --program bash --pid 1 --port 9 whole
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    run "$PORTWITNESS" ports --program a --program bash whole
    [ "${#lines[@]}" -eq 101 ]
}

@test "control characters of eight bits and marks of direction reach no message and no table" {
    local name=$'a\u009b2J\x9b2J\u202eb\u2066c\u011b'
    cp "$build/tests/guests/rebind" "$name"
    "$PORTWITNESS" run --quiet -o t -- "./$name"
    run -0 "$PORTWITNESS" ports t
    assert_matches "$output" ' a\?2J\?2J\?b\?  '
    run -2 "$PORTWITNESS" ports "no$name"
    assert_matches "$output" $'^portwitness: noa\\?2J\\?2J\\?b\\?c\u011b: '
}

@test "control characters in a name reach no message" {
    local name=$'a\n\e[31mb\177' command status
    make_trace cut
    truncate -s 1060000 cut
    mv cut "$name"
    # A trace that is cut, none at all, one that is there already, and a new one.
    for command in ports "export --format jsonl"; do
        # shellcheck disable=SC2086 # the words of the command
        "$PORTWITNESS" $command "$name" >out 2>err
        [ "$(wc -l <err)" -eq 1 ]
        grep -qF 'portwitness: a??[31mb?: incomplete: ' err
        status=0
        # shellcheck disable=SC2086
        "$PORTWITNESS" $command "no$name" >out 2>err || status=$?
        [ "$status" -eq 2 ]
        [ "$(wc -l <err)" -eq 1 ]
        grep -qF 'portwitness: noa??[31mb?: ' err
    done
    status=0
    "$PORTWITNESS" ports $'--a\nb' x 2>err || status=$?
    [ "$(head -n 1 err)" = "portwitness ports: unrecognized option '--a?b'" ]
    status=0
    "$PORTWITNESS" run -o "$name" -- true 2>err || status=$?
    [ "$status" -eq 125 ]
    [ "$(wc -l <err)" -eq 1 ]
    "$PORTWITNESS" run -o "new$name" -- true 2>err
    [ "$(tail -n 1 err)" = 'portwitness: newa??[31mb?' ]
}
