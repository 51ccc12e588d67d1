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
