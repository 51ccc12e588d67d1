/* Which rows of the kernel's table of sockets stand in a port's way. */
#include "shim/shared/port_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static bool meet(const char *one, bool one_only_v6, const char *other, bool other_only_v6) {
    uint8_t first[16], second[16];
    assert_int_equal(inet_pton(AF_INET6, one, first), 1);
    assert_int_equal(inet_pton(AF_INET6, other, second), 1);
    bool result = port_addresses_meet(first, one_only_v6, second, other_only_v6);
    assert_int_equal(port_addresses_meet(second, other_only_v6, first, one_only_v6), result);
    return result;
}

static void within_a_family_equal_addresses_and_the_wildcard_meet(void **state) {
    (void)state;
    assert_true(meet("::1", false, "::1", false));
    assert_true(meet("::", true, "::1", false));
    assert_false(meet("fd00::1", false, "::1", false));
    assert_true(meet("::ffff:127.0.0.1", false, "::ffff:127.0.0.1", false));
    assert_true(meet("::ffff:0.0.0.0", false, "::ffff:127.0.0.1", false));
    assert_false(meet("::ffff:127.0.0.2", false, "::ffff:127.0.0.1", false));
}

static void the_wildcard_of_ipv6_meets_ipv4_unless_it_is_for_ipv6_alone(void **state) {
    (void)state;
    assert_true(meet("::", false, "::ffff:127.0.0.1", false));
    assert_true(meet("::", false, "::ffff:0.0.0.0", false));
    assert_false(meet("::", true, "::ffff:127.0.0.1", false));
    assert_false(meet("::", true, "::ffff:0.0.0.0", false));
}

static void the_wildcard_of_ipv4_meets_no_address_of_ipv6(void **state) {
    (void)state;
    assert_false(meet("::ffff:0.0.0.0", false, "::1", false));
    assert_false(meet("::ffff:127.0.0.1", false, "fd00::1", false));
}

static int listen_at_any_port(uint16_t *port) {
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t length = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    *port = ntohs(name.sin_port);
    return fd;
}

static struct port_rows rows_of(uint16_t port) {
    static _Alignas(8) char reply[PORT_TABLE_BYTES];
    static const uint8_t any[16];
    const struct port_question question = {.address = any, .port = port, .type = SOCK_STREAM};
    struct port_rows rows = {.count = 0};
    assert_true(port_table_ask(&question, reply, &rows));
    return rows;
}

/* [::] is in nobody's exact place: the whole table is gone through. */
static void of_a_whole_table_only_the_port_is_shown(void **state) {
    uint16_t port, other;
    int fd = listen_at_any_port(&port), beside = listen_at_any_port(&other);
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    (void)state;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length), 0);
    const struct port_rows rows = rows_of(port);
    assert_int_equal(rows.count, 1);
    assert_true(rows.list[0].cookie == cookie);
    assert_int_equal(rows.list[0].family, AF_INET);
    assert_int_equal(rows.list[0].device, 0);
    close(fd);
    assert_int_equal(rows_of(port).count, 0);
    close(beside);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within_a_family_equal_addresses_and_the_wildcard_meet),
        cmocka_unit_test(the_wildcard_of_ipv6_meets_ipv4_unless_it_is_for_ipv6_alone),
        cmocka_unit_test(the_wildcard_of_ipv4_meets_no_address_of_ipv6),
        cmocka_unit_test(of_a_whole_table_only_the_port_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
