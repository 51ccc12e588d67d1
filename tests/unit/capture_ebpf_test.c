/* What the eBPF programs report of children that run in the group, compared with what the children
 * themselves know. Skips where the programs cannot be loaded, and says why. */
#include "tests/unit/capture_ebpf_fixture.h"

enum { FLOOD = 100000 };

static void listen_once(struct said *said) {
    int file = bound(SOCK_STREAM, 0, 0);
    said->port = port_of(file);
    must(listen(file, 1) == 0);
    close(file);
}

static void a_listener_is_seen_from_bind_to_end(void **state) {
    (void)state;
    struct said said = run(listen_once);
    const struct outside_event *bind = only(OUTSIDE_BIND);
    assert_int_equal(bind->error, 0);
    assert_int_equal(bind->pid, child);
    assert_int_equal(bind->family, AF_INET);
    assert_int_equal(bind->type, SOCK_STREAM);
    assert_int_equal(bind->protocol, IPPROTO_TCP);
    assert_int_equal(bind->requested_port, 0);
    assert_true((bind->flags & PW_FLAG_PORT_ZERO) != 0);
    assert_int_equal(bind->local_port, said.port);
    assert_memory_equal(bind->local, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01", 16);
    assert_memory_equal(bind->requested, bind->local, 16);
    assert_true(bind->end_ns >= bind->begin_ns && bind->begin_ns > 0);
    assert_int_equal(only(OUTSIDE_READ)->local_port, said.port);
    assert_int_equal(only(OUTSIDE_LISTEN)->local_port, said.port);
    const struct outside_event *released = only(OUTSIDE_RELEASED);
    assert_int_equal(released->pid, child);
    assert_int_equal(released->bound, 1);
    assert_int_equal(only(OUTSIDE_CLOSED)->local_port, said.port);
    for (size_t i = 1; i < count; i++)
        assert_int_equal(events[i].cookie, bind->cookie);
}

static void bind_twice(struct said *said) {
    int file = bound(SOCK_STREAM, 0, 0);
    struct sockaddr_in address = loopback(0);
    said->port = port_of(file);
    must(bind(file, (struct sockaddr *)&address, sizeof address) != 0 && errno == EINVAL);
    close(bound(SOCK_STREAM, said->port, EADDRINUSE));
}

static void refusals_have_their_errno(void **state) {
    (void)state;
    struct said said = run(bind_twice);
    assert_int_equal(nth(OUTSIDE_BIND, 0)->error, 0);
    assert_int_equal(nth(OUTSIDE_BIND, 1)->error, EINVAL);
    const struct outside_event *refused = nth(OUTSIDE_BIND, 2);
    assert_non_null(refused);
    assert_int_equal(refused->error, EADDRINUSE);
    assert_int_equal(refused->inferred, 1);
    assert_int_equal(refused->requested_port, said.port);
    assert_int_equal(refused->local_port, 0);
    assert_int_equal(refused->pid, child);
    assert_null(nth(OUTSIDE_BIND, 3));
}

/* Its sockets stay until end_keeper. */
static void leave_keeper(struct said *said) {
    said->keeper = fork();
    if (said->keeper == 0) {
        alarm(10);
        pause();
        _exit(0);
    }
}

/* Ends it, which releases so many sockets. */
static void end_keeper(const struct said *said, unsigned sockets) {
    assert_int_equal(kill(said->keeper, SIGKILL), 0);
    for (int i = 0; i < 1000 && nth(OUTSIDE_RELEASED, sockets - 1) == NULL; i++) {
        poll(NULL, 0, 10);
        capture_ebpf_take(&capture, SIZE_MAX, keep, NULL);
    }
    assert_non_null(nth(OUTSIDE_RELEASED, sockets - 1));
}

/* The socket is released by another process than asked for the port. */
static void refused_and_held(struct said *said) {
    int holder = bound(SOCK_STREAM, 0, 0);
    said->port = port_of(holder);
    bound(SOCK_STREAM, said->port, EADDRINUSE);
    leave_keeper(said);
}

static void a_refused_bind_that_waits_is_settled(void **state) {
    (void)state;
    struct said said = run(refused_and_held);
    only(OUTSIDE_BIND);
    assert_null(nth(OUTSIDE_RELEASED, 0));
    capture_ebpf_settle(&capture, 3600 * UINT64_C(1000000000), keep, NULL);
    only(OUTSIDE_BIND);
    capture_ebpf_settle(&capture, 0, keep, NULL);
    const struct outside_event *refused = nth(OUTSIDE_BIND, 1);
    assert_non_null(refused);
    assert_int_equal(refused->error, EADDRINUSE);
    assert_int_equal(refused->requested_port, said.port);
    capture_ebpf_settle(&capture, 0, keep, NULL);
    assert_null(nth(OUTSIDE_BIND, 2));
    end_keeper(&said, 2);
}

static void udp_over_ipv6(struct said *said) {
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int one = 1;
    int file = socket(AF_INET6, SOCK_DGRAM, 0);
    must(setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
    must(bind(file, (struct sockaddr *)&address, sizeof address) == 0);
    for (int i = 0; i < 4; i++)
        said->port = port_of(file);
}

static void udp_over_ipv6_is_seen_and_its_reads_once(void **state) {
    (void)state;
    struct said said = run(udp_over_ipv6);
    /* A thread of a sanitizer may be the last one, and the read is kept back of the first one. */
    capture_ebpf_settle(&capture, 0, keep, NULL);
    const struct outside_event *bind = only(OUTSIDE_BIND);
    assert_int_equal(bind->family, AF_INET6);
    assert_int_equal(bind->protocol, IPPROTO_UDP);
    assert_int_equal(bind->local_port, said.port);
    assert_memory_equal(bind->local, &in6addr_loopback, 16);
    if (capture.options) {
        assert_int_equal(bind->options_known, 1);
        assert_int_equal(bind->flags & PW_FLAG_OPTIONS, PW_FLAG_REUSEADDR);
    }
    assert_int_equal(only(OUTSIDE_READ)->local_port, said.port);
    assert_int_equal(only(OUTSIDE_RELEASED)->bound, 1);
}

static void connect_and_close_first(struct said *said) {
    int listener = bound(SOCK_STREAM, 0, 0);
    said->port = port_of(listener);
    struct sockaddr_in address = loopback(said->port);
    must(listen(listener, 1) == 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    must(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    int server = accept(listener, NULL, NULL);
    said->other_port = port_of(client);
    char byte;
    close(client);
    must(read(server, &byte, 1) == 0);
    close(server);
    close(listener);
}

static void a_connection_is_seen_until_its_time_wait(void **state) {
    (void)state;
    struct said said = run(connect_and_close_first);
    const struct outside_event *connection = only(OUTSIDE_CONNECT);
    assert_int_equal(connection->local_port, said.other_port);
    assert_int_equal(connection->peer_port, said.port);
    assert_int_equal(connection->pid, child);
    bool seen = false;
    for (unsigned i = 0; nth(OUTSIDE_CLOSED, i) != NULL; i++) {
        const struct outside_event *closed = nth(OUTSIDE_CLOSED, i);
        assert_int_equal(closed->time_wait, closed->cookie == connection->cookie);
        seen = seen || closed->time_wait;
    }
    assert_true(seen);
}

/* A socket that has its port by number keeps it until the release, another loses it. */
static void shut_down(struct said *said) {
    int first = bound(SOCK_STREAM, 0, 0);
    said->port = port_of(first);
    must(listen(first, 1) == 0 && shutdown(first, SHUT_RDWR) == 0);
    int second = bound(SOCK_STREAM, said->port, 0);
    must(listen(second, 1) == 0 && shutdown(second, SHUT_RDWR) == 0);
    close(bound(SOCK_STREAM, said->port, EADDRINUSE));
    close(second);
    close(first);
}

static void the_end_is_when_the_port_is_free(void **state) {
    (void)state;
    run(shut_down);
    const struct outside_event *closed = only(OUTSIDE_CLOSED);
    const struct outside_event *second = nth(OUTSIDE_BIND, 1);
    assert_int_equal(closed->cookie, nth(OUTSIDE_BIND, 0)->cookie);
    assert_true(closed->begin_ns < second->begin_ns);
    for (unsigned i = 0; nth(OUTSIDE_RELEASED, i) != NULL; i++)
        assert_int_equal(nth(OUTSIDE_RELEASED, i)->bound, 1);
}

static void a_read_that_was_kept_back_comes_with_its_own_time(void **state) {
    (void)state;
    struct said said = run(connect_and_close_first);
    const struct outside_event *bind = only(OUTSIDE_BIND);
    assert_int_equal(only(OUTSIDE_LISTEN)->local_port, said.port);
    assert_int_equal(only(OUTSIDE_CONNECT)->local_port, said.other_port);
    const struct outside_event *read = only(OUTSIDE_READ);
    assert_int_equal(read->cookie, bind->cookie);
    assert_int_equal(read->local_port, said.port);
    assert_true(read->begin_ns >= bind->end_ns &&
                read->begin_ns < nth(OUTSIDE_LISTEN, 0)->begin_ns);
    assert_non_null(nth(OUTSIDE_RELEASED, 2));
    assert_non_null(nth(OUTSIDE_CLOSED, 2));
}

static void read_two_and_refused(struct said *said) {
    int first = bound(SOCK_DGRAM, 0, 0);
    said->port = port_of(first);
    int second = bound(SOCK_DGRAM, 0, 0);
    said->other_port = port_of(second);
    bound(SOCK_DGRAM, said->port, EADDRINUSE);
    leave_keeper(said);
}

static void keep_and_read(struct said *said) {
    int file = bound(SOCK_DGRAM, 0, 0);
    said->port = port_of(file);
    leave_keeper(said);
}

static void reads_that_were_kept_back_come_before_the_release(void **state) {
    (void)state;
    struct said said = run(read_two_and_refused);
    assert_int_equal(nth(OUTSIDE_READ, 0)->local_port, said.port);
    assert_int_equal(nth(OUTSIDE_READ, 1)->local_port, said.other_port);
    assert_memory_equal(nth(OUTSIDE_READ, 0)->local, nth(OUTSIDE_BIND, 0)->local, 16);
    assert_null(nth(OUTSIDE_RELEASED, 0));
    capture_ebpf_settle(&capture, 0, keep, NULL);
    assert_int_equal(nth(OUTSIDE_BIND, 2)->requested_port, said.port);
    assert_int_equal(nth(OUTSIDE_BIND, 2)->error, EADDRINUSE);
    end_keeper(&said, 3);
}

static void a_read_that_was_kept_back_is_settled(void **state) {
    (void)state;
    struct said said = run(keep_and_read);
    assert_null(nth(OUTSIDE_READ, 0));
    capture_ebpf_settle(&capture, 0, keep, NULL);
    assert_int_equal(only(OUTSIDE_READ)->local_port, said.port);
    end_keeper(&said, 1);
}

static void strangers_are_not_seen(void **state) {
    (void)state;
    run_with(listen_once, false);
    assert_int_equal(count, 0);
}

static void execute(struct said *said) {
    pid_t executes = fork();
    (void)said;
    if (executes == 0)
        execl("/bin/true", "true", (char *)NULL);
    must(waitpid(executes, NULL, 0) == executes);
}

/* Where the kernel keeps a caller's registers is seen when a program is executed. */
static void the_call_is_among_the_addresses(void **state) {
    (void)state;
    if (!capture.addresses)
        skip();
    run(execute);
    run(listen_once);
    const struct outside_event *bind = only(OUTSIDE_BIND);
    uint64_t begin = (uint64_t)(uintptr_t)bound;
    bool found = false;
    for (unsigned i = 0; i < bind->addresses; i++)
        found = found || bind->address[i] - begin < 512;
    assert_true(found);
}

static void move_to(const char *group) {
    char name[512];
    snprintf(name, sizeof name, "%s/cgroup.procs", group);
    FILE *file = fopen(name, "w");
    must(file != NULL && fputs("0", file) > 0 && fclose(file) == 0);
}

static char inner[256], outer[256];

/* One that stays in the group, one that leaves it, and one that is put elsewhere by its parent. */
static void move_about(struct said *said) {
    move_to(inner);
    struct clone_args elsewhere = {.flags = CLONE_INTO_CGROUP,
                                   .exit_signal = SIGCHLD,
                                   .cgroup = (uint64_t)open(outer, O_RDONLY | O_DIRECTORY)};
    pid_t put = (pid_t)syscall(SYS_clone3, &elsewhere, sizeof elsewhere);
    must(put >= 0);
    if (put == 0)
        _exit(0);
    must(waitpid(put, NULL, 0) == put);
    elsewhere.cgroup = (uint64_t)open(capture.group.path, O_RDONLY | O_DIRECTORY);
    pid_t stays = (pid_t)syscall(SYS_clone3, &elsewhere, sizeof elsewhere);
    must(stays >= 0);
    if (stays == 0)
        _exit(0);
    must(waitpid(stays, NULL, 0) == stays);
    pid_t leaves = fork();
    if (leaves == 0) {
        move_to(outer);
        move_to(outer);
        _exit(0);
    }
    must(leaves > 0 && waitpid(leaves, NULL, 0) == leaves);
    said->keeper = leaves;
    said->other = put;
}

static void who_leaves_the_group_is_reported(void **state) {
    (void)state;
    if (!capture.addresses)
        skip();
    snprintf(inner, sizeof inner, "%s/inner", capture.group.path);
    snprintf(outer, sizeof outer, "%s-outer", capture.group.path);
    assert_int_equal(mkdir(inner, 0755) | mkdir(outer, 0755), 0);
    left_count = 0;
    struct said said = run(move_about);
    assert_int_equal(rmdir(inner) | rmdir(outer), 0);
    assert_int_equal(left_count, 2);
    assert_int_equal(left[0], said.other);
    assert_int_equal(left[1], said.keeper);
}

static void flood(struct said *said) {
    for (int i = 0; i < FLOOD; i++)
        close(bound(SOCK_DGRAM, 0, 0));
    (void)said;
}

static void what_is_not_taken_waits_and_what_finds_no_room_is_counted(void **state) {
    (void)state;
    assert_int_equal(capture_ebpf_lost(&capture), 0);
    flooded = 0;
    most = 10;
    run(flood);
    most = SIZE_MAX;
    assert_in_range(flooded, 9, 10); /* and one of the process */
    assert_true(capture_ebpf_take(&capture, SIZE_MAX, keep, NULL));
    uint64_t lost = capture_ebpf_lost(&capture);
    assert_true(lost > 0);
    assert_int_equal(flooded + lost, 2 * FLOOD);
    assert_int_equal(capture_ebpf_lost(&capture), 0);
}

static void nothing_is_left(void **state) {
    (void)state;
    char *path = strdup(capture.group.path);
    assert_int_equal(access(path, F_OK), 0);
    capture_ebpf_close(&capture);
    assert_int_not_equal(access(path, F_OK), 0);
    free(path);
    struct said said = {0};
    listen_once(&said);
    assert_false(capture_ebpf_take(&capture, SIZE_MAX, keep, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_is_seen_from_bind_to_end),
        cmocka_unit_test(refusals_have_their_errno),
        cmocka_unit_test(a_refused_bind_that_waits_is_settled),
        cmocka_unit_test(udp_over_ipv6_is_seen_and_its_reads_once),
        cmocka_unit_test(a_connection_is_seen_until_its_time_wait),
        cmocka_unit_test(the_end_is_when_the_port_is_free),
        cmocka_unit_test(a_read_that_was_kept_back_comes_with_its_own_time),
        cmocka_unit_test(reads_that_were_kept_back_come_before_the_release),
        cmocka_unit_test(a_read_that_was_kept_back_is_settled),
        cmocka_unit_test(strangers_are_not_seen),
        cmocka_unit_test(the_call_is_among_the_addresses),
        cmocka_unit_test(who_leaves_the_group_is_reported),
        cmocka_unit_test(what_is_not_taken_waits_and_what_finds_no_room_is_counted),
        cmocka_unit_test(nothing_is_left),
    };
    char why[CAPTURE_WHY_BYTES];
    if (!capture_ebpf_open(&capture, false, why)) {
        printf("1..0 # SKIP %s\n", why);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
