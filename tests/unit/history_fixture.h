/* What a check makes of a small trace before it looks for findings: processes, bindings by port,
 * and the proofs among them. */
#ifndef PORTWITNESS_UNIT_HISTORY_FIXTURE_H
#define PORTWITNESS_UNIT_HISTORY_FIXTURE_H

#include <errno.h>

#include "harness/base/memory.h"
#include "harness/check/proofs.h"
#include "tests/unit/bindings_fixture.h"

/* More than one trace is the same file again: other processes with the same serials. */
enum { TRACES = 2, PORT = 40000 };

static struct check check;
static struct machine machine;
static struct selection *selection;
static struct history *history;
static struct trace_reader *readers[TRACES];
static const uint32_t members[TRACES] = {0, 1};

static inline int begin_history(void **state) {
    size_t room = 0;

    check = (struct check){.trace_count = 1};
    check.traces = memory_grow(NULL, &room, TRACES, sizeof *check.traces);
    memset(check.traces, 0, TRACES * sizeof *check.traces);
    machine = (struct machine){.check = &check, .members = members, .readers = readers};
    selection = selection_make();
    history = history_make(&machine);
    return begin(state);
}

static inline int end_history(void **state) {
    for (size_t i = 0; i < machine.count; i++)
        trace_reader_close(readers[i]);
    history_free(history);
    selection_free(selection);
    machine_free(&machine);
    check_free(&check);
    return end(state);
}

static inline void take_ports(void *with, const struct trace_record *record) {
    (void)with;
    selection_note_ports(selection, &machine, record);
}

static inline void take_sockets(void *with, const struct trace_record *record) {
    (void)with;
    selection_note_sockets(selection, record);
}

static inline void take_lives(void *with, const struct trace_record *record) {
    (void)with;
    history_note(history, selection, record);
}

/* As check_run does, up to the findings. */
static inline void read_history(void) {
    struct trace_reader_problem problem;

    writer_store(&writer);
    machine.count = check.trace_count;
    for (size_t i = 0; i < machine.count; i++) {
        readers[i] = trace_reader_open(writer.path, &problem);
        assert_non_null(readers[i]);
    }
    machine_read(&machine, 1, take_ports, NULL);
    machine_read(&machine, 2, take_sockets, NULL);
    machine_read(&machine, 3, take_lives, NULL);
    history_finish(history);
    proofs_find(history);
}

/* The latest request of the socket with that cookie. */
static inline uint32_t of_socket(uint64_t cookie) {
    for (size_t i = history->bindings.count; i-- > 0;)
        if (history->requests[i].cookie == cookie)
            return (uint32_t)i;
    fail_msg("no request of a socket with cookie %u", (unsigned)cookie);
    return MAP_NONE;
}

/* A program that `parent` started, by posix_spawn or so: its fork was not seen. */
static inline union pw_unit *starts(uint64_t parent, uint64_t serial, uint64_t at) {
    return process_record(PW_KIND_PROCESS_START, serial, serial, parent, 500 + (uint32_t)serial,
                          at);
}

static inline void forks(uint64_t parent, uint64_t child, uint64_t at) {
    process_record(PW_KIND_FORK, parent, child, parent, 500 + (uint32_t)child, at);
}

/* The process that began as `process` executes a program, and had `before` executed last. */
static inline void executes(uint64_t process, uint64_t before, uint64_t image, uint64_t at) {
    process_record(PW_KIND_PROCESS_START, image, image, before, 500 + (uint32_t)process, at)
        ->start.flags = PW_FLAG_BY_EXEC;
}

/* The kernel gives PORT for port 0, and the program reads it with the same call. Every socket has
 * the descriptor that its cookie says. */
static inline union pw_unit *is_assigned(uint64_t process, uint64_t cookie, uint64_t at) {
    union pw_unit *units = bind_socket(SOCK_STREAM, process, (int)cookie, cookie, at, 0, PORT);

    units[0].start.flags |= PW_FLAG_ADDRESS_READ;
    return units;
}

static inline void releases(uint64_t process, uint64_t cookie, uint64_t at) {
    close_socket(process, (int)cookie, cookie, at);
}

static inline union pw_unit *binds(uint64_t process, uint64_t cookie, uint64_t at) {
    return bind_socket(SOCK_STREAM, process, (int)cookie, cookie, at, PORT, PORT);
}

static inline union pw_unit *is_refused(uint64_t process, uint64_t cookie, uint64_t at) {
    union pw_unit *units = bind_socket(SOCK_STREAM, process, (int)cookie, cookie, at, PORT, 0);

    units[0].start.flags = PW_FLAG_HAS_REQUESTED | PW_FLAG_BY_NUMBER;
    units[0].start.error = EADDRINUSE;
    return units;
}

#define HISTORY_TEST(function) cmocka_unit_test_setup_teardown(function, begin_history, end_history)

#endif
