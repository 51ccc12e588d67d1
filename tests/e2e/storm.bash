# What the tests of storms share. `load storm`, after common.

storm() { "$PORTWITNESS" storm "$@"; }

# value PATH JSON: what stands at a jq path.
value() { jq -r "$1" <<<"$2"; }

# in_order TEXT...: fails unless each number is at most the next.
in_order() {
    jq -en --args '[$ARGS.positional[] | tonumber] | . == sort' "$@" >/dev/null || {
        echo "not in order: $*" >&2
        return 1
    }
}

# Fails unless all four checks of every strategy agree.
assert_checks_agree() {
    assert_equal "$(value '[.strategies[].checks[]] | unique | join(" | ")' "$1")" agree
}
