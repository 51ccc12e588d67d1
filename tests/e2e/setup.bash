# What the behaviour tests share. `load setup`.

root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
build=$root/${BUILD:-build}
[[ ${BUILD:-build} != /* ]] || build=$BUILD
PORTWITNESS=${PORTWITNESS:-$build/portwitness}

# Waits until a command succeeds; fails if it has not after a minute, which only a hang takes.
wait_for() {
    local attempt
    for ((attempt = 0; attempt < 1200; attempt++)); do
        if "$@"; then
            return 0
        fi
        sleep 0.05
    done
    echo "waited in vain for: $*" >&2
    return 1
}

# The state of a process as in proc(5), nothing if there is none.
state_of() {
    sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null
}

in_state() {
    [[ $(state_of "$1") == [$2] ]]
}

is_gone() {
    [ ! -e "/proc/$1" ] || in_state "$1" Z
}

# Fails, and shows both, unless they are equal.
assert_equal() {
    if [ "$1" != "$2" ]; then
        printf 'found:    %q\nexpected: %q\n' "$1" "$2" >&2
        return 1
    fi
}

# Fails, and shows the text, unless it matches the extended regular expression.
assert_matches() {
    if ! [[ $1 =~ $2 ]]; then
        printf 'no match for %s in:\n%s\n' "$2" "$1" >&2
        return 1
    fi
}
