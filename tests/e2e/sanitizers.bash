# Guests that are built with a sanitizer. `load sanitizers`, after common.
# shellcheck disable=SC2154,SC2016 # variables of common.bash and unchanged.bash; other shells'

load unchanged

sanitizers_setup() {
    cd "$BATS_TEST_TMPDIR" || return
    trace=$BATS_TEST_TMPDIR/trace
}

# sanitized NAME COMPILER FLAGS...: a threaded guest, built with a sanitizer.
sanitized() {
    local name=$1
    shift
    "$@" -g -D_GNU_SOURCE -I"$root" -pthread -o "$name" "$root/tests/guests/bind_loop.c"
}

# The guest from a plain parent that starts it in different ways; in full length also by run itself,
# and by a shell.
from_everywhere() {
    if [ -n "${TESTS_FULL-}" ]; then
        unchanged "$@" 4 50
        assert_equal "$(assigned_in "$trace")" 200
        rm "$trace" "$trace.hand"
        unchanged sh -c '"$@"; "$@"' sh "$@" 4 50
        assert_equal "$(assigned_in "$trace")" 400
        assert_equal "$(assigned_in "$trace.hand")" 400
        rm "$trace" "$trace.hand"
    fi
    unchanged "$data/start_ways" "$@" 4 50
    assert_equal "$(assigned_in "$trace")" 1000
    assert_equal "$(assigned_in "$trace.hand")" 1000
}
