/* The sockets that the keeper holds, in a network namespace of the test's own. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/keep/kept_sockets.h"
#include "harness/system/network.h"
#include "shim/shared/recorder.h"
#include "tests/unit/policy_area.h"

enum { LOW = 40000, HIGH = 40063, QUARTER = 16, OUTSIDE = 50000, SPARE = 32 };

#define LONG_NS UINT64_C(60000000000)
#define SHORT_NS UINT64_C(30000000)

static struct pw_keep_area *area;

static union {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
} address;

static socklen_t length;

static uint64_t counted(enum pw_keep_count what) { return atomic_load(&area->count[what]); }

static struct keep_question question_of(bool is_udp, const char *text, uint16_t port) {
    struct keep_question question = {.port = port, .is_udp = is_udp, .family = AF_INET6};
    if (inet_pton(AF_INET, text, question.address + 12) == 1) {
        memset(question.address + 10, 0xff, 2);
        question.family = AF_INET;
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, question.address), 1);
    }
    return question;
}

static void make_address(const char *text, uint16_t port) {
    memset(&address, 0, sizeof address);
    length = sizeof address.in;
    address.in.sin_family = AF_INET;
    address.in.sin_port = htons(port);
    if (inet_pton(AF_INET, text, &address.in.sin_addr) == 1)
        return;
    length = sizeof address.in6;
    address.in6.sin6_family = AF_INET6;
    assert_int_equal(inet_pton(AF_INET6, text, &address.in6.sin6_addr), 1);
}

static void share(int fd, int on) {
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
}

static int new_socket(bool is_udp, const char *text) {
    int fd = socket(strchr(text, ':') != NULL ? AF_INET6 : AF_INET,
                    is_udp ? SOCK_DGRAM : SOCK_STREAM, 0);
    assert_true(fd >= 0);
    return fd;
}

/* 0, or the error of a bind; the socket is closed again. */
static int bind_error(bool is_udp, const char *text, uint16_t port, bool shares) {
    int fd = new_socket(is_udp, text);
    make_address(text, port);
    share(fd, shares);
    int error = bind(fd, &address.any, length) == 0 ? 0 : errno;
    close(fd);
    return error;
}

/* A program that picks a number: the port is kept beside its socket, which is then closed. */
static bool pick(bool is_udp, const char *text, uint16_t port) {
    const struct keep_question question = question_of(is_udp, text, port);
    int fd = new_socket(is_udp, text);
    make_address(text, port);
    share(fd, 1);
    assert_int_equal(bind(fd, &address.any, length), 0);
    bool kept = kept_take(&question);
    share(fd, 0);
    close(fd);
    return kept;
}

static bool close_kept(bool is_udp, const char *text, uint16_t port) {
    const struct keep_question question = question_of(is_udp, text, port);
    return kept_close(&question);
}

static bool is_kept(bool is_udp, uint16_t port) { return keep_cookie(is_udp, port) != 0; }

static unsigned kept_of(bool is_udp) {
    unsigned found = 0;
    for (unsigned port = 0; port < PW_KEEP_PORTS; port++)
        found += is_kept(is_udp, (uint16_t)port);
    return found;
}

/* A wildcard of both families meets every address. */
static void close_all(void) {
    for (unsigned port = 1; area != NULL && port < PW_KEEP_PORTS; port++) {
        (void)close_kept(false, "::", (uint16_t)port);
        (void)close_kept(true, "::", (uint16_t)port);
    }
}

/* Why there is no namespace; NULL: there is one. */
static const char *problem;

static void begin(uint64_t keep_ns) {
    if (problem != NULL) {
        printf("%s\n", problem);
        skip();
    }
    close_all();
    area_begin(
        &(struct pw_policy_config){.kind = PW_POLICY_KEEP, .for_ms = 1, .low = LOW, .high = HIGH});
    area = (struct pw_keep_area *)(void *)(memory + PW_HEADER_SIZE + PW_KEEP_OFFSET);
    atomic_store(&area->state, PW_KEEP_WORKS);
    kept_begin(area, keep_ns, LOW, HIGH);
}

static void a_kept_port_is_nobodys_until_it_is_closed(void **state) {
    (void)state;
    for (int is_udp = 0; is_udp < 2; is_udp++) {
        begin(LONG_NS);
        assert_true(pick(is_udp, "127.0.0.1", LOW));
        assert_true(is_kept(is_udp, LOW));
        assert_false(is_kept(!is_udp, LOW));
        assert_int_equal(bind_error(is_udp, "127.0.0.1", LOW, false), EADDRINUSE);
        assert_int_equal(bind_error(is_udp, "0.0.0.0", LOW, false), EADDRINUSE);
        assert_int_equal(bind_error(is_udp, "127.0.0.2", LOW, false), 0);
        /* UDP: else strangers would be given the number. */
        assert_int_equal(bind_error(is_udp, "127.0.0.1", LOW, true), is_udp ? EADDRINUSE : 0);
        assert_true(close_kept(is_udp, "127.0.0.1", LOW));
        assert_false(is_kept(is_udp, LOW));
        assert_false(close_kept(is_udp, "127.0.0.1", LOW));
        assert_int_equal(bind_error(is_udp, "127.0.0.1", LOW, false), 0);
        assert_int_equal(counted(PW_KEEP_KEPT), 1);
    }
}

/* As if nobody had the port. */
static void who_connects_or_sends_to_a_kept_port_is_refused(void **state) {
    (void)state;
    static const char *const addresses[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"};
    char byte;
    begin(LONG_NS);
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        uint16_t port = (uint16_t)(LOW + i);
        assert_true(pick(false, addresses[i], port));
        assert_true(pick(true, addresses[i], port));
        int fd = new_socket(false, addresses[i]);
        make_address(addresses[i], port);
        assert_int_equal(connect(fd, &address.any, length), -1);
        assert_int_equal(errno, ECONNREFUSED);
        close(fd);
        fd = new_socket(true, addresses[i]);
        assert_int_equal(connect(fd, &address.any, length), 0);
        assert_int_equal(send(fd, "x", 1, 0), 1);
        assert_int_equal(recv(fd, &byte, 1, 0), -1);
        assert_int_equal(errno, ECONNREFUSED);
        close(fd);
    }
}

static void only_an_address_that_meets_closes_it(void **state) {
    (void)state;
    static const struct {
        const char *kept;
        const char *bound;
        bool kept_only_v6;
        bool only_v6;
        bool meet;
    } pairs[] = {{"127.0.0.1", "127.0.0.2", false, false, false},
                 {"127.0.0.1", "0.0.0.0", false, false, true},
                 {"0.0.0.0", "127.0.0.1", false, false, true},
                 {"127.0.0.1", "::1", false, false, false},
                 {"127.0.0.1", "::", false, false, true},
                 {"127.0.0.1", "::", false, true, false},
                 {"::", "127.0.0.1", false, false, true},
                 {"::", "127.0.0.1", true, false, false},
                 {"::1", "0.0.0.0", false, false, false},
                 {"::1", "::", true, true, true}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        begin(LONG_NS);
        struct keep_question question = question_of(false, pairs[i].kept, LOW);
        question.only_v6 = pairs[i].kept_only_v6;
        assert_true(kept_take(&question));
        question = question_of(false, pairs[i].bound, LOW);
        question.only_v6 = pairs[i].only_v6;
        assert_int_equal(kept_close(&question), pairs[i].meet);
        assert_int_equal(is_kept(false, LOW), !pairs[i].meet);
    }
}

static void a_port_is_kept_once_and_at_one_address(void **state) {
    (void)state;
    begin(LONG_NS);
    assert_true(pick(false, "127.0.0.1", LOW));
    uint32_t cookie = keep_cookie(false, LOW);
    const struct keep_question again = question_of(false, "127.0.0.1", LOW);
    assert_true(kept_take(&again));
    assert_int_equal(keep_cookie(false, LOW), cookie);
    assert_false(pick(false, "127.0.0.2", LOW));
    assert_true(pick(true, "127.0.0.2", LOW)); /* the other protocol is another matter */
    assert_int_equal(counted(PW_KEEP_KEPT), 2);
}

static void what_cannot_or_may_not_be_kept_is_refused(void **state) {
    (void)state;
    struct keep_question question;
    begin(LONG_NS);
    assert_false(pick(false, "127.0.0.1", OUTSIDE));
    assert_false(pick(false, "127.0.0.1", LOW - 1));
    assert_false(pick(false, "127.0.0.1", HIGH + 1));
    question = question_of(false, "127.0.0.1", 0);
    assert_false(kept_take(&question));
    question = question_of(false, "127.0.0.1", LOW);
    question.family = AF_UNIX;
    assert_false(kept_take(&question));
    question = question_of(false, "::127.0.0.1", LOW);
    question.family = AF_INET; /* its last four bytes alone would be used */
    assert_false(kept_take(&question));
    question = question_of(false, "192.0.2.1", LOW); /* no address of ours */
    assert_false(kept_take(&question));
    assert_true(pick(false, "127.0.0.1", HIGH));
    assert_int_equal(kept_of(false), 1);
    assert_int_equal(kept_of(true), 0);
}

/* Somebody who lacks the option has it: the second one is refused, and nothing is left behind. */
static void nothing_is_kept_beside_a_socket_that_does_not_share(void **state) {
    (void)state;
    begin(LONG_NS);
    int fd = new_socket(false, "127.0.0.1"), before = dup(fd);
    close(before);
    make_address("127.0.0.1", LOW);
    assert_int_equal(bind(fd, &address.any, length), 0);
    const struct keep_question question = question_of(false, "127.0.0.1", LOW);
    assert_false(kept_take(&question));
    int after = dup(fd);
    assert_int_equal(after, before); /* no descriptor more */
    close(after);
    close(fd);
    assert_int_equal(counted(PW_KEEP_KEPT), 0);
}

static void a_quarter_of_the_range_is_kept_and_the_oldest_given_up(void **state) {
    (void)state;
    for (int is_udp = 0; is_udp < 2; is_udp++) {
        begin(LONG_NS);
        assert_true(pick(!is_udp, "127.0.0.1", LOW)); /* has room of its own */
        for (unsigned i = 0; i < 40; i++)
            assert_true(pick(is_udp, "127.0.0.1", (uint16_t)(LOW + i)));
        assert_int_equal(kept_of(is_udp), QUARTER);
        for (unsigned i = 0; i < 40; i++)
            assert_int_equal(is_kept(is_udp, (uint16_t)(LOW + i)), i >= 40 - QUARTER);
        assert_int_equal(bind_error(is_udp, "127.0.0.1", LOW + 23, false), 0);
        assert_int_equal(bind_error(is_udp, "127.0.0.1", LOW + 24, false), EADDRINUSE);
        assert_int_equal(counted(PW_KEEP_GIVEN_UP), 40 - QUARTER);
        assert_int_equal(counted(PW_KEEP_KEPT), 41);
        assert_int_equal(kept_of(!is_udp), 1);
    }
}

/* One that was closed in the middle is no longer among the oldest. */
static void the_order_of_age_outlives_what_is_closed(void **state) {
    (void)state;
    begin(LONG_NS);
    for (unsigned i = 0; i < QUARTER; i++)
        assert_true(pick(false, "127.0.0.1", (uint16_t)(LOW + i)));
    assert_true(close_kept(false, "127.0.0.1", LOW));               /* the oldest */
    assert_true(close_kept(false, "127.0.0.1", LOW + 2));           /* one between */
    assert_true(close_kept(false, "127.0.0.1", LOW + QUARTER - 1)); /* the newest */
    for (unsigned i = 20; i < 24; i++)
        assert_true(pick(false, "127.0.0.1", (uint16_t)(LOW + i)));
    assert_int_equal(kept_of(false), QUARTER);
    assert_false(is_kept(false, LOW + 1));
    assert_true(is_kept(false, LOW + 3));
    assert_int_equal(counted(PW_KEEP_GIVEN_UP), 1);
}

static void as_many_are_kept_as_the_limit_of_descriptors_allows(void **state) {
    (void)state;
    struct rlimit before, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){.rlim_cur = SPARE + 6, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    begin(LONG_NS);
    for (unsigned i = 0; i < 5; i++) {
        assert_true(pick(false, "127.0.0.1", (uint16_t)(LOW + i)));
        assert_true(pick(true, "127.0.0.1", (uint16_t)(LOW + i)));
    }
    bool oldest = is_kept(false, LOW + 1), next = is_kept(false, LOW + 2);
    unsigned tcp = kept_of(false), udp = kept_of(true);
    uint64_t given_up = counted(PW_KEEP_GIVEN_UP);
    assert_true(close_kept(true, "127.0.0.1", LOW + 4));
    assert_true(close_kept(true, "127.0.0.1", LOW + 3));
    /* The limit of files may be reached before ours is: others have some open. */
    few.rlim_cur = 16;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    int held[16], count = 0;
    while (count < 16 && (held[count] = dup(0)) >= 0)
        count++;
    close(held[--count]); /* the picker's own; nothing for the keeper */
    bool kept = pick(false, "127.0.0.1", LOW + 9);
    while (count > 0)
        close(held[--count]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(tcp + udp, 6);
    assert_int_equal(given_up, 4);
    assert_false(oldest); /* of both protocols the oldest */
    assert_true(next);
    assert_true(kept);
}

static void a_port_is_kept_for_its_time(void **state) {
    (void)state;
    begin(LONG_NS);
    assert_true(kept_expire() == UINT64_MAX);
    assert_true(pick(false, "127.0.0.1", LOW));
    uint64_t next = kept_expire();
    assert_true(next <= LONG_NS && next > LONG_NS - LONG_NS / 2);
    assert_true(is_kept(false, LOW));
    begin(SHORT_NS);
    assert_true(pick(false, "127.0.0.1", LOW));
    assert_true(pick(true, "127.0.0.1", LOW));
    nanosleep(&(struct timespec){.tv_nsec = SHORT_NS}, NULL);
    assert_true(kept_expire() == UINT64_MAX);
    assert_int_equal(kept_of(false) + kept_of(true), 0);
    assert_int_equal(counted(PW_KEEP_EXPIRED), 2);
    assert_int_equal(counted(PW_KEEP_GIVEN_UP), 0);
    assert_int_equal(bind_error(false, "127.0.0.1", LOW, false), 0);
}

static void a_kept_udp_port_is_shared_while_it_is_asked_for(void **state) {
    (void)state;
    begin(LONG_NS);
    assert_true(pick(true, "127.0.0.1", LOW));
    const struct keep_question question = question_of(true, "127.0.0.1", LOW);
    const struct keep_question other = question_of(true, "127.0.0.2", LOW);
    const struct keep_question tcp = question_of(false, "127.0.0.1", LOW);
    assert_false(kept_share(&other, true));
    assert_false(kept_share(&tcp, true));
    assert_int_equal(bind_error(true, "127.0.0.1", LOW, true), EADDRINUSE);
    assert_true(kept_share(&question, true));
    assert_int_equal(bind_error(true, "127.0.0.1", LOW, true), 0);
    assert_int_equal(bind_error(true, "127.0.0.1", LOW, false), EADDRINUSE);
    assert_true(kept_share(&question, true)); /* again */
    assert_true(kept_share(&question, false));
    assert_int_equal(bind_error(true, "127.0.0.1", LOW, true), EADDRINUSE);
    /* Whoever asked may have been killed. */
    assert_true(kept_share(&question, true));
    assert_true(kept_expire() <= UINT64_C(1000000000));
    nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 10000000}, NULL);
    assert_true(kept_expire() > UINT64_C(1000000000));
    assert_int_equal(bind_error(true, "127.0.0.1", LOW, true), EADDRINUSE);
    assert_true(is_kept(true, LOW));
}

/* In a range where every port is taken, a sixteenth of what is kept goes, and one at least. */
static void room_is_made_where_the_range_is_used_up(void **state) {
    (void)state;
    int held[HIGH - LOW + 1], count = 0;
    const struct keep_question question = question_of(false, "127.0.0.1", 0);
    const struct keep_question udp = question_of(true, "127.0.0.1", 0);
    struct keep_question none = question;
    begin(LONG_NS);
    assert_false(kept_make_room(&question)); /* nothing to give up */
    for (unsigned i = 0; i < 3; i++)
        assert_true(pick(false, "127.0.0.1", (uint16_t)(LOW + i)));
    assert_true(kept_make_room(&question)); /* there is room */
    assert_int_equal(kept_of(false), 3);
    for (unsigned port = LOW + 3; port <= HIGH; port++) {
        held[count] = new_socket(false, "127.0.0.1");
        make_address("127.0.0.1", (uint16_t)port);
        assert_int_equal(bind(held[count++], &address.any, length), 0);
    }
    assert_int_equal(bind_error(false, "127.0.0.1", 0, false), EADDRINUSE);
    assert_false(kept_make_room(&udp));
    none.family = AF_UNIX;
    assert_false(kept_make_room(&none));
    assert_int_equal(kept_of(false), 3);
    assert_true(kept_make_room(&question));
    assert_int_equal(kept_of(false), 2);
    assert_false(is_kept(false, LOW)); /* the oldest */
    assert_int_equal(counted(PW_KEEP_GIVEN_UP), 1);
    assert_int_equal(bind_error(false, "127.0.0.1", 0, false), 0);
    while (count > 0)
        close(held[--count]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kept_port_is_nobodys_until_it_is_closed),
        cmocka_unit_test(who_connects_or_sends_to_a_kept_port_is_refused),
        cmocka_unit_test(only_an_address_that_meets_closes_it),
        cmocka_unit_test(a_port_is_kept_once_and_at_one_address),
        cmocka_unit_test(what_cannot_or_may_not_be_kept_is_refused),
        cmocka_unit_test(nothing_is_kept_beside_a_socket_that_does_not_share),
        cmocka_unit_test(a_quarter_of_the_range_is_kept_and_the_oldest_given_up),
        cmocka_unit_test(the_order_of_age_outlives_what_is_closed),
        cmocka_unit_test(as_many_are_kept_as_the_limit_of_descriptors_allows),
        cmocka_unit_test(a_port_is_kept_for_its_time),
        cmocka_unit_test(a_kept_udp_port_is_shared_while_it_is_asked_for),
        cmocka_unit_test(room_is_made_where_the_range_is_used_up),
    };
    problem = network_make_private(LOW, HIGH);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    close_all();
    free(memory);
    return failed;
}
