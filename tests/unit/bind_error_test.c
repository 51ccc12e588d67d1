/* When a failed bind is certainly one of EADDRINUSE. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "harness/capture/bind_error.h"

static const struct bind_rules rules = {.netns = 7, .unprivileged_from = 80};

static uint16_t error_of(const char *address, uint16_t port, uint32_t uid, uint64_t netns) {
    struct outside_event event = {.kind = OUTSIDE_BIND,
                                  .error = OUTSIDE_ERROR_NOT_KNOWN,
                                  .requested_port = port,
                                  .uid = uid,
                                  .netns = netns};
    memcpy(event.requested, address, sizeof event.requested);
    bind_error_infer(&rules, &event);
    assert_int_equal(event.inferred, event.error == EADDRINUSE);
    return event.error;
}

#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff"
#define NONE "\0\0\0\0\0\0\0\0\0\0\0\0"

static void addresses_that_every_host_has(void **state) {
    (void)state;
    assert_int_equal(error_of(MAPPED "\0\0\0\0", 8080, 1000, 7), EADDRINUSE);
    assert_int_equal(error_of(MAPPED "\x7f\0\0\x02", 8080, 1000, 7), EADDRINUSE);
    assert_int_equal(error_of(NONE "\0\0\0\0", 8080, 1000, 7), EADDRINUSE);
    assert_int_equal(error_of(NONE "\0\0\0\x01", 8080, 1000, 7), EADDRINUSE);
    assert_int_equal(error_of(MAPPED "\x0a\0\0\x01", 8080, 1000, 7), OUTSIDE_ERROR_NOT_KNOWN);
    assert_int_equal(error_of("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 8080, 0, 7),
                     OUTSIDE_ERROR_NOT_KNOWN);
}

static void privileged_ports_may_have_been_refused(void **state) {
    (void)state;
    assert_int_equal(error_of(MAPPED "\0\0\0\0", 79, 1000, 7), OUTSIDE_ERROR_NOT_KNOWN);
    assert_int_equal(error_of(MAPPED "\0\0\0\0", 79, 0, 7), EADDRINUSE);
    assert_int_equal(error_of(MAPPED "\0\0\0\0", 80, 1000, 7), EADDRINUSE);
    /* The number is of our own namespace. */
    assert_int_equal(error_of(MAPPED "\0\0\0\0", 80, 1000, 8), OUTSIDE_ERROR_NOT_KNOWN);
    assert_int_equal(error_of(MAPPED "\0\0\0\0", 1024, 1000, 8), EADDRINUSE);
}

static void port_zero_may_have_succeeded(void **state) {
    (void)state;
    assert_int_equal(error_of(MAPPED "\0\0\0\0", 0, 0, 7), OUTSIDE_ERROR_NOT_KNOWN);
}

static void other_errors_stay(void **state) {
    (void)state;
    struct outside_event event = {.kind = OUTSIDE_BIND, .error = EINVAL, .requested_port = 8080};
    bind_error_infer(&rules, &event);
    assert_int_equal(event.error, EINVAL);
    assert_int_equal(event.inferred, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_that_every_host_has),
        cmocka_unit_test(privileged_ports_may_have_been_refused),
        cmocka_unit_test(port_zero_may_have_succeeded),
        cmocka_unit_test(other_errors_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
