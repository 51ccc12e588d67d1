# Guests with sanitizers that are less common, guests under valgrind, and the program's readers under it.

# shellcheck disable=SC2154,SC2034,SC2016 # variables of bats and unchanged.bash
load ../common
load sanitizers

setup() { sanitizers_setup; }

@test "a program built with gcc -fsanitize=thread, from run and from plain parents" {
    sanitized tsan gcc -fsanitize=thread
    before=(setarch -R)
    from_everywhere ./tsan
}

@test "a program built with clang -fsanitize=address, from run and from plain parents" {
    sanitized clang-asan clang -fsanitize=address
    from_everywhere ./clang-asan
}

@test "a program built with clang -fsanitize=address -shared-libasan" {
    sanitized shared clang -fsanitize=address -shared-libasan
    local path
    path=$(dirname "$(clang -print-file-name=libclang_rt.asan-x86_64.so)")
    export LD_LIBRARY_PATH=$path
    capture bare ./shared 4 50
    [ "$(cat bare.status)" -eq 0 ] || skip 'the runtime of clang does not run here'
    capture run "$PORTWITNESS" run --quiet -o "$trace" -- ./shared 4 50
    like_bare run 0
    assert_equal "$(assigned_in "$trace")" 200
}

@test "valgrind finds nothing wrong with the shim in a guest" {
    local status=0
    LD_PRELOAD=$shim PORTWITNESS_TRACE=$trace valgrind --trace-children=yes --error-exitcode=99 \
        --fullpath-after= \
        --log-file=valgrind.%p "$data/every_call" --each "$VALGRIND_STEP" >out 2>err || status=$?
    assert_equal "$status" 0
    [ "$(find . -name 'valgrind.*' | wc -l)" -gt $((40 / VALGRIND_STEP)) ]
    # What is left are the guest's own bad pointers, which the kernel is to refuse.
    run grep -hE -A 3 'Invalid |ninitialised|overlap|Process terminating' valgrind.*
    assert_equal "$output" ''
    local calls
    calls=$("$data/every_call" --list | wc -l)
    [ "$(grep -c "^[a-z_A-Z]" out)" -ge $(((calls + VALGRIND_STEP - 1) / VALGRIND_STEP)) ]
}

@test "valgrind prints nothing of a guest under a policy" {
    cat >guest.c <<'END'
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
/* Not on the stack, which the shim stands on itself. */
static struct sockaddr_in any = {.sin_family = AF_INET}, dead = {.sin_family = AF_INET};
int main(void) {
    any.sin_addr.s_addr = dead.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    dead.sin_port = htons(1);
    for (int i = 0; i < 5; i++) {
        int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
        int other = socket(AF_INET, SOCK_STREAM, 0);
        bind(tcp, (struct sockaddr *)&any, sizeof any);
        connect(other, (struct sockaddr *)&dead, sizeof dead);
        sendto(udp, "x", 1, 0, (struct sockaddr *)&dead, sizeof dead);
        close(tcp), close(udp), close(other);
    }
    return 0;
}
END
    gcc -g -o guest guest.c
    local policy
    for policy in soonest range:20000-20999; do
        rm -f "$trace"
        run "$PORTWITNESS" run -q -o "$trace" --policy "$policy" -- \
            valgrind --quiet --error-exitcode=99 ./guest
        assert_equal "$status" 0
        assert_equal "$output" ''
        [ "$(assigned_in "$trace")" -ge 5 ]
    done
}

@test "valgrind finds nothing wrong in ports and export" {
    by_hand "$data/bind_loop" 2 100
    for command in 'ports' 'ports --json' 'export --format jsonl'; do
        # shellcheck disable=SC2086 # words
        valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
            "$PORTWITNESS" $command "$trace" >out 2>err
        [ "$(wc -l <out)" -ge 200 ]
    done
}
