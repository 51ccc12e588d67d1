/* Calls that carry the run's tokens, as the shim's do, are not reported by the eBPF programs. Skips
 * where the programs cannot be loaded, and says why. */
#include "tests/unit/capture_ebpf_fixture.h"

static void execute(struct said *said) {
    (void)said;
    pid_t other = fork();
    if (other == 0) {
        execl("/bin/true", "true", NULL);
        _exit(1);
    }
    int status = 1;
    must(waitpid(other, &status, 0) == other && status == 0);
    close(bound(SOCK_STREAM, 0, 0));
}

/* The first program that is executed shows where the registers are. */
static void a_call_without_tokens_is_reported(void **state) {
    (void)state;
    run(execute);
    only(OUTSIDE_BIND);
}

static int bind_with_tokens(uint64_t first, uint64_t second) {
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int file = socket(AF_INET, SOCK_STREAM, 0);
    must(syscall(SYS_bind, file, &address, sizeof address, 0, first, second) == 0);
    must(syscall(SYS_getsockname, file, &address, &size, 0, first, second) == 0);
    return file;
}

static void bind_as_shim(struct said *said) {
    (void)said;
    close(bind_with_tokens(capture.token[0], capture.token[1]));
}

static void what_the_shim_records_is_not_reported(void **state) {
    (void)state;
    assert_int_not_equal(capture.token[0], 0);
    run(bind_as_shim);
    assert_null(nth(OUTSIDE_BIND, 0));
    assert_null(nth(OUTSIDE_READ, 0));
    only(OUTSIDE_RELEASED);
}

static void bind_as_sandboxed_shim(struct said *said) {
    int file = bind_with_tokens(capture.token[0], capture.token[1] & UINT32_MAX);
    said->port = port_of(file);
    close(file);
    close(bind_with_tokens(capture.token[1], capture.token[0]));
}

static void what_it_cannot_record_whole_is_reported(void **state) {
    (void)state;
    struct said said = run(bind_as_sandboxed_shim);
    assert_int_equal(nth(OUTSIDE_BIND, 0)->local_port, said.port);
    assert_non_null(nth(OUTSIDE_BIND, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_without_tokens_is_reported),
        cmocka_unit_test(what_the_shim_records_is_not_reported),
        cmocka_unit_test(what_it_cannot_record_whole_is_reported),
    };
    char why[CAPTURE_WHY_BYTES];
    if (!capture_ebpf_open(&capture, false, why)) {
        printf("1..0 # SKIP %s\n", why);
        return 0;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    capture_ebpf_close(&capture);
    return failed;
}
