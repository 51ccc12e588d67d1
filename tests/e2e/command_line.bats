# The command line: how commands are found, what is said of wrong ones, and the help.
# shellcheck disable=SC2154,SC2016 # variables of bats; programs in quotes

bats_require_minimum_version 1.5.0
load ../common

commands=(run check stress reserve ports explain plan storm export mark)

setup() {
    mkdir "$BATS_TEST_TMPDIR/folder" # for bats has files of its own there
    cd "$BATS_TEST_TMPDIR/folder" || return
}

# The exit status of a command after wrong usage: `run` has one of its own.
usage_status() { [ "$1" = run ] && echo 125 || echo 2; }

# wrong COMMAND MESSAGE ARGUMENT...: gets that message, with the help and nothing else, and the status.
wrong() {
    local command=$1 message=$2
    shift 2
    run "-$(usage_status "$command")" --separate-stderr "$PORTWITNESS" ${command:+"$command"} "$@"
    assert_equal "$output" ''
    assert_equal "$stderr" "portwitness${command:+ $command}: $message
Try 'portwitness${command:+ $command} --help' for more information."
}

@test "the commands stand in the order of use, and are those of the help" {
    run -0 "$PORTWITNESS" --help
    assert_equal "$(sed -n 's/^  \([a-z]\+\) .*/\1/p' <<<"$output" | xargs)" "${commands[*]}"
    local long=$output
    for words in -h help 'help help'; do
        # shellcheck disable=SC2086 # words on purpose
        run -0 --separate-stderr "$PORTWITNESS" $words
        assert_equal "$output" "$long"
    done
    run -2 --separate-stderr "$PORTWITNESS"
    assert_equal "$output" ''
    assert_equal "$stderr" "$long"
}

@test "each command has its help three ways, and its version two" {
    local command long
    for command in "${commands[@]}"; do
        run -0 --separate-stderr "$PORTWITNESS" help "$command"
        assert_equal "$stderr" ''
        long=$output
        assert_matches "${lines[0]}" "^Usage: portwitness $command \[OPTION\.\.\.\] "
        for option in -h --help; do
            run -0 --separate-stderr "$PORTWITNESS" "$command" $option
            assert_equal "$output" "$long"
        done
        for option in -V --version; do
            run -0 --separate-stderr "$PORTWITNESS" "$command" $option
            assert_equal "$output" "$("$PORTWITNESS" --version)"
            assert_matches "$output" '^portwitness [0-9]+\.[0-9]+\.[0-9]+$'
        done
    done
    assert_equal "$("$PORTWITNESS" -V)" "$("$PORTWITNESS" --version)"
    assert_equal "$("$PORTWITNESS" --vers)" "$("$PORTWITNESS" --version)"
    assert_equal "$("$PORTWITNESS" help --help)" "$("$PORTWITNESS" --help)"
    assert_equal "$("$PORTWITNESS" help -h)" "$("$PORTWITNESS" --help)"
    assert_equal "$("$PORTWITNESS" help run --help)" "$("$PORTWITNESS" help run)"
}

@test "help is narrower than 80 columns and ends with two examples, which parse" {
    local command word
    "$PORTWITNESS" --help >shown
    for command in "${commands[@]}"; do "$PORTWITNESS" help "$command" >>shown; done
    assert_equal "$(awk 'length >= 80' shown)" ''
    for command in "${commands[@]}"; do
        "$PORTWITNESS" help "$command" >shown
        assert_equal "$(tail -n 3 shown | head -n 1)" 'Examples:'
        assert_equal "$(tail -n 2 shown | grep -c "^  portwitness $command ")" 2
        # Every option of the examples is one that the help has.
        for word in $(tail -n 2 shown | sed 's/ -- .*//; s/ |.*//' | grep -oE -- ' --?[a-z-]+'); do
            head -n -3 shown | grep -qE -- "^ +(-., )?$word\b"
        done
    done
}

@test "the help has none of the glossary's retired words" {
    local command
    "$PORTWITNESS" --help >shown
    for command in "${commands[@]}"; do "$PORTWITNESS" help "$command" >>shown; done
    run -0 "$root/scripts/words" shown
}

@test "an option that no command has is unrecognized, and its letter invalid" {
    local command
    for command in "${commands[@]}"; do
        wrong "$command" "unrecognized option '--bogus'" --bogus
        wrong "$command" "unrecognized option '--bogus=1'" --bogus=1 x
        wrong "$command" "invalid option -- 'z'" -z
    done
    wrong '' "unrecognized option '--bogus'" --bogus
    wrong run "invalid option -- 'z'" -qz true
}

@test "near misses of options are suggested" {
    wrong run "unrecognized option '--polcy'; did you mean '--policy'?" --polcy kernel true
    wrong run "unrecognized option '--stakcs=3'; did you mean '--stacks'?" --stakcs=3 true
    wrong check "unrecognized option '--sctrict'; did you mean '--strict'?" --sctrict
    wrong stress "unrecognized option '--rouns'; did you mean '--rounds'?" --rouns x
    wrong reserve "unrecognized option '--nunber'; did you mean '--number'?" --nunber
    wrong ports "unrecognized option '--progam'; did you mean '--program'?" --progam
    wrong explain "unrecognized option '--kernle'; did you mean '--kernel'?" --kernle
    wrong plan "unrecognized option '--al-versions'; did you mean '--all-versions'?" --al-versions
    wrong storm "unrecognized option '--publisher5'; did you mean '--publishers'?" --publisher5
    wrong export "unrecognized option '--fromat'; did you mean '--format'?" --fromat
    wrong mark "unrecognized option '--ned'; did you mean '--end'?" --ned
    wrong '' "unrecognized option '--hlep'; did you mean '--help'?" --hlep
}

@test "an option may be abbreviated as long as one is meant" {
    run -0 "$PORTWITNESS" run --quie -o t --pol kernel -- true
    wrong run "option '--s' is ambiguous; possibilities: '--stacks' '--shared' '--strict' '--suppressions'" --s true
}

@test "an argument that is missing, or too much" {
    wrong run "option requires an argument -- 'o'" -o
    wrong run "option '--output' requires an argument" --output
    wrong run "option '--policy' requires an argument" --policy
    wrong check "option '--suppressions' requires an argument" --suppressions
    wrong stress "option requires an argument -- 'j'" -j
    wrong reserve "option requires an argument -- 'n'" -n
    wrong ports "option '--pid' requires an argument" t --pid
    wrong explain "option requires an argument -- 'f'" -f
    wrong plan "option requires an argument -- 'p'" -p
    wrong storm "option '--seed' requires an argument" --seed
    wrong export "option '--format' requires an argument" --format
    wrong run "option '--quiet' doesn't allow an argument" --quiet=yes true
    wrong mark "option '--end' doesn't allow an argument" --end=1
}

@test "-- is not taken for an option's argument" {
    wrong run "option requires an argument -- 'o'" -o -- true
    wrong run "option '--policy' requires an argument" --policy -- true
    wrong stress "option requires an argument -- 'j'" -j -- true
    wrong reserve "option '--number' requires an argument" --number -- true
    assert_equal "$(ls)" ''
    run -0 "$PORTWITNESS" run -q --output=-- -- true
    assert_equal "$(ls)" --
}

@test "operands that are missing, or too many" {
    wrong run 'missing operand: COMMAND'
    wrong run 'missing operand: COMMAND' -q --
    wrong check 'missing operand: TRACE' --json
    wrong stress 'missing operand: COMMAND'
    wrong reserve 'missing operand: COMMAND'
    wrong ports 'missing operand: TRACE'
    wrong explain 'missing operand: OPERATION'
    wrong plan 'missing operand: CLUSTER.yaml'
    wrong plan "extra operand 'b': one file at a time" a b
    wrong storm "extra operand 'b': one file at most" a b
    wrong export 'missing operand: TRACE' -f jsonl
    wrong mark 'missing operand: NAME'
    wrong mark "extra operand 'b': one name is needed" a b
}

@test "an argument that is wrong is named with its option, in one line" {
    local command option value message count=0
    while IFS='|' read -r command option value message; do
        run "-$(usage_status "$command")" --separate-stderr "$PORTWITNESS" "$command" "$option=$value" x
        assert_equal "$output" ''
        assert_equal "$stderr" "portwitness $command: invalid argument '$value' for '$option': $message"
        count=$((count + 1))
    done <<'WRONG'
run|--stacks|17|must be a number from 1 to 16
run|--max-size|x|not a size such as 512M
run|--max-size|1M|must be at least 2M
run|--shared|0999|not an octal mode
check|--fail-on|hazrd|must be error, hazard (or warning), or never
stress|--rounds|0|must be a number from 1 to 1000000
reserve|--number|1001|must be a number from 1 to 1000
ports|--port|-1|must be a number from 0 to 65535
storm|--window|2-1|must be MIN-MAX, as 0-2ms, up to an hour
storm|--strategy|none|no such strategy; see portwitness storm --help
export|--format|xml|must be jsonl
WRONG
    assert_equal "$count" 11
}

@test "options end at the command, and stand anywhere among traces" {
    run -0 --separate-stderr "$PORTWITNESS" run -q -o t -- echo --bogus -o x
    assert_equal "$output" '--bogus -o x'
    run -0 --separate-stderr "$PORTWITNESS" reserve echo -n --number=7 --
    assert_equal "$output" '--number=7 --'
    run -0 --separate-stderr "$PORTWITNESS" ports t --json
    run -2 --separate-stderr "$PORTWITNESS" ports -- t --json
    assert_matches "$stderr" '^portwitness: --json: '
}

@test "the first word may be a program, on PATH or by its path: run --check" {
    mkdir bin
    printf '#!/bin/sh\nprintf "%%s\\\\n" "$*"\nexit 6\n' >bin/suite
    chmod +x bin/suite
    PATH=$PWD/bin:$PATH run -6 --separate-stderr "$PORTWITNESS" suite -n 4 --help
    assert_equal "$output" '-n 4 --help'
    assert_matches "$stderr" 'portwitness: clean: 0 errors'
    assert_equal "$(find . -name 'portwitness-*.trace' | wc -l)" 1
    run -6 --separate-stderr "$PORTWITNESS" ./bin/suite a
    assert_equal "$output" a
    # With an error in it, its status is that of --check.
    run -1 "$PORTWITNESS" /usr/bin/python3 -c 'import os, socket
held = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    socket.create_server(held.getsockname())
os.wait()'
    assert_matches "$output" 'SUMMARY: portwitness: address-in-use'
    # A command comes before a program of its name, but for -- before it.
    cp bin/suite bin/export
    PATH=$PWD/bin:$PATH wrong export 'missing operand: TRACE'
    PATH=$PWD/bin:$PATH run -6 --separate-stderr "$PORTWITNESS" -- export a
    assert_equal "$output" a
    wrong '' 'missing operand: COMMAND' --
}

@test "a first word that is neither is refused, with what was meant" {
    wrong '' "'rn' is neither a command nor a program; did you mean 'run'?" rn -- true
    wrong '' "'RUN' is neither a command nor a program; did you mean 'run'?" RUN -- true
    wrong '' "invalid option -- 'x'" -x
    wrong '' "'prots' is neither a command nor a program; did you mean 'ports'?" prots t
    wrong '' "'frobnicate' is neither a command nor a program" frobnicate
    wrong '' "'./missing' is neither a command nor a program" ./missing
    wrong '' "'' is neither a command nor a program" ''
    wrong '' "'chek' is not a command; did you mean 'check'?" help chek
    wrong '' "extra operand 'ports': one command at a time" help run ports
    : >file
    mkdir folder
    wrong '' "'./file' is neither a command nor a program" ./file
    wrong '' "'./folder' is neither a command nor a program" ./folder
    assert_equal "$(find . -name '*.trace')" ''
}

@test "what only a shell knows gets the hint to ask one" {
    local word
    for word in cd alias source set; do
        PATH=/usr/bin:/bin command -v "$word" | grep -q / && continue
        run -2 --separate-stderr "$PORTWITNESS" "$word" x
        assert_equal "$stderr" "portwitness: '$word' is a shell command: use sh -c '$word ...'"
    done
    run -127 --separate-stderr "$PORTWITNESS" run -- export A=1
    assert_equal "$stderr" "portwitness: export: No such file or directory
portwitness: 'export' is a shell command: use sh -c 'export ...'"
    run -2 --separate-stderr "$PORTWITNESS" 'make test'
    assert_equal "$stderr" "portwitness: this looks like a line for a shell: use sh -c 'make test'"
    for word in 'make test' 'true;true' 'true|cat'; do
        run -127 --separate-stderr "$PORTWITNESS" run -- "$word"
        assert_equal "${stderr_lines[0]}" "portwitness: $word: No such file or directory"
        assert_equal "${stderr_lines[1]}" \
            "portwitness: this looks like a line for a shell: use sh -c '$word'"
        assert_equal "${#stderr_lines[@]}" 2
    done
    run -127 "$PORTWITNESS" reserve -- 'make test'
    assert_matches "$output" "use sh -c 'make test'"
    run -127 "$PORTWITNESS" run -- "PORT=1" make
    assert_matches "$output" "use sh -c '\.\.\.'"
    run -127 "$PORTWITNESS" run -- "echo 'a b'"
    assert_matches "$output" "use sh -c '\.\.\.'"
    run -1 "$PORTWITNESS" stress -j 1 --rounds 1 --keep kept -- 'make test'
    grep -q "use sh -c 'make test'" kept/kernel-1/copy-1.out
    # A program with a space in its name is a program.
    printf '#!/bin/sh\necho ran\n' >'a b'
    chmod +x 'a b'
    run -0 --separate-stderr "$PORTWITNESS" run -q -o t -- './a b'
    assert_equal "$output" ran
    run -127 --separate-stderr "$PORTWITNESS" run -- no-such-command-anywhere
    assert_equal "$stderr" 'portwitness: no-such-command-anywhere: No such file or directory'
}

@test "counts have their singular and their plural" {
    run -0 "$PORTWITNESS" run --check -o t -- /usr/bin/python3 -c 'import socket
socket.socket().bind(("127.0.0.1", 0))'
    assert_matches "$output" ': 1 port-0 request, 1 port assigned'
    assert_matches "$output" ': 1 program and 0 forks seen'
    assert_matches "$output" 'clean: 0 errors, 0 hazards, 0 notes, 0 suppressed'
    run -1 "$PORTWITNESS" run --check -q -o u -- /usr/bin/python3 -c 'import os, socket, sys
held = socket.create_server(("127.0.0.1", 0))
os.fork() and sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
socket.create_server(held.getsockname())'
    assert_matches "$output" 'findings: 1 error, 0 hazards, 0 notes, 0 suppressed'
    run -0 "$PORTWITNESS" storm --private-net --publishers 1 --rounds 1
    assert_matches "${lines[0]}" '^1 publisher, 4 mappings each, 1 round, '
    run -0 "$PORTWITNESS" storm --private-net --publishers 2 --rounds 2
    assert_matches "${lines[0]}" '^2 publishers, 4 mappings each, 2 rounds, '
}
