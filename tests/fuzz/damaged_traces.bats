# Whatever is damaged in a trace, reading it comes to an end, and the sanitizers find nothing.
# shellcheck disable=SC2154 # variables of bats and of common.bash

bats_require_minimum_version 1.5.0
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

@test "damaged traces are read to an end" {
    # Connections that were accepted, which lie in lists, and a race window.
    "$PORTWITNESS" run --quiet -o one.trace -- "$python" -c 'import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]
    callers = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    served = [server.accept()[0] for _ in range(3)]
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    number = probe.getsockname()[1]
socket.create_server(("127.0.0.1", number)).close()'
    "$PORTWITNESS" run --quiet -o two.trace -- "$build/tests/guests/bind_loop" 3 30 >/dev/null
    "$PORTWITNESS" run --quiet -o three.trace -- "$build/tests/guests/short_processes" 4 2 >/dev/null
    ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99 run "$build/tests/property/mutated_traces" \
        --seed "${MUTANTS_SEED:-1}" --count "$MUTANTS" one.trace two.trace three.trace
    echo "$output"
    assert_equal "$status" 0
}
