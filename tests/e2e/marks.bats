# Tests that are marked, by `portwitness mark` and by the process that runs them, and how they ended.
# shellcheck disable=SC2154 # variables of bats and of common.bash

bats_require_minimum_version 1.5.0
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    export -n BATS_TEST_DESCRIPTION
    # What a program needs of the marks, in Python.
    cat >marking.py <<'PYTHON'
import ctypes, os, socket, subprocess, sys, threading
shim = ctypes.CDLL(None, use_errno=True)
STARTS, PASSED, FAILED, SKIPPED, ENDED = range(5)
def mark(name, what):
    return shim.portwitness_mark(name, what)
def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
def take(port):
    one = socket.socket()
    one.bind(("127.0.0.1", port))
    return one
PYTHON
}

# The markers of a trace: name, whether it is an end, outcome.
markers() {
    "$PORTWITNESS" export --format jsonl "$1" | jq -r 'select(.kind == "marker")
        | "\(.text // "-") \(if .flags | index("marker-end") then "ends" else "starts" end) \(.outcome)"'
}

@test "a process marks its own tests and how they ended" {
    cat >program.py <<'PYTHON'
from marking import *
ctypes.set_errno(77)
assert mark(b"one", STARTS) == 0 and mark(b"one", PASSED) == 0
assert mark("zwei \u00fc".encode(), FAILED) == 0 and mark(b"", SKIPPED) == 0 and mark(None, ENDED) == 0
assert mark(b"x" * 5000, STARTS) == 0
assert mark(b"no", 5) == -1 and mark(b"no", -1) == -1
assert ctypes.get_errno() == 77
PYTHON
    "$PORTWITNESS" run --quiet -o t -- "$python" program.py
    assert_equal "$(markers t | cut -c 1-40)" "one starts null
one ends passed
zwei ü ends failed
- ends skipped
- ends null
$(printf 'x%.0s' {1..40})"
}

@test "mark --end says how the test ended" {
    # shellcheck disable=SC2016 # the inner shell expands it
    "$PORTWITNESS" run --quiet -o t -- sh -c '"$1" mark a && "$1" mark --end --outcome failed a &&
        "$1" mark --end --outcome=passed && "$1" mark --end' sh "$PORTWITNESS"
    assert_equal "$(markers t)" "a starts null
a ends failed
- ends passed
- ends null"
    run -2 --separate-stderr env PORTWITNESS_TRACE=t "$PORTWITNESS" mark --end --outcome good a
    assert_complaint mark "${stderr_lines[@]}"
    run -2 --separate-stderr env PORTWITNESS_TRACE=t "$PORTWITNESS" mark --outcome passed a
    assert_complaint mark "${stderr_lines[@]}"
}

@test "a mark of its own names the calls of a process and of those below it, before the environment" {
    cat >program.py <<'PYTHON'
from marking import *
mark(b"first", STARTS)
port = free_port()
mark(b"first", PASSED)
mark(b"second", STARTS)
child = subprocess.Popen([sys.executable, "-c", "import sys, marking\n"
                          "kept = marking.take(int(sys.argv[1]))\n"
                          "print(flush=True)\nsys.stdin.read()", str(port)],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
mark(b"second", PASSED)
mark(b"third", STARTS)
try:
    take(port)
except OSError:
    pass
mark(b"third", FAILED)
child.communicate()
PYTHON
    PYTEST_CURRENT_TEST="stale (call)" "$PORTWITNESS" run --quiet -o t -- "$python" program.py
    "$PORTWITNESS" check --json t | jq -r '.findings[] | select(.kind == "lost-race" or .kind == "address-in-use")
        | "\(.test)/\(.other_test)"' >named
    assert_equal "$(cat named)" "third/stale (call)"
    env -u PYTEST_CURRENT_TEST "$PORTWITNESS" run --quiet -o u -- "$python" program.py
    "$PORTWITNESS" check --json u | jq -r '.findings[] | select(.kind == "lost-race" or .kind == "address-in-use")
        | "\(.test)/\(.other_test)"' >named
    assert_equal "$(cat named)" "third/second"
}

@test "tests that run in several threads at once name nothing by their marks" {
    cat >program.py <<'PYTHON'
from marking import *
def other():
    mark(b"other", STARTS)
mark(b"one", STARTS)
if len(sys.argv) > 1:
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
kept = take(0)
try:
    take(kept.getsockname()[1])
except OSError:
    pass
PYTHON
    for arguments in '' threads; do
        rm -f t
        # shellcheck disable=SC2086 # none or one
        "$PORTWITNESS" run --quiet -o t -- "$python" program.py $arguments
        "$PORTWITNESS" check --json t | jq -r '.findings[].test' >>named
    done
    assert_equal "$(cat named)" "one
null"
}

@test "the installed header declares the mark, and a C program goes without it where it is not recorded" {
    cat >program.c <<'C'
#include <portwitness.h>
#include <stdio.h>
int main(void) {
    if (portwitness_mark == NULL)
        return puts("not recorded") < 0;
    return portwitness_mark("a", PORTWITNESS_STARTS) != 0 || portwitness_mark("a", PORTWITNESS_SKIPPED) != 0;
}
C
    make -s -C "$root" install DESTDIR="$PWD/root" PREFIX=/usr BUILD="$build" >make.log
    gcc -std=c11 -Wall -Wextra -Werror -Iroot/usr/include -o program program.c
    assert_equal "$(./program)" 'not recorded'
    "$PORTWITNESS" run --quiet -o t -- ./program
    assert_equal "$(markers t)" "a starts null
a ends skipped"
    make -s -C "$root" uninstall DESTDIR="$PWD/root" PREFIX=/usr BUILD="$build" >make.log
    assert_equal "$(find root -type f)" ''
}
