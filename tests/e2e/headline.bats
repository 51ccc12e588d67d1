# A verdict on programs that could not be seen says so first.
# shellcheck disable=SC2154,SC2016 # variables of the helpers, those of jq and of programs

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load check
    check_setup
    static=$build/tests/guests/bind_once.static
    go_like=$build/tests/guests/go_like
}

# What the headline of t is in JSON.
headline() { "$PORTWITNESS" check --json t | jq -r '.headline'; }

@test "the command itself is a static program: no green clean, not even with --quiet" {
    run -0 --separate-stderr "$PORTWITNESS" run --check --capture=preload -o t -- "$static"
    assert_matches "${stderr_lines[-1]}" '^portwitness: bind_once.static was not checked: it is a static program \(incomplete: 0 errors, 0 hazards, 0 notes, 0 suppressed\); raw system calls and io_uring are not seen without eBPF \(--capture=preload\)$'
    [[ $stderr != *clean* ]]
    assert_equal "$(headline)" 'bind_once.static was not checked: it is a static program'
    assert_equal "$("$PORTWITNESS" check --json t | jq -r .verdict)" incomplete
    run -0 "$PORTWITNESS" check --quiet t
    assert_matches "$output" '^portwitness: bind_once.static was not checked'
    run -3 "$PORTWITNESS" check --strict t
}

@test "a Go test binary below another program is named before what built it" {
    cp "$go_like" server.test
    cp "$static" compile
    record_by_shim sh -c './compile && ./server.test'
    run -0 "$PORTWITNESS" check t
    assert_matches "${lines[-1]}" '^portwitness: not checked: server.test \(Go program that calls the kernel itself\), compile \(static program\) \(incomplete: '
    rm t
    record_by_shim sh -c './server.test'
    assert_equal "$(headline)" 'server.test was not checked: it is a Go program that makes its system calls itself'
}

@test "more than four are counted" {
    local name
    for name in a b c d e f; do cp "$static" $name; done
    record_by_shim sh -c './a; ./b; ./c; ./d; ./e; ./f; ./a'
    assert_matches "$(headline)" '^not checked: a \(static program\), b .*, c .*, d \(static program\) and 2 more$'
}

@test "beside findings it stands where the command or the tests were not seen, and nowhere else" {
    cp "$go_like" server.test
    record_by_shim sh -c './server.test; "$0"' "$build/tests/guests/rebind"
    run -0 "$PORTWITNESS" check t
    assert_matches "${lines[-2]}" '^portwitness: server.test was not checked'
    assert_matches "${lines[-1]}" '^portwitness: hazards: 0 errors, 1 hazard'
    rm t
    record_by_shim sh -c '"$1"; "$0"' "$build/tests/guests/rebind" "$static"
    assert_equal "$(headline)" null
    rm t
    record "$build/tests/guests/rebind"
    assert_equal "$(headline)" null
    rm t
    record true
    assert_equal "$(headline)" null
    run -0 "$PORTWITNESS" check t
    assert_equal "${output%%; raw system calls*}" 'portwitness: clean: 0 errors, 0 hazards, 0 notes, 0 suppressed'
}

@test "programs that do not reach the trace are named as well" {
    local rebind=$build/tests/guests/rebind
    "$PORTWITNESS" run --quiet --no-follow --capture=preload -o t -- env -i "$rebind"
    assert_equal "$(headline)" 'rebind was not checked: it is not followed, and its environment was cleared'
    [ "$(id -u)" -eq 0 ] || skip 'needs root, to start a program as another user'
    rm t
    record_by_shim setpriv --reuid 65534 --clear-groups "$rebind"
    assert_equal "$(headline)" 'rebind was not checked: it is not allowed to open the trace'
}
