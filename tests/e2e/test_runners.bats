# The helper for bats and the hook for Node's test runner, each in the runner itself.
# shellcheck disable=SC2154 # variables of bats and of common.bash

bats_require_minimum_version 1.5.0
load ../common

setup() {
    suites=$root/tests/guests/frameworks
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$build:$PATH
    export PORTWITNESS_BATS=$root/integrations/bats/portwitness
    hook=$root/integrations/node-test/portwitness.cjs
    export -n BATS_TEST_DESCRIPTION
}

# Two shards, in each a test that waits for the other's.
shards() {
    MEETING=$(mktemp -d -p "$BATS_TEST_TMPDIR")
    export MEETING
    # shellcheck disable=SC2016
    "$PORTWITNESS" run -q -o t "$@" -- sh -c 'bats -f adds "$1" >cart & bats -f pays "$1" >checkout; status=$?
        wait $! && exit $status' sh "$suites/bats/racy.bats" 3>&- 4>&-
}

# What the tests were marked with, in their order.
marks() {
    "$PORTWITNESS" export --format jsonl t | jq -r 'select(.kind == "marker")
        | "\(.text) \(if .flags | index("marker-environment") then "runs"
            elif .flags | index("marker-end") then .outcome else "starts" end)"'
}

@test "a race between two shards of bats is found, with the tests on both sides" {
    for ((turn = 0; turn < RUNNER_RACES; turn++)); do
        rm -f t
        run ! shards --policy soonest
        assert_equal "$("$PORTWITNESS" check --json t | jq -r '.findings[] | select(.kind == "lost-race")
            | "\(.test), \(.other_test)"')" "the checkout pays, the cart adds"
    done
    assert_equal "$(marks | grep -e passed -e failed | sort)" "the cart adds passed
the checkout pays failed"
    rm t
    RACY=no shards --policy soonest --check
    run -0 "$PORTWITNESS" check --json t
    assert_equal "$(jq -r '.verdict, (.findings | length)' <<<"$output")" "clean
0"
}

@test "the helper for bats says how each test ended, and names it to what it starts" {
    run -1 "$PORTWITNESS" run -q -o t -- bats "$suites/bats/outcomes.bats" 3>&- 4>&-
    [ "$(grep -c '^ok' <<<"$output")" -eq 3 ]
    assert_equal "$(marks)" "good passed
bad failed
left out skipped
binds runs
binds passed"
    run -1 bats "$suites/bats/outcomes.bats" 3>&- 4>&-
    [ "$(grep -c '^ok' <<<"$output")" -eq 3 ]
}

@test "the hook for Node's test runner says how each test ended" {
    run -1 "$PORTWITNESS" run -q -o t -- node --test --require "$hook" "$suites/node/outcomes.test.mjs"
    assert_equal "$(marks | sed 's/^.* > //')" "good starts
good passed
bad starts
bad failed
left out starts
left out skipped
inner starts
inner passed
outer starts
sub starts
sub passed
outer starts
outer passed"
    [[ $(marks | head -n 1) == *outcomes.test.mjs\ \>\ good\ starts ]]
    # A program that runs no tests is not made to run any.
    run -0 "$PORTWITNESS" run -q -o u -- node --require "$hook" -e 'console.log("no test")'
    assert_equal "$output" 'no test'
    run -1 node --test --require "$hook" "$suites/node/outcomes.test.mjs"
}

@test "a number that two tests of node:test use is found, with the tests on both sides" {
    for ((turn = 0; turn < RUNNER_RACES; turn++)); do
        rm -f t
        run -1 "$PORTWITNESS" run -q -o t -- node --test --require "$hook" "$suites/node/racy.test.mjs"
        assert_equal "$("$PORTWITNESS" check --json t |
            jq -r '.findings[] | select(.test != null and .other_test != null) | "\(.test), \(.other_test)"' |
            sed 's/[^ ]*racy.test.mjs > //g')" "the checkout pays, the cart adds"
    done
    rm t
    RACY=no "$PORTWITNESS" run -q -o t -- node --test --require "$hook" "$suites/node/racy.test.mjs" >out
    assert_equal "$("$PORTWITNESS" check --json t | jq -r .verdict)" clean
}
