# One racy helper in a suite of each kind: the finding names the user's file and line of who picked the
# number and of who bound it, and both tests. The same suites without the race are clean.
# shellcheck disable=SC2154 # variables of bats and of common.bash

bats_require_minimum_version 1.5.0
load ../common

setup() {
    suites=$root/tests/guests/both_sides
    mkdir "$BATS_TEST_TMPDIR/run"
    cd "$BATS_TEST_TMPDIR/run" || return
}

# right_each_time SUITE PICKED BOUND TEST TEST -- COMMAND...: in a new folder each time, with a copy of the
# suite.
right_each_time() {
    local suite=$1 sides=("${@:2:4}") i
    shift 6
    for ((i = 1; i <= BOTH_SIDES_RUNS; i++)); do
        cp -r "$suites/$suite" "$i"
        (
            cd "$i" || exit
            "$PORTWITNESS" run --quiet --policy soonest -o ../trace -- "$@" >../said 2>&1
            "$PORTWITNESS" check --json ../trace >../found
            "$python" "$suites/sides.py" "${sides[@]}" <../found >../verdict
        ) || true
        [ "$(cat verdict)" = right ] || { echo "run $i: $(cat verdict)"; cat said; jq . found; return 1; } >&2
        rm -r "$i" trace
    done
}

# clean SUITE COMMAND...
clean() {
    cp -r "$suites/$1" copy
    cd copy || return
    RACY=0 "$PORTWITNESS" run --quiet --policy soonest -o ../trace -- "${@:2}" >../said 2>&1 || { cat ../said; return 1; }
    run "$PORTWITNESS" check --json ../trace
    assert_equal "$(jq -r '[.findings[] | select(.severity != "note") | .kind] | join(" ")' <<<"$output")" ''
}

pytest=("$python" -m pytest -q -p no:cacheprovider -n 2)

@test "pytest with two workers" {
    right_each_time pytest "$suites/pytest/conftest.py:free_port:probe.bind" \
        "$suites/pytest/service.py:serve:HTTPServer(" \
        test_cart.py::test_add test_checkout.py::test_pay -- "${pytest[@]}"
    clean pytest "${pytest[@]}"
}

@test "node:test with two files" {
    local tests='cart.test.mjs > the cart takes an item:checkout.test.mjs > the checkout takes the money'
    export HOOK=$root/integrations/node-test/portwitness.cjs
    right_each_time node "$suites/node/free_port.mjs:<anonymous>:server.listen(" \
        "$suites/node/service.mjs:<anonymous>:server.listen(" "${tests%%:*}" "${tests#*:}" -- bash both.sh
    clean node bash both.sh
}

@test "JUnit's way: a virtual machine for each test class" {
    mkdir classes
    javac -d classes "$suites"/java/*.java
    right_each_time java "$suites/java/Ports.java:freePort:new ServerSocket(" \
        "$suites/java/Service.java:serve:new ServerSocket(" shop.CartTest.addsAnItem \
        shop.CheckoutTest.takesTheMoney -- bash both.sh ../classes
    clean java bash both.sh ../classes
}

@test "bats with two files at one time" {
    right_each_time bats "$suites/bats/free_port.py:free_port:probe.bind" \
        "$suites/bats/server.py:serve:HTTPServer(" 'the cart takes an item' 'the checkout takes the money' -- \
        bash both.sh
    clean bats bash both.sh
}

@test "both bind before either listens: the listen loses" {
    right_each_time late "$suites/late/late.py:free_port:probe.bind" \
        "$suites/late/late.py:serve:return Server(" - - -- "$python" late.py
}
