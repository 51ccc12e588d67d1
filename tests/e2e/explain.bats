# What the model says of a sequence of calls, and the kernel beside it.
# shellcheck disable=SC2154,SC2016 # variables of bats; programs in quotes

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    cd "$BATS_TEST_TMPDIR" || return
}

explain() { "$PORTWITNESS" explain "$@"; }

puzzle=('a tcp' 'a reuseaddr on' 'a bind 127.0.0.1:8080' 'a listen' 'b tcp6' 'b bind [::]:8080')

@test "each operation is a line with its answer and the rule that decided" {
    run -0 explain "${puzzle[@]}"
    assert_equal "${#lines[@]}" 6
    assert_matches "${lines[0]}" '^a tcp +ok$'
    assert_matches "${lines[2]}" '^a bind 127.0.0.1:8080 +ok \(free: nothing is in the way\)$'
    assert_matches "${lines[5]}" '^b bind \[::\]:8080 +EADDRINUSE \(conflict: another socket has the port'
}

@test "for port 0 it says how many ports are possible; in JSON, which" {
    run -0 explain 'range 20000 20005' 'a tcp' 'a bind 0.0.0.0:0'
    assert_matches "${lines[2]}" 'ok, one of 3 ports: 20001, 20003, 20005; here 20001 \(parity: '
    run -0 explain --json 'range 20000 20005' 'a udp' 'a bind 0.0.0.0:0'
    assert_equal "$(jq -c '.answers[2] | [.operation, .result, .rule, .ports]' <<<"$output")" \
        '["a bind 0.0.0.0:0","ok","any-free",[20000,20001,20002,20003,20004,20005]]'
    run -0 explain 'a tcp' 'a bind 0.0.0.0:0'
    assert_matches "${lines[1]}" 'one of 14116 ports; here 32769'
}

@test "--kernel makes the calls beside the model, and they agree" {
    run -0 explain --kernel "${puzzle[@]}"
    assert_matches "${lines[5]}" 'EADDRINUSE .*; the kernel: EADDRINUSE$'
    run -0 explain --kernel --json 'range 20000 20003' 'a uid 1000' 'a tcp6' 'a v6only on' \
        'a device eth9' 'a bind [fd00::1]:0' 'b uid 1001' 'b tcp' 'b bind 10.0.0.1:80' 'c udp' \
        'c bind 0.0.0.0:80' 'd tcp' 'd connect 127.0.0.1:9' 'd disconnect' 'd listen' 'd shutdown' \
        'd listen' 'd close' 'a reuseport on' 'reserved 20000 20001' 'e udp6' 'e noport on' \
        'e ports 20002 20003' 'e bind [::]:0' 'e connect [::1]:9'
    assert_equal "$(jq -r '[.answers[].differs] | unique | join(" ")' <<<"$output")" false
    assert_equal "$(jq -r '.answers[] | select(.operation == "b bind 10.0.0.1:80") | .kernel' <<<"$output")" EACCES
}

@test "a name may be made again, as the shrunk sequences of the property test do" {
    run -0 explain --kernel 'a tcp' 'a bind 127.0.0.1:8080' 'a close' 'a tcp6' 'a bind [::1]:8080'
    assert_matches "${lines[4]}" '^a bind \[::1\]:8080 +ok .*; the kernel: ok$'
}

@test "a connection closed at this end may be taken over or not, by the time: no difference" {
    local closed=('l tcp' 'l bind 127.0.0.1:8080' 'l listen' 'a tcp' 'a reuseaddr on' 'b tcp'
        'b reuseaddr on' 'a bind 127.0.0.1:8081' 'b bind 127.0.0.1:8081'
        'a connect 127.0.0.1:8080' 'a close' 'b connect 127.0.0.1:8080' 'b connect 127.0.0.1:8080')
    run -0 explain "${closed[@]}"
    assert_matches "${lines[11]}" 'EADDRNOTAVAIL, or ok once .* \(connection-exists: '
    local turn # bats' run has an i of its own
    for ((turn = 0; turn < TAKE_OVERS; turn++)); do
        run -0 explain --kernel --json "${closed[@]}"
        assert_equal "$(jq '.answers[11].may_take_over' <<<"$output")" true
    done
    # While it is open there is but one answer.
    run -0 explain --kernel --json "${closed[@]/a close/c tcp}"
    assert_equal "$(jq -c '.answers[11] | [.may_take_over, .kernel]' <<<"$output")" \
        '[false,"EADDRNOTAVAIL"]'
}

@test "operations come from a file or from standard input as well" {
    printf '%s\n' '# a puzzle' "${puzzle[@]}" '' 'b close # and gone' >file
    run -0 explain -f file
    assert_equal "${#lines[@]}" 7
    run -0 bash -c '"$0" explain -f - <file' "$PORTWITNESS"
    assert_equal "${#lines[@]}" 7
}

@test "an invalid operation is reported by its line or number and the word, with status 2" {
    local operations
    for operations in 'a' 'a tcq' 'a bnd 1:1' 'a listen' 'range 1' 'range 2 1' 'range x 1'; do
        run -2 --separate-stderr explain "$operations"
        assert_equal "$output" ''
        assert_equal "${#stderr_lines[@]}" 1
        assert_matches "$stderr" '^portwitness explain: operation 1: '
    done
    for operations in 'a bind 127.0.0.1' 'a bind 127.0.0.1:70000' 'a bind ::1:80' 'a reuseaddr yes' \
        'a connect' 'a listen now' 'a ports 1' 'a device' 'a tcp udp x y' 'a uid 5'; do
        printf '%s\n' 'a tcp' "$operations" >file
        run -2 --separate-stderr explain -f file
        assert_equal "$output" ''
        assert_matches "$stderr" '^portwitness explain: file:2: '
    done
    run -2 --separate-stderr explain
    assert_complaint explain "${stderr_lines[@]}"
    run -2 --separate-stderr explain -f missing
    assert_equal "$stderr" 'portwitness explain: missing: No such file or directory'
    run -2 --separate-stderr explain --no-such
    assert_complaint explain "${stderr_lines[@]}"
}
