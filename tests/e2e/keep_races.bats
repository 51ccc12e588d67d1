# `run --policy keep` beside strangers that ask for 20,000 ports a second, as scripts/races measures it.

# shellcheck disable=SC2154 # variables of bats and common.bash
bats_require_minimum_version 1.5.0
load ../common

setup() {
    "${in_namespace[@]}" true || skip 'no network namespace of its own'
    cd "$BATS_TEST_TMPDIR" || return
}

races() {
    BUILD=$build "$root/scripts/races" --times "$RACES" "$@"
}

# column POLICY N: of the policy's row in the table.
column() {
    awk -v policy="$1" -v column="$2" '$1 == policy { print $column }' <<<"$output"
}

@test "keep loses no port to strangers, by TCP nor by UDP, and the kernel alone loses some" {
    run -0 races --policy kernel --policy keep
    echo "$output"
    assert_equal "$(column keep 2) $(column keep 3)" '0 0'
    [ "$(column kernel 2)" -gt 0 ]
    # They were there each time, and were given ports.
    for policy in kernel keep; do
        [ "$(column "$policy" 4)" -gt 0 ]
        [ "$(column "$policy" 5)" -gt 0 ]
    done
}

@test "a port that is lost under keep ends the script with 1" {
    run -0 races --policy keep,range:20000-20999
    # Of two ports a quarter is none: nothing is kept.
    run -1 races --policy keep,range:20000-20001
    [ "$(column keep,range:20000-20001 2)" -gt 0 ]
}

@test "an invalid number of times, and any other option, is refused with the usage" {
    for words in '--times 0' '--times x' '--times' '--policy' '--other 1'; do
        # shellcheck disable=SC2086 # words
        run -2 "$root/scripts/races" $words
        [[ $output == *'scripts/races [--times N]'* ]]
    done
}
