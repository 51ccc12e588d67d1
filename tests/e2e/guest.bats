# What may happen to a guest in the middle of a wrapped call: its own results stay, and the trace
# reports all of it.

# shellcheck disable=SC2154,SC2034,SC2016 # variables of bats and unchanged.bash; those of jq
load ../common
load unchanged

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    trace=$BATS_TEST_TMPDIR/trace
}

none_torn() {
    assert_equal "$(from=$1 exported 'map(select(.state != "committed")) | length')" 0
    assert_equal "$(cat evidence)" ''
}

@test "errno, descriptor numbers and addresses stay, in one thread and in 64" {
    unchanged "$data/bind_loop" 1 2000
    assert_matches "$(cat bare.out)" 'failed 0, next descriptor 3'
    assert_equal "$(assigned_in "$trace")" 2000
    unchanged "$data/bind_loop" 64 100
    assert_equal "$(assigned_in "$trace")" 6400
    assert_equal "$(assigned_in "$trace.hand")" 6400
    none_torn "$trace"
    none_torn "$trace.hand"
}

@test "a thread that is cancelled in connect, accept or close leaves no torn record" {
    unchanged "$data/churn" cancel
    assert_equal "$(cat bare.out)" "connect: cancelled
accept: cancelled
close: cancelled
afterwards: 1"
    local file
    for file in "$trace" "$trace.hand"; do
        none_torn "$file"
        assert_equal "$(from=$file exported 'map(select(.flags | index("cancelled"))
            | "\(.kind) \(.call)") | sort | join(", ")')" 'close close, connect connect'
    done
}

@test "a signal handler may bind, close and fork wherever the program is" {
    unchanged "$data/churn" signals
    assert_equal "$(cat bare.out)" 'wrong 0 in the program, 0 in the handler'
    none_torn "$trace"
    none_torn "$trace.hand"
    # The child has its own serial, and the parent knows it.
    exported 'map(select(.kind == "fork") | .serial) | unique' >forked
    exported 'map(select(.kind == "process-start" and (.flags | index("by-fork"))) | .serial)
        | unique' >entered
    diff forked entered
    [ "$(jq length forked)" -ge 20 ]
}

@test "children of a program with 64 threads bind and start programs" {
    unchanged "$data/churn" forks
    assert_equal "$(cat bare.out)" 'failures: 0 in threads, 0 in children'
    none_torn "$trace"
    assert_equal "$(exported 'map(select(.kind == "fork") | .serial) as $children
        | map(select(.kind == "bind" and (.process | IN($children[])))) | length')" 20
    assert_equal "$(exported 'map(select(.kind == "process-start" and .identity_comm == "true"))
        | length')" 20
}

@test "a child that the C library forks inside itself is seen, also after a vfork" {
    unchanged "$data/churn" pty
    assert_equal "$(cat bare.out)" 'child 700, here 1'
    none_torn "$trace"
    assert_equal "$(exported 'map(select(.kind == "process-start" and (.flags | index("by-fork")))
        | .serial) as $children | map(select(.source == "shim" and (.process | IN($children[])))
        | "\(.kind)") | map(select(. != "module" and . != "namespace")) | join(" ")')" \
        'process-start bind close process-exit'
}

# A library whose constructor runs before the shim's, and whose destructor runs after it.
early_guest() {
    cat >early.c <<'END'
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
int early_one(void);
int early_one(void) {
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return bind(fd, (struct sockaddr *)&any, sizeof any) == 0 && close(fd) == 0 ? fd : -1;
}
__attribute__((constructor)) static void begin(void) { dprintf(1, "begin %d\n", early_one()); }
__attribute__((destructor)) static void end(void) { dprintf(1, "end %d\n", early_one()); }
END
    cc -shared -fPIC -o libearly.so early.c
    printf 'int early_one(void); int main(void) { return early_one() < 0; }\n' >main.c
    cc -o early main.c -L. -learly -Wl,-rpath,"$PWD"
}

@test "calls before the shim's constructor and after its destructor are recorded" {
    early_guest
    unchanged ./early
    assert_equal "$(cat bare.out)" $'begin 3\nend 3'
    assert_equal "$(assigned_in "$trace")" 3
    assert_equal "$(assigned_in "$trace.hand")" 3
    LD_DEBUG=files LD_PRELOAD=$shim ./early 2>order >/dev/null
    local shim_line early_line
    shim_line=$(grep -n 'calling init: .*libportwitness' order | cut -d: -f1)
    early_line=$(grep -n 'calling init: .*libearly' order | cut -d: -f1)
    [ "$early_line" -lt "$shim_line" ]
}

@test "nothing is allocated before main, and no error of the loader is left behind" {
    unchanged "$data/before_main"
    assert_equal "$(cat bare.out)" "allocated 0 times
no error"
}

@test "a preloaded library behind the shim calls through it in its constructor" {
    early_guest
    by_hand() { env LD_PRELOAD="$shim:$PWD/libearly.so" PORTWITNESS_TRACE="$trace" "$@"; }
    capture bare env LD_PRELOAD="$PWD/libearly.so" "$data/bind_loop" 1 1
    capture hand by_hand "$data/bind_loop" 1 1
    like_bare hand 0
    assert_equal "$(assigned_in "$trace")" 3
}

@test "a daemon is recorded after its parent has ended" {
    cat >daemon.c <<'END'
#include <unistd.h>
int early_one(void);
int main(void) { return daemon(1, 1) == 0 && early_one() >= 0 ? 0 : 1; }
END
    early_guest
    cc -w -o daemon daemon.c -L. -learly -Wl,-rpath,"$PWD"
    "$PORTWITNESS" run --quiet --wait -o "$trace" -- ./daemon
    none_torn "$trace"
    assert_equal "$(exported 'map(select(.kind == "fork"))[0].serial as $child
        | map(select(.kind == "bind" and .process == $child)) | length')" 2
}
