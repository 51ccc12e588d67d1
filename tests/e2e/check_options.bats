# The options of `check` at `run --check`: the same ones, before the command and for its trace.
# shellcheck disable=SC2154,SC2016 # variables of the helpers, those of programs in quotes

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load check
    check_setup
    rebind=$build/tests/guests/rebind
}

# checked OPTION...: a run of a program with a race window, with --check.
checked() {
    rm -f t
    "$PORTWITNESS" run --quiet --check -o t "$@" -- "$rebind"
}

@test "run --check takes --fail-on; warning is another word for hazard" {
    run -0 checked
    local severity
    for severity in hazard warning; do
        run -1 checked --fail-on "$severity"
        run -1 "$PORTWITNESS" check --fail-on "$severity" t
    done
    run -0 checked --fail-on=never
    run -125 --separate-stderr "$PORTWITNESS" run --check --fail-on=x -o no -- true
    assert_equal "$stderr" "portwitness run: invalid argument 'x' for '--fail-on': must be error, hazard (or warning), or never"
    [ ! -e no ]
    run -2 --separate-stderr "$PORTWITNESS" check --fail-on=x t
    assert_equal "$stderr" "portwitness check: invalid argument 'x' for '--fail-on': must be error, hazard (or warning), or never"
}

@test "run --check takes --strict, and the command's own status comes first" {
    run -3 "$PORTWITNESS" run --capture=preload --quiet --check --strict -o t -- busybox true
    rm t
    run -4 "$PORTWITNESS" run --quiet --check --strict -o t -- busybox sh -c 'exit 4'
    rm t
    run -0 "$PORTWITNESS" run --quiet --check --strict -o t -- true
}

@test "run --check takes --suppressions, and refuses bad ones before the command" {
    echo kind:race-window >known
    run -0 checked --fail-on=hazard --suppressions known
    assert_equal "$output" ''
    echo kind:nothing >known
    run -125 --separate-stderr "$PORTWITNESS" run --check --suppressions known -o no -- touch ran
    assert_equal "$stderr" "portwitness: known:1: no finding matches 'nothing'"
    [ ! -e ran ]
    [ ! -e no ]
}

@test "run --check takes -v and --all" {
    run -0 checked -v
    assert_matches "$output" '  Processes:'
    cat >twice.sh <<'SH'
"$1"
"$1"
SH
    run -0 "$PORTWITNESS" run --check --all -q -o t2 -- sh twice.sh "$rebind"
    assert_equal "$(grep -c ^SUMMARY <<<"$output")" 2
}

@test "--json of run is the last line of standard output; with a file it stands beside the text" {
    cat >says.sh <<'SH'
echo said
exec "$1"
SH
    run -0 --separate-stderr "$PORTWITNESS" run --check --json -q -o t -- sh says.sh "$rebind"
    assert_equal "${lines[0]}" said
    assert_equal "$(jq -r .verdict <<<"${lines[1]}")" hazards
    assert_equal "$stderr" ''
    run -0 --separate-stderr checked --json=report.json
    assert_equal "$output" ''
    assert_matches "$stderr" 'SUMMARY: portwitness: race-window'
    assert_equal "$(jq -r '.findings[].kind' report.json)" race-window
    run -0 --separate-stderr "$PORTWITNESS" check --json=other.json t
    assert_matches "$output" 'SUMMARY: portwitness: race-window'
    cmp <(jq -S .findings report.json) <(jq -S .findings other.json)
    run -125 --separate-stderr "$PORTWITNESS" run --check --json=no/such/file -q -o t3 -- true
    assert_matches "$stderr" 'portwitness: no/such/file: No such file or directory'
    run -2 --separate-stderr "$PORTWITNESS" check --json=no/such/file t
}

@test "without --check they are wrong usage, and nothing runs" {
    local option
    for option in --fail-on=error --strict --suppressions=x -v --verbose --all --color --json \
        --json=x; do
        run -125 --separate-stderr "$PORTWITNESS" run "$option" -o no -- touch ran
        assert_matches "${stderr_lines[0]}" "^portwitness run: option '--[a-z-]+' needs '--check'$"
        [ ! -e ran ]
        [ ! -e no ]
    done
}
