# The plugin for pytest, in pytest itself, with and without pytest-xdist.
# shellcheck disable=SC2154 # variables of bats and of common.bash

bats_require_minimum_version 1.5.0
load ../common

setup() {
    cp -r "$root/tests/guests/frameworks/pytest" "$BATS_TEST_TMPDIR/suite"
    cd "$BATS_TEST_TMPDIR/suite" || return
    mkdir ../tmp
    export TMPDIR=$BATS_TEST_TMPDIR/tmp PYTHONDONTWRITEBYTECODE=1
    pytest=("$python" -m pytest -p no:cacheprovider -q)
    PATH=$build:$PATH
}

# As where the plugin is installed.
installed() {
    PYTHONPATH=$build/python "$@"
}

# Two workers, in each a test that waits for the other's.
race() {
    MEETING=$(mktemp -d)
    export MEETING
    "$PORTWITNESS" run -q -o t --pytest --policy soonest -- "${pytest[@]}" -n 2 --dist=loadfile \
        --junit-xml=junit.xml >out
}

outcomes() {
    "$PORTWITNESS" export --format jsonl t | jq -r 'select(.kind == "marker")
        | select(.flags | index("marker-environment") | not)
        | "\(.text) \(if .flags | index("marker-end") then .outcome else "starts" end)"' | sort -s -k1,1
}

@test "a race between two workers of pytest-xdist is found, with the tests on both sides" {
    for ((turn = 0; turn < ${XDIST_RACES:?}; turn++)); do
        rm -f t
        run ! race
        "$PORTWITNESS" check --json t | jq -r '.findings[] | select(.kind == "lost-race")
            | "\(.test) \(.other_test)"' | sed 's/ \[gw.\]//g' >sides
        assert_equal "$(cat sides)" "test_checkout.py::test_pay test_cart.py::test_add"
    done
    grep -q '^portwitness: tests concerned: test_cart.py::test_add, test_checkout.py::test_pay$' out
    # In the report of the test that failed, and of both in the JUnit file.
    grep -q '^-* portwitness -*$' out
    assert_equal "$(grep -c '^ERROR: portwitness: lost-race' out)" 2
    run -0 "$python" - <<'PYTHON'
import xml.etree.ElementTree as E
for case in E.parse("junit.xml").iter("testcase"):
    print(case.get("name"), *sorted({p.get("value") for p in case.iter("property")}),
          "lost-race" in (case.findtext("system-out") or ""), sep=", ")
PYTHON
    assert_equal "$(sort <<<"$output")" "test_add, error: lost-race [released-number], hazard: race-window [released-number], True
test_pay, error: lost-race [released-number], hazard: race-window [released-number], True
test_total, False"
}

@test "the same suite without the race is clean" {
    for ((turn = 0; turn < ${XDIST_RACES:?}; turn++)); do
        rm -f t
        RACY=no race
        grep -q '^portwitness: clean: 0 errors, 0 hazards' out
    done
    grep -q '^3 passed' out
}

@test "pytest records itself with --portwitness: once, with the same arguments and status" {
    cat >test_one.py <<'PYTHON'
import os, socket, sys
print("collected", file=open("collected", "a"))
def test_one(capfd):
    print("captured")
    assert capfd.readouterr().out == "captured\n"
    socket.create_server(("127.0.0.1", 0)).close()
def test_two():
    assert sys.argv[1:] == open("argv").read().splitlines()
    assert "PORTWITNESS_PYTEST" not in os.environ
PYTHON
    arguments=(-p no:cacheprovider -q --portwitness 'test_one.py' -k 'one or two' -p 'no:randomly')
    printf '%s\n' "${arguments[@]}" >argv
    run -0 installed "$python" -m pytest "${arguments[@]}"
    [[ $output == *'portwitness: clean:'*'2 passed'* ]]
    assert_equal "$(cat collected)" collected
    # Nothing is kept where nothing was found.
    assert_equal "$(ls "$TMPDIR")" ''
    # Recorded already: there is no second run.
    rm collected
    run -0 installed "$PORTWITNESS" run -q -o t -- "$python" -m pytest "${arguments[@]}"
    [[ $output == *'portwitness: clean:'*'2 passed'* ]]
    assert_equal "$(cat collected)" collected
    # The status of pytest: 5 where no test was collected.
    run -5 installed "$python" -m pytest -p no:cacheprovider --portwitness test_one.py -k nothing
    echo 'def test_three(): assert False' >>test_one.py
    run -1 installed "${pytest[@]}" --portwitness test_one.py
    # The workers of xdist are recorded with it.
    run -0 installed "${pytest[@]}" --portwitness --portwitness-trace=t2 -n 2 test_one.py::test_one
    "$PORTWITNESS" export --format jsonl t2 | jq -r 'select(.outcome != null) | .text' | grep -q 'test_one.py::test_one \[gw[01]\]'
}

@test "without the option, or without the plugin, pytest is as it was" {
    echo 'def test_one(): pass' >test_one.py
    run -0 installed "${pytest[@]}" test_one.py
    [[ $output != *portwitness* ]]
    run -0 installed "$PORTWITNESS" run -q -o t -- "${pytest[@]}" test_one.py
    [[ $output != *portwitness* ]]
    assert_equal "$(outcomes)" "test_one.py::test_one starts
test_one.py::test_one passed"
    rm t
    run -0 "$PORTWITNESS" run -q -o t --pytest -- "${pytest[@]}" -p no:portwitness.pytest test_one.py
    [[ $output != *portwitness* ]]
    assert_equal "$(outcomes)" ''
    # A Python that takes no folder from the environment has no plugin.
    run -0 "$PORTWITNESS" run -q -o u --pytest -- "$python" -I -m pytest -p no:cacheprovider -q test_one.py
    [[ $output != *portwitness* ]]
    run -4 installed "$python" -c 'import pytest, sys; sys.exit(pytest.main(["--portwitness"]))'
    [[ $output == *'start that with portwitness run --pytest'* ]]
}

@test "what run --pytest sets is not seen by tests and what they start" {
    cat >test_one.py <<'PYTHON'
import os, subprocess
def test_one():
    seen = subprocess.run(["env"], stdout=subprocess.PIPE, text=True).stdout.splitlines()
    ours = ("PYTHONPATH=", "PORTWITNESS_PYTEST=", "PYTEST_PLUGINS=", "PYTEST_ADDOPTS=")
    assert [line for line in seen if line.startswith(ours)] == \
        [line for line in [os.environ.get("EXPECTED")] if line]
PYTHON
    # shellcheck disable=SC2086 # none or one
    for workers in "" -n1; do
        run=("$PORTWITNESS" run -q --pytest -o)
        env -u PYTHONPATH "${run[@]}" "one$workers" -- "${pytest[@]}" $workers test_one.py
        PYTHONPATH=/one:/two EXPECTED=PYTHONPATH=/one:/two "${run[@]}" "two$workers" -- \
            "${pytest[@]}" $workers test_one.py
    done
}

@test "each attempt of a test is marked with its outcome" {
    cat >conftest.py <<'PYTHON'
import pytest
from _pytest.runner import runtestprotocol
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    if "again" in item.name:  # as pytest-rerunfailures does it
        runtestprotocol(item, nextitem=nextitem, log=False)
        item._initrequest()
PYTHON
    cat >test_all.py <<'PYTHON'
import pytest
tries = []
@pytest.fixture
def broken(): assert False
@pytest.fixture
def breaks():
    yield
    assert False
def test_again():
    tries.append(1)
    assert len(tries) > 1
def test_fails(): assert False
@pytest.mark.skip
def test_skips(): pass
def test_skips_itself(): pytest.skip("now")
@pytest.mark.xfail
def test_is_expected_to_fail(): assert False
def test_setup(broken): pass
def test_teardown(breaks): pass
@pytest.mark.parametrize("value", ["ü [x]"])
def test_value(value): pass
PYTHON
    run -1 "$PORTWITNESS" run -q -o t --pytest -- "${pytest[@]}" test_all.py
    assert_equal "$(outcomes)" 'test_all.py::test_again starts
test_all.py::test_again failed
test_all.py::test_again starts
test_all.py::test_again passed
test_all.py::test_fails starts
test_all.py::test_fails failed
test_all.py::test_is_expected_to_fail starts
test_all.py::test_is_expected_to_fail skipped
test_all.py::test_setup starts
test_all.py::test_setup failed
test_all.py::test_skips starts
test_all.py::test_skips skipped
test_all.py::test_skips_itself starts
test_all.py::test_skips_itself skipped
test_all.py::test_teardown starts
test_all.py::test_teardown failed
test_all.py::test_value[\xfc [x]] starts
test_all.py::test_value[\xfc [x]] passed'
}

@test "--portwitness-fail says from which severity on a run fails" {
    cat >test_one.py <<'PYTHON'
import conftest, socket
def test_one():
    port = conftest.free_port()
    socket.create_server(("127.0.0.1", port)).close()
PYTHON
    run -0 installed "${pytest[@]}" --portwitness test_one.py
    [[ $output == *'portwitness: hazards: 0 errors, 1 hazard'*'portwitness: the trace is '*'1 passed'* ]]
    assert_equal "$(ls "$TMPDIR"/portwitness-pytest-*)" trace
    run -1 installed "${pytest[@]}" --portwitness --portwitness-fail=hazard test_one.py
    run -0 installed "${pytest[@]}" --portwitness --portwitness-fail=never test_one.py
    run -4 installed "${pytest[@]}" --portwitness --portwitness-fail=sometimes test_one.py
}

@test "stress has pytest say which test failed" {
    cat >test_one.py <<'PYTHON'
import os
def test_good(): pass
def test_bad(): assert os.environ["PORTWITNESS_COPY"] == "1"
PYTHON
    run -1 "$PORTWITNESS" stress -j 2 --rounds 1 --pytest --keep kept -- "${pytest[@]}" test_one.py
    assert_equal "$(grep -A1 '^TEST' <<<"$output" | tr -s ' ')" "TEST THAT FAILED kernel
test_one.py::test_bad 1 of 2"
    grep -q '1 failed, 1 passed' kept/kernel-1/copy-2.out
    run -1 grep -q portwitness kept/kernel-1/copy-2.out
}

@test "the plugin is made into a wheel, and loaded where that is installed" {
    cp -r "$root/integrations/pytest" wheel
    "$python" -m pip -q wheel --no-build-isolation --no-index --no-deps -w made ./wheel
    "$python" -m pip -q install --no-index --no-deps --target there made/*.whl
    echo 'def test_one(): pass' >test_one.py
    PYTHONPATH=there run -0 "${pytest[@]}" --portwitness test_one.py
    [[ $output == *'portwitness: clean:'* ]]
}

@test "pytest that ends before it runs a test leaves no trace behind" {
    mkdir sub
    echo 'import nosuch' >sub/conftest.py
    run -4 installed "${pytest[@]}" -p portwitness.pytest --portwitness sub
    run -4 installed "${pytest[@]}" -p portwitness.pytest --portwitness --nosuch
    run -0 installed "${pytest[@]}" -p portwitness.pytest --portwitness --help
    run -0 ls "$TMPDIR"
    assert_equal "$output" ""
}
