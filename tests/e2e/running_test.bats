# The test that runs, as its name stands in the environment when a number is bound.
# shellcheck disable=SC2154 # variables of bats and of common.bash

bats_require_minimum_version 1.5.0
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

@test "each process says once in which test it binds by number, and again when that changes" {
    cat >tests.py <<'PYTHON'
import os, socket

def bind():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with socket.socket() as one:
        one.bind(("127.0.0.1", port))

for name in "test_a", "test_b":
    os.environ["PYTEST_CURRENT_TEST"] = name
    bind()
    bind()
if os.fork() == 0:
    bind()
    bind()
    os._exit(0)
os.wait()
PYTHON
    "$PORTWITNESS" run --quiet -o t -- "$python" tests.py
    run "$PORTWITNESS" export --format jsonl t
    markers=$(jq -r 'select(.kind == "marker") | "\(.text) \(.process)"' <<<"$output")
    read -r _ parent <<<"$markers"
    assert_equal "${markers//" $parent"/ parent}" "test_a parent
test_b parent
test_b $(tail -n 1 <<<"$markers" | cut -d' ' -f2)"
    [ "$(tail -n 1 <<<"$markers")" != "test_b $parent" ]
}

@test "an environment that stays as it is, is copied once" {
    cat >loop.py <<'PYTHON'
import socket
for i in range(200):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with socket.socket() as one:
        one.bind(("127.0.0.1", port))
PYTHON
    for i in {1..100}; do export "VARIABLE_$i=$i"; done
    export PYTEST_CURRENT_TEST=test_a
    strace -f -qq -e trace=process_vm_readv -o calls "$PORTWITNESS" run --quiet -o t -- "$python" loop.py
    run -0 grep -c process_vm_readv calls
    ((output < 200))
}

# The names in the trace, one a line.
names() {
    "$PORTWITNESS" export --format jsonl "${1-t}" | jq -r 'select(.kind == "marker") | .text // "-"'
}

# Binds port 0 once by a shell's child that finds these variables.
bind_with() {
    rm -f t
    env -u BATS_TEST_DESCRIPTION "$@" "$PORTWITNESS" run --quiet -o t -- "$python" -c \
        'import socket; socket.socket().bind(("127.0.0.1", 0))'
    names
}

@test "the test is named at a request for port 0, at a listen and a connect that get a port" {
    cat >tests.py <<'PYTHON'
import os, socket

os.environ["PYTEST_CURRENT_TEST"] = "bound"
socket.socket().bind(("127.0.0.1", 0))
os.environ["PYTEST_CURRENT_TEST"] = "listened"
server = socket.socket()
server.listen()
os.environ["PYTEST_CURRENT_TEST"] = "connected"
socket.create_connection(server.getsockname())
del os.environ["PYTEST_CURRENT_TEST"]
socket.socket().bind(("127.0.0.1", 0))
PYTHON
    env -u BATS_TEST_DESCRIPTION "$PORTWITNESS" run --quiet -o t -- "$python" tests.py
    assert_equal "$(names)" "bound
listened
connected
-"
    "$PORTWITNESS" export --format jsonl t >records
    run jq -r -s '(map({(.seq | tostring): .kind}) | add) as $kinds
        | .[] | select(.kind == "marker") | $kinds[.of_seq | tostring]' records
    assert_equal "$output" "bind
listen
connect
bind"
}

@test "the variables of other test runners are understood" {
    assert_equal "$(bind_with PYTEST_CURRENT_TEST='t.py::a (call)' PYTEST_XDIST_WORKER=gw3)" 't.py::a (call) [gw3]'
    assert_equal "$(bind_with PYTEST_XDIST_WORKER=gw3)" ''
    assert_equal "$(bind_with BATS_TEST_DESCRIPTION='it starts')" 'it starts'
    assert_equal "$(bind_with NEXTEST_TEST_NAME=web::starts)" 'web::starts'
    assert_equal "$(bind_with TEST_TARGET=//web:up TEST_SHARD_INDEX=2 TEST_TOTAL_SHARDS=4)" '//web:up [shard 2]'
    assert_equal "$(bind_with TEST_TARGET=staging)" ''
    assert_equal "$(bind_with JEST_WORKER_ID=2)" 'JEST_WORKER_ID=2'
    assert_equal "$(bind_with VITEST_WORKER_ID=7 VITEST_POOL_ID=2)" 'VITEST_POOL_ID=2'
    assert_equal "$(bind_with NODE_TEST_WORKER_ID=4)" 'NODE_TEST_WORKER_ID=4'
}

@test "an array that setenv has moved costs no system call as long as nothing changes" {
    cat >loop.py <<'PYTHON'
import os, socket, sys, threading, time
os.environ["NEW"] = "1"  # the array is another one now
if sys.argv[1] == "threads":
    threading.Thread(target=threading.Event().wait, daemon=True).start()
begin = time.monotonic()
for i in range(300):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
print(int((time.monotonic() - begin) * 1000), flush=True)
os._exit(0)
PYTHON
    for how in alone threads; do
        PYTEST_CURRENT_TEST=test_a strace -f -qq -e trace=process_vm_readv -o calls \
            "$PORTWITNESS" run --quiet -o "t$how" -- "$python" loop.py $how >took
        run -0 grep -c process_vm_readv calls
        echo "$how: $output calls in $(cat took) ms"
        # Where there are threads it is looked at again after 16 ms, by some ten calls.
        ((output < 100 + 12 * $(cat took) / 16))
    done
}

@test "what a program writes into its environment itself is seen" {
    for own in start array libc; do
        BATS_TEST_DESCRIPTION=none "$PORTWITNESS" run --quiet -o "t$own" -- "$build/tests/guests/own_environment" $own
        assert_equal "$(names "t$own")" "first
second
third"
    done
    BATS_TEST_DESCRIPTION=none "$PORTWITNESS" run --quiet -o tbehind -- "$build/tests/guests/own_environment" behind
    assert_equal "$(names tbehind | sort | uniq -c | xargs)" "64 first 64 second 64 third"
}

@test "a test that is refused a number has not coped because the next test binds one" {
    cat >test_two.py <<'END'
import socket
def test_refused():
    with socket.create_server(("127.0.0.1", 21470)):
        socket.create_server(("127.0.0.1", 21470))
def test_next():
    socket.create_server(("127.0.0.1", 0)).close()
END
    run -1 "$PORTWITNESS" run -q -o two --check "$python" -m pytest -q -p no:cacheprovider test_two.py
    assert_equal "$("$PORTWITNESS" check --json two | jq -r '.findings[]
        | select(.kind == "address-in-use") | "\(.severity) \(.instead)"')" "error null"
}
