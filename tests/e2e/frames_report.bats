# Reports by the lines of a Python program, and by the tests on both sides.
# shellcheck disable=SC2154,SC2016 # variables of the helpers, and those of jq

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load check
    check_setup
    mkdir tests
    cat >tests/helper.py <<'PYTHON'
import socket

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # picks
        return probe.getsockname()[1]

def serve(port):
    server = socket.socket()
    server.bind(("127.0.0.1", port))  # serves
    server.listen()
    return server

def take():
    return serve(0)  # takes
PYTHON
    # Does what its input says, in the test that it names: test NAME, pick, take, serve, end.
    cat >tests/worker.py <<'PYTHON'
import os, socket, sys
sys.path.insert(0, os.path.abspath("tests"))
import helper

def serve_it(port):
    try:
        return helper.serve(port)  # the test's own line
    except OSError:
        print("refused", flush=True)
        sys.exit(1)

kept = []
port = 0
for line in sys.stdin:
    word, _, name = line.strip().partition(" ")
    if word == "test":
        os.environ["PYTEST_CURRENT_TEST"] = name
        with socket.socket() as number:  # by number, at which the environment is read
            number.bind(("127.0.0.1", 2000 + os.getpid() % 1000))
    elif word == "pick":
        port = helper.free_port()
    elif word == "take":
        kept.append(helper.take())
    elif word == "serve":
        kept.append(serve_it(port))
    print("done", flush=True)
PYTHON
    # Two workers, of which the second takes what the first has picked: a race for each argument, and
    # for a port of its own, the only one that the kernel has to give.
    cat >suite.py <<'PYTHON'
import subprocess, sys

def worker():
    return subprocess.Popen([sys.executable, "tests/worker.py"], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)

def tell(worker, *lines):
    for line in lines:
        worker.stdin.write(line + "\n")
        worker.stdin.flush()
        worker.stdout.readline()

for port, name in enumerate(sys.argv[1:], 40123):
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
        file.write(f"{port} {port}")
    loser, taker = worker(), worker()
    tell(loser, f"test tests/test_cart.py::{name} (call) [gw1]", "pick")
    tell(taker, f"test tests/test_pay.py::{name} (call) [gw0]", "take")
    tell(loser, "serve")
    for one in loser, taker:
        one.stdin.close()
        one.wait()
PYTHON
}

# line WORD: of that comment in tests/helper.py.
line() { grep -n "# $1" tests/helper.py | cut -d: -f1; }

# races NAME...: a trace t with a race for each.
races() { "${in_namespace[@]}" "$PORTWITNESS" run --quiet -o t -- "$python" suite.py "$@"; }

@test "the finding begins with both tests and the line of the picker, in ten lines" {
    races test_add
    run -1 "$PORTWITNESS" check t
    assert_equal "$(sed -n 3p <<<"$output")" "  tests/test_cart.py::test_add (gw1) lost tcp 127.0.0.1:40123, which free_port \
tests/helper.py:$(line picks) had picked for it, to tests/test_pay.py::test_add (gw0)"
    assert_matches "$output" "
    at serve tests/helper.py:$(line serves)
"
    assert_matches "$output" "  Given for port 0 to the same process at free_port tests/helper.py:$(line picks), "
    assert_matches "$output" "
SUMMARY: portwitness: lost-race tcp 127.0.0.1:40123 in serve tests/helper.py:$(line serves) \(python3"
    [ "$(sed -n '/^ERROR/,/^SUMMARY/p' <<<"$output" | wc -l)" -le 11 ]
}

@test "in full the callers stand there, and then the interpreter's own place" {
    races test_add
    run -1 "$PORTWITNESS" check -v t
    assert_matches "$output" "
    #0 serve tests/helper.py:$(line serves)
    #1 serve_it tests/worker.py:[0-9]+
    at [^
]*python"
    assert_matches "$output" "
    #0 serve tests/helper.py:$(line serves)
    #1 take tests/helper.py:$(line takes)
"
}

@test "paths are whole in JSON, and from another folder" {
    local here
    here=$(pwd -P)
    races test_add
    assert_equal "$(found '.[0] | .subject, .assigned, .other | "\(.place.function) \(.place.file) \(.place.line)"')" \
        "serve $here/tests/helper.py $(line serves)
free_port $here/tests/helper.py $(line picks)
serve $here/tests/helper.py $(line serves)"
    assert_equal "$(found '.[0] | [.test, .worker, .assigned_worker, .other_test, .other_worker] | join(";")')" \
        'tests/test_cart.py::test_add (call) [gw1];gw1;gw1;tests/test_pay.py::test_add (call) [gw0];gw0'
    cd /
    run -1 "$PORTWITNESS" check "$here/t"
    assert_matches "$output" "    at serve $here/tests/helper.py:"
}

@test "findings of one line are counted together, with all tests" {
    races test_add test_sub test_mul
    run -1 "$PORTWITNESS" check t
    assert_equal "$(grep -c '^ERROR' <<<"$output")" 1
    assert_matches "$output" "
And 2 more lost-race like it: ports 401[0-9]+, 401[0-9]+
  in tests "
    local name
    for name in add sub mul; do
        assert_matches "$output" "in tests .*tests/test_cart.py::test_$name \(gw1\)"
        assert_matches "$output" "in tests .*tests/test_pay.py::test_$name \(gw0\)"
    done
    run -1 "$PORTWITNESS" check --all t
    assert_equal "$(grep -c '^ERROR' <<<"$output")" 3
}

@test "a suppression names file and function of the line" {
    local pattern
    races test_add
    for pattern in file:tests/helper.py 'file:helper.py function:serve' "file:$(pwd -P)/*"; do
        echo "$pattern" >known
        run -0 "$PORTWITNESS" check --suppressions known t
        assert_matches "$output" ' 1 suppressed$'
    done
    for pattern in file:worker.py 'file:helper.py function:free_port' file:tests; do
        echo "$pattern" >known
        run -1 "$PORTWITNESS" check --suppressions known t
        assert_matches "$output" 'unused suppression'
    done
}

@test "a baseline knows the function in the file, wherever its lines and the folder are" {
    races test_add
    "$PORTWITNESS" check --baseline known --update-baseline t
    assert_equal "$(sed -n 2p known | jq -r '"\(.place) \(.module)"')" 'serve helper.py null'
    mkdir elsewhere
    cp -r tests suite.py elsewhere
    cd elsewhere
    sed -i '1i# A line more.' tests/helper.py
    races test_add
    run -0 "$PORTWITNESS" check --baseline ../known t
    assert_matches "$output" '^portwitness: 1 known finding \(baseline\)'
    sed -i 's/serve(/bring_up(/' tests/*.py
    rm t
    races test_add
    run -1 "$PORTWITNESS" check --baseline ../known t
    assert_matches "$output" ' in bring_up tests/helper.py:'
}

@test "ports has a column for places where there are any" {
    races test_add
    run -0 "$PORTWITNESS" ports t
    assert_matches "${lines[0]}" ' END +PLACE$'
    assert_matches "$output" " free_port tests/helper.py:$(line picks)"
    assert_equal "$("$PORTWITNESS" ports --json t | jq -r 'select(.requested_port == 0) | .place | "\(.function) \(.of)"' | xargs)" \
        'free_port user serve user'
    rm t
    record "$data/rebind"
    run -0 "$PORTWITNESS" ports t
    assert_matches "${lines[0]}" ' END$'
}

@test "without frames the report is as before" {
    "${in_namespace[@]}" "$PORTWITNESS" run --quiet --no-frames -o t -- "$python" suite.py test_add
    run -1 "$PORTWITNESS" check t
    assert_matches "$output" '
  tests/test_cart.py::test_add \(gw1\) lost tcp 127.0.0.1:40123 to tests/test_pay.py::test_add \(gw0\)
'
    [[ $output != *helper.py* ]]
    assert_equal "$(found '.[0].subject | "\(.frames) \(.thread_name)"')" 'null null'
}
