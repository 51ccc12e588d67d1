/* Every number that this version of the format knows has a name, and no two have the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "harness/base/names.h"
#include "shim/shared/trace_format.h"

/* Checks that exactly the numbers from 1 to `last` have names, all different. */
static void assert_named(const char *(*name_of)(unsigned number), unsigned last) {
    assert_null(name_of(0));
    assert_null(name_of(last + 1));
    assert_null(name_of(UINT32_MAX));
    for (unsigned i = 1; i <= last; i++) {
        if (name_of(i) == NULL)
            fail_msg("number %u has no name", i);
        for (unsigned other = 1; other < i; other++)
            assert_string_not_equal(name_of(i), name_of(other));
    }
}

static void kinds_sources_options_and_blind_spots_are_named(void **state) {
    (void)state;
    assert_named(name_of_kind, PW_KIND_END - 1);
    assert_named(name_of_source, PW_SOURCE_SUPERVISOR);
    assert_named(name_of_option, PW_OPTION_BROADCAST);
    assert_named(name_of_blind_spot, PW_BLIND_OTHER_TRACE);
}

static void wrapped_calls_are_named(void **state) {
    (void)state;
    assert_string_equal(name_of_call(1), "socket");
    assert_string_equal(name_of_call(3), "bind");
    assert_string_equal(name_of_call(22), "fcntl");
    assert_null(name_of_call(0));
    assert_null(name_of_call(255));
}

static void errors_have_the_names_of_errno_h(void **state) {
    (void)state;
    assert_string_equal(name_of_error(EADDRINUSE), "EADDRINUSE");
    assert_string_equal(name_of_error(EADDRNOTAVAIL), "EADDRNOTAVAIL");
    assert_string_equal(name_of_error(ECONNREFUSED), "ECONNREFUSED");
    assert_string_equal(name_of_error(EINPROGRESS), "EINPROGRESS");
    assert_string_equal(name_of_error(EAGAIN), "EAGAIN");
    assert_null(name_of_error(0));
    assert_null(name_of_error(4000));
}

static void flags_are_named_each_by_its_own(void **state) {
    (void)state;
    assert_string_equal(name_of_flag(PW_FLAG_PORT_ZERO), "port-zero");
    assert_string_equal(name_of_flag(PW_FLAG_SIGNALLED), "signalled");
    assert_null(name_of_flag(0));
    assert_null(name_of_flag(UINT64_C(1) << 63));
    for (unsigned i = 0; i < 64; i++)
        for (unsigned other = 0; other < i; other++)
            if (name_of_flag(UINT64_C(1) << i) != NULL &&
                name_of_flag(UINT64_C(1) << other) != NULL)
                assert_string_not_equal(name_of_flag(UINT64_C(1) << i),
                                        name_of_flag(UINT64_C(1) << other));
}

static void a_protocol_of_nothing_follows_from_the_type(void **state) {
    (void)state;
    assert_string_equal(name_of_protocol(SOCK_STREAM, 0), "tcp");
    assert_string_equal(name_of_protocol(SOCK_DGRAM, 0), "udp");
    assert_string_equal(name_of_protocol(SOCK_STREAM, IPPROTO_SCTP), "sctp");
    assert_string_equal(name_of_protocol(SOCK_STREAM, 262), "mptcp");
    assert_null(name_of_protocol(SOCK_RAW, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_sources_options_and_blind_spots_are_named),
        cmocka_unit_test(wrapped_calls_are_named),
        cmocka_unit_test(errors_have_the_names_of_errno_h),
        cmocka_unit_test(flags_are_named_each_by_its_own),
        cmocka_unit_test(a_protocol_of_nothing_follows_from_the_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
