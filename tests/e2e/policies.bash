# What the tests of policies share. `load policies`, after common.
# shellcheck disable=SC2154,SC2034 # variables of bats and common.bash; for the tests

policies_setup() {
    cd "$BATS_TEST_TMPDIR" || return
    guests=$root/tests/guests/policies
}

# What makes the kernel seem another one, before `run`.
kernel=()

# under POLICY COMMAND...: runs it under portwitness run into t.trace.
under() {
    local policy=$1
    shift
    rm -f t.trace asking
    "${kernel[@]}" "$PORTWITNESS" run -q -o t.trace --policy "$policy" -- "$@"
}

# How many the policy counted, by the name that it has in the JSON of check.
counted() {
    "$PORTWITNESS" check --json --fail-on never t.trace |
        "$python" -c 'import json, sys; print(json.load(sys.stdin)["policies"][0][sys.argv[1]])' "$1"
}
