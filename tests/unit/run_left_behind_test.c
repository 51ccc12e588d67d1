/* How the summary names what lives on: what holds ports first, and cut where it would be too long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "harness/run/left_behind.h"

enum { PROCESSES = 12, SOCKETS = 6 };

static struct socket_row sockets[SOCKETS];
static struct left_process processes[PROCESSES];
static char text[1024];

static int start(void **state) {
    static const uint8_t loopback[] = {127, 0, 0, 1};
    (void)state;
    for (unsigned i = 0; i < SOCKETS; i++) {
        sockets[i] = (struct socket_row){.inode = i + 1, .listens = true};
        endpoint_set_address(&sockets[i].endpoint, AF_INET, loopback);
        sockets[i].endpoint.protocol = IPPROTO_TCP;
        sockets[i].endpoint.port = (uint16_t)(8080 + i);
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        processes[i] = (struct left_process){.serial = i + 1, .pid = (pid_t)(10 + i)};
        strcpy(processes[i].comm, "sh");
    }
    return 0;
}

static const char *name(size_t count, size_t holders) {
    const struct left_behind left = {.list = processes, .count = count, .holders = holders};
    left_behind_name(&left, text, sizeof text);
    return text;
}

static void give(unsigned process, unsigned count) {
    processes[process].sockets = sockets;
    processes[process].count = count;
}

static void nobody_is_no_text(void **state) {
    (void)state;
    assert_string_equal(name(0, 0), "");
}

static void who_holds_ports_comes_first(void **state) {
    (void)state;
    strcpy(processes[1].comm, "python3");
    give(1, 2);
    assert_string_equal(name(3, 1), "python3 (11), holds tcp 127.0.0.1:8080, tcp 127.0.0.1:8081; "
                                    "sh (10), sh (12)");
}

static void many_ports_and_many_processes_are_counted(void **state) {
    (void)state;
    give(0, 6);
    assert_string_equal(name(12, 1),
                        "sh (10), holds tcp 127.0.0.1:8080, tcp 127.0.0.1:8081, "
                        "tcp 127.0.0.1:8082, tcp 127.0.0.1:8083 and 2 more; sh (11), sh (12), "
                        "sh (13), sh (14), sh (15), sh (16), sh (17) and 4 more");
}

static void an_endpoint_that_two_sockets_share_is_named_once(void **state) {
    (void)state;
    sockets[1].endpoint.port = 8080;
    give(0, 2);
    assert_string_equal(name(1, 1), "sh (10), holds tcp 127.0.0.1:8080");
}

static void what_does_not_fit_is_cut(void **state) {
    (void)state;
    const struct left_behind left = {.list = processes, .count = 3};
    left_behind_name(&left, text, 12);
    assert_string_equal(text, "sh (10), sh");
}

#define TEST(function) cmocka_unit_test_setup(function, start)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(nobody_is_no_text),
        TEST(who_holds_ports_comes_first),
        TEST(many_ports_and_many_processes_are_counted),
        TEST(an_endpoint_that_two_sockets_share_is_named_once),
        TEST(what_does_not_fit_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
