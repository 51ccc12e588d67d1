# Guests with a sanitizer's runtime, and with libfaketime.

# shellcheck disable=SC2154,SC2034,SC2016 # variables of bats and unchanged.bash; other shells'
load ../common
load sanitizers

setup() { sanitizers_setup; }

@test "a program built with gcc -fsanitize=address, from run and from plain parents" {
    sanitized asan gcc -fsanitize=address
    # By hand nobody puts the runtime first: it is for whoever sets LD_PRELOAD himself to do.
    by_hand() { env LD_PRELOAD="$(gcc -print-file-name=libasan.so):$shim" \
        PORTWITNESS_TRACE="$trace" ASAN_OPTIONS=detect_leaks=0 "$@"; }
    from_everywhere ./asan
}

@test "ASan still finds a guest's mistake under the shim" {
    printf '#include <stdlib.h>\n#include <string.h>\nint main(void) { char *p = malloc(8); %s }\n' \
        'memset(p, 1, 9); free(p); return 0;' >mistake.c
    gcc -O0 -w -fsanitize=address -o mistake mistake.c
    run "$PORTWITNESS" run --quiet -o "$trace" -- ./mistake
    assert_equal "$status" 1
    assert_matches "$output" 'heap-buffer-overflow'
    assert_equal "$(grep -c libportwitness <<<"$output" || true)" 0
}

@test "TSan finds no race in the shim's wrappers, and still finds the guest's" {
    cat >race.c <<'END'
#include <pthread.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>
static int shared;
static void *run(void *unused) {
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bind(fd, (struct sockaddr *)&any, sizeof any);
    shared++;
    close(fd);
    return unused;
}
int main(void) {
    pthread_t a, b;
    pthread_create(&a, NULL, run, NULL);
    pthread_create(&b, NULL, run, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
END
    gcc -g -fsanitize=thread -pthread -o race race.c
    run setarch -R "$PORTWITNESS" run --quiet -o "$trace" -- ./race
    assert_equal "$status" 66
    assert_matches "$output" 'data race'
    assert_equal "$(grep -c libportwitness <<<"$output" || true)" 0
}

@test "a plain child of an ASan program has the shim in LD_PRELOAD and not the runtime" {
    printf '#include <stdlib.h>\nint main(void) { return system("%s"); }\n' \
        'env | grep ^LD_PRELOAD=; echo is=$LD_PRELOAD' >parent.c
    gcc -w -fsanitize=address -o parent parent.c
    run "$PORTWITNESS" run --quiet -o "$trace" -- ./parent
    assert_equal "$status" 0
    assert_equal "$output" "LD_PRELOAD=$shim
is=$shim"
    run "$PORTWITNESS" run --quiet -o "$trace.2" -- sh -c ./parent
    assert_equal "$output" "LD_PRELOAD=$shim
is=$shim"
}

faketime=(/usr/lib/*/faketime/libfaketimeMT.so.1)

@test "libfaketime before and after the shim: both work, and the trace has the kernel's times" {
    [ -e "${faketime[0]}" ] || skip 'no libfaketime here'
    local order guest='import socket, time
for _ in range(100):
    socket.create_server(("127.0.0.1", 0)).close()
print(time.strftime("%Y-%m-%d", time.gmtime()), time.monotonic() > 0)'
    export FAKETIME='@2001-02-03 04:05:06'
    for order in "${faketime[0]}:$shim" "$shim:${faketime[0]}"; do
        rm -f trace
        env -u FAKETIME "$data/monotonic_now" >from.time
        LD_PRELOAD=$order PORTWITNESS_TRACE=trace /usr/bin/python3 -c "$guest" >out 2>err
        env -u FAKETIME "$data/monotonic_now" >to.time
        assert_equal "$(cat err)" ''
        assert_equal "$(cat out)" '2001-02-03 True'
        assert_equal "$(assigned_in trace)" 100
        assert_equal "$(exported --argjson from "$(cat from.time)" --argjson to "$(cat to.time)" \
            'all(.begin_ns >= $from and .end_ns <= $to and .begin_ns <= .end_ns)')" true
    done
    LD_PRELOAD=${faketime[0]} "$PORTWITNESS" run --quiet -o under.run -- /usr/bin/python3 -c "$guest" >out
    assert_equal "$(cat out)" '2001-02-03 True'
    assert_equal "$(assigned_in under.run)" 100
}
