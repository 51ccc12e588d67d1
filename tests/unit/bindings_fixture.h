/* Small traces of sockets and processes, and what becomes of their bindings. */
#ifndef PORTWITNESS_UNIT_BINDINGS_FIXTURE_H
#define PORTWITNESS_UNIT_BINDINGS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "harness/trace/bindings.h"
#include "tests/unit/trace_writer.h"

enum { PARENT = 1, CHILD = 2, IMAGE = 3 };

static struct trace_writer writer;
static struct bindings bindings;

static inline int begin(void **state) {
    (void)state;
    writer_begin(&writer);
    bindings = (struct bindings){0};
    return 0;
}

static inline int end(void **state) {
    (void)state;
    bindings_free(&bindings);
    return unlink(writer.path);
}

static inline void analyse(void) {
    struct trace_reader_problem problem;
    struct trace_reader *reader;
    struct trace_record record;

    writer_store(&writer);
    reader = trace_reader_open(writer.path, &problem);
    assert_non_null(reader);
    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD)
        bindings_note(&bindings, &record);
    trace_reader_close(reader);
    bindings_finish(&bindings);
}

static inline void assert_ends(size_t index, enum end_known_by how, uint64_t ns) {
    assert_true(index < bindings.count);
    assert_int_equal(bindings.list[index].end_known_by, how);
    assert_int_equal(bindings.list[index].to_ns, ns);
}

/* A record about a socket, with a peer where it has one. */
static inline union pw_unit *on_socket(enum pw_kind kind, int type, uint64_t process, int fd,
                                       uint64_t cookie, uint64_t at) {
    bool peer = kind == PW_KIND_CONNECT || kind == PW_KIND_AUTOBIND || kind == PW_KIND_ACCEPT ||
                kind == PW_KIND_DESCRIPTOR || kind == PW_KIND_DESTROYED;
    union pw_unit *units = writer_add(&writer, kind, peer ? 3 : 2, process, fd, cookie, at, at + 5);

    units[1].socket.family = AF_INET;
    units[1].socket.type = (uint8_t)type;
    units[1].socket.netns = 4026;
    if (peer)
        units[2].peer.other_descriptor = -1;
    return units;
}

static inline union pw_unit *bind_socket(int type, uint64_t process, int fd, uint64_t cookie,
                                         uint64_t at, uint16_t requested, uint16_t assigned) {
    union pw_unit *units = on_socket(PW_KIND_BIND, type, process, fd, cookie, at);

    units[0].start.flags = PW_FLAG_HAS_REQUESTED | PW_FLAG_HAS_ASSIGNED |
                           (requested == 0 ? PW_FLAG_PORT_ZERO : PW_FLAG_BY_NUMBER);
    units[1].socket.requested_port = requested;
    units[1].socket.assigned_port = assigned;
    return units;
}

static inline void close_socket(uint64_t process, int fd, uint64_t cookie, uint64_t at) {
    writer_add(&writer, PW_KIND_CLOSE, 1, process, fd, cookie, at, at + 5);
}

static inline union pw_unit *process_record(enum pw_kind kind, uint64_t process, uint64_t serial,
                                            uint64_t parent, uint32_t pid, uint64_t at) {
    union pw_unit *units = writer_add(&writer, kind, 2, process, -1, 0, at, at + 5);

    units[1].process.serial = serial;
    units[1].process.parent = parent;
    units[1].process.pid = pid;
    units[1].process.start_time = 1000 + pid;
    return units;
}

/* A listener of the parent on port 40000, as descriptor 3 and with cookie 30, made from 100 to 125.
 */
static inline void make_listener(uint16_t requested) {
    process_record(PW_KIND_PROCESS_START, PARENT, PARENT, 0, 500, 10);
    on_socket(PW_KIND_SOCKET, SOCK_STREAM, PARENT, 3, 30, 100);
    bind_socket(SOCK_STREAM, PARENT, 3, 30, 110, requested, 40000);
    on_socket(PW_KIND_LISTEN, SOCK_STREAM, PARENT, 3, 30, 120);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

#endif
