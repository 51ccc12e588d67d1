# What all tests share: where things are, and ways to wait and to compare. `load ../common`. What only
# some need stands beside them: e2e/guests.bash, unchanged.bash, check.bash, policies.bash, sanitizers.bash
# and storm.bash, fuzz/scribbled.bash, full/real.bash and browsers.bash.
# shellcheck disable=SC2034 # the variables are for the tests

root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
build=$root/${BUILD:-build}
[[ ${BUILD:-build} != /* ]] || build=$BUILD
PORTWITNESS=${PORTWITNESS:-$build/portwitness}
shim=$build/libportwitness.so
data=$build/tests/guests
# The interpreter itself, for the tests and for the scripts that they start: a python3 found first in
# the PATH may be a script that starts a dozen programs.
python=/usr/bin/python3
[ -x "$python" ] || python=$(python3 -c 'import sys; print(sys.executable)')
PATH=${python%/*}:$PATH:/usr/local/sbin:/usr/sbin:/sbin
load "$root/tests/lengths"

# What the tests start is not to be told that it is part of this test.
export -n BATS_TEST_NAME BATS_TEST_DESCRIPTION

# Before a command: it runs in a network namespace of its own whose loopback is up. Each step executes
# the next, so the process id stays the same.
in_namespace=(unshare -n sh -c 'ip link set lo up && exec "$@"' sh)
[ "$(id -u)" -eq 0 ] || in_namespace[1]=-rn

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

# Fails unless the lines are a complaint: one line of the command, and a second one that names its help
# where the command line itself is wrong.
assert_complaint() {
    local command=portwitness${1:+ $1}
    shift
    assert_matches "${1-}" "^$command: "
    [ "$#" -eq 1 ] || assert_equal "${*:2}" "Try '$command --help' for more information."
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

# assert_each_run FOLDER COMMAND: for each JSON file of the folder a line of the test file says
# "COMMAND NAME".
assert_each_run() {
    local path name
    for path in "$1"/*.json; do
        name=$(basename "$path" .json)
        grep -qx "    $2 $name" "$BATS_TEST_FILENAME" || {
            echo "not run: $name" >&2
            return 1
        }
    done
}
