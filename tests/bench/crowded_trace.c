/* Writes a trace in which one thing happens so often that whoever compares each with all others
 * would not come to an end. One port or one process has it all.
 *
 *   crowded_trace FILE SITUATION COUNT */
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/trace_writer.h"

enum { PORT = 20000, SHELL = 1, HOLDER = 2, FIRST = 3 };

/* Processes bear the next serials, so that parents are below their children. */
static uint64_t processes;
static uint64_t cookies;

static uint64_t start_program(uint64_t parent, const char *comm, uint64_t number) {
    union pw_unit unit[3];
    uint64_t serial = ++processes;
    begin(unit, PW_KIND_PROCESS_START, 3, serial, -1, 0);
    unit[0].start.flags = PW_FLAG_BY_EXEC;
    unit[1].process.pid = (uint32_t)(1000 + serial);
    unit[1].process.parent_pid = (uint32_t)(1000 + parent);
    unit[1].process.serial = serial;
    unit[1].process.parent = parent;
    unit[1].process.start_time = 100 + serial;
    strcpy(unit[1].process.comm, comm);
    snprintf(unit[2].text.bytes, PW_TEXT_BYTES, "%s --id=%c%c%c%c", comm, (int)('a' + number % 26),
             (int)('a' + number / 26 % 26), (int)('a' + number / 676 % 26),
             (int)('a' + number / 17576 % 26));
    store(unit, 3);
    return serial;
}

static void end_process(uint64_t process, int status) {
    union pw_unit unit[2];
    begin(unit, PW_KIND_PROCESS_EXIT, 2, process, -1, 0);
    unit[0].start.flags = PW_FLAG_STATUS_KNOWN | PW_FLAG_STATUS(status);
    unit[1].process.pid = (uint32_t)(1000 + process);
    unit[1].process.serial = process;
    unit[1].process.start_time = 100 + process;
    store(unit, 2);
}

/* What differs from one call of a socket to the next. */
struct step {
    enum pw_kind kind;
    uint64_t process;
    uint64_t cookie;
    uint64_t flags;
    uint64_t netns; /* 0: the usual one */
    unsigned port;  /* 0: the one that all want */
    unsigned peer;
    int error;
    int type; /* 0: SOCK_STREAM */
    uint8_t last_of_address;
    uint64_t listener; /* of an accept: its cookie */
};

/* The number of its record. */
static uint64_t take_step(struct step step) {
    union pw_unit unit[3];
    unsigned count = step.peer != 0 || step.listener != 0 ? 3 : 2;
    uint64_t number = units;
    unsigned port = step.port != 0 ? step.port : PORT;
    begin(unit, step.kind, count, step.process, 3, step.cookie);
    unit[0].start.flags = step.flags;
    unit[0].start.error = (uint16_t)step.error;
    unit[0].start.thread = (uint32_t)step.process;
    unit[0].start.site = 0x1000;
    unit[1].socket.family = AF_INET;
    unit[1].socket.type = (uint8_t)(step.type != 0 ? step.type : SOCK_STREAM);
    unit[1].socket.netns = step.netns != 0 ? step.netns : 1;
    unit[1].socket.uid = 1000;
    memcpy(unit[1].socket.assigned, "\0\0\0\0\0\0\0\0\0\0\377\377\177\0\0\1", 16);
    if (step.last_of_address != 0)
        unit[1].socket.assigned[15] = step.last_of_address;
    memcpy(unit[1].socket.requested, unit[1].socket.assigned, 16);
    if (step.error == 0 || step.kind == PW_KIND_TABLE_ANSWER)
        unit[1].socket.assigned_port = (uint16_t)port;
    if ((step.flags & PW_FLAG_BY_NUMBER) != 0)
        unit[1].socket.requested_port = (uint16_t)port;
    if (count == 3) {
        memcpy(unit[2].peer.address, unit[1].socket.assigned, 16);
        unit[2].peer.address[15] = 1;
        unit[2].peer.port = (uint16_t)step.peer;
        unit[2].peer.other_cookie = step.listener;
    }
    store(unit, count);
    return number;
}

static const uint64_t by_number = PW_FLAG_BY_NUMBER | PW_FLAG_HAS_REQUESTED;
static const uint64_t by_zero =
    PW_FLAG_PORT_ZERO | PW_FLAG_HAS_REQUESTED | PW_FLAG_HAS_ASSIGNED | PW_FLAG_ADDRESS_READ;

static void listen_on(uint64_t process, uint64_t cookie, uint64_t flags) {
    take_step((struct step){.kind = PW_KIND_BIND,
                            .process = process,
                            .cookie = cookie,
                            .flags = by_number | PW_FLAG_HAS_ASSIGNED | flags});
    take_step((struct step){.kind = PW_KIND_LISTEN,
                            .process = process,
                            .cookie = cookie,
                            .flags = PW_FLAG_HAS_ASSIGNED | PW_FLAG_LISTENING | flags});
}

static uint64_t refuse(uint64_t process, uint64_t flags) {
    return take_step((struct step){.kind = PW_KIND_BIND,
                                   .process = process,
                                   .cookie = ++cookies,
                                   .error = EADDRINUSE,
                                   .flags = by_number | flags});
}

static void answer(uint64_t process, uint64_t call, uint64_t holder) {
    union pw_unit unit[3];
    begin(unit, PW_KIND_TABLE_ANSWER, 3, process, 3, 0);
    unit[0].start.flags = PW_FLAG_HAS_ASSIGNED;
    unit[1].socket.family = AF_INET;
    unit[1].socket.type = SOCK_STREAM;
    unit[1].socket.netns = 1;
    unit[1].socket.assigned_port = PORT;
    memcpy(unit[1].socket.assigned, "\0\0\0\0\0\0\0\0\0\0\377\377\177\0\0\1", 16);
    unit[2].peer.code = 10; /* listens */
    unit[2].peer.other_cookie = holder;
    unit[2].peer.record = call;
    store(unit, 3);
}

static void text_record(enum pw_kind kind, uint64_t process, uint64_t call, uint64_t flags,
                        const char *text) {
    union pw_unit unit[2];
    begin(unit, kind, 2, process, -1, call);
    unit[0].start.flags = flags;
    snprintf(unit[1].text.bytes, PW_TEXT_BYTES, "%s", text);
    store(unit, 2);
}

/* A program each that is refused the one port, told by its environment, in a test. */
static void write_refused(uint64_t count) {
    start_program(SHELL, "server", 0);
    listen_on(HOLDER, ++cookies, PW_FLAG_IN_ENVIRONMENT);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t process = start_program(SHELL, "client", i);
        uint64_t call = refuse(process, PW_FLAG_IN_ENVIRONMENT);
        answer(process, call, 1);
        text_record(PW_KIND_MARKER, process, call, PW_FLAG_MARKER_ENVIRONMENT, "test_one");
        text_record(PW_KIND_NUMBER_SOURCE, process, call, 0, "PORT");
        end_process(process, 1);
    }
}

/* The port is somebody's outside; tests are marked. */
static void write_marked(uint64_t count) {
    start_program(SHELL, "server", 0);
    for (uint64_t i = 0; i < count; i++) {
        text_record(PW_KIND_MARKER, start_program(SHELL, "mark", 0), 0, 0, "test_one");
        uint64_t process = start_program(SHELL, "client", i);
        answer(process, refuse(process, 0), UINT64_C(1) << 40);
    }
}

/* Programs of their own serve one after the other, then as many are refused. */
static void write_restarts(uint64_t count) {
    start_program(SHELL, "server", 0);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t process = start_program(SHELL, "client", i);
        uint64_t cookie = ++cookies;
        listen_on(process, cookie, 0);
        close_record(process, 3, cookie);
        end_process(process, 0);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t process = start_program(SHELL, "client", i);
        answer(process, refuse(process, 0), UINT64_C(1) << 40);
    }
}

/* One program binds, closes and binds again. */
static void write_rebinds(uint64_t count) {
    start_program(SHELL, "server", 0);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t cookie = ++cookies;
        listen_on(HOLDER, cookie, 0);
        close_record(HOLDER, 3, cookie);
    }
}

/* Programs that share the port, with nobody above but the shell, or a server that has it, too. */
static void write_sharers(uint64_t count) {
    start_program(SHELL, "server", 0);
    for (uint64_t i = 0; i < count; i++)
        listen_on(start_program(SHELL, "client", i), ++cookies, PW_FLAG_REUSEPORT);
}

static void write_workers(uint64_t count) {
    start_program(SHELL, "server", 0);
    for (uint64_t i = 0; i < count; i++)
        listen_on(start_program(HOLDER, "client", i), ++cookies, PW_FLAG_REUSEPORT);
    listen_on(HOLDER, ++cookies, PW_FLAG_REUSEPORT);
}

/* A new server shares the port with the old one, which then ends; clients are the old one's. */
static void write_handovers(uint64_t count) {
    uint64_t old = start_program(SHELL, "server", 0);
    uint64_t cookie = ++cookies;
    listen_on(old, cookie, PW_FLAG_REUSEPORT);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t process = start_program(SHELL, "server", i);
        listen_on(process, ++cookies, PW_FLAG_REUSEPORT);
        close_record(old, 3, cookie);
        cookie = cookies;
        old = process;
        take_step(
            (struct step){.kind = PW_KIND_CONNECT,
                          .process = process,
                          .cookie = UINT64_C(1) << 40 | i,
                          .flags = PW_FLAG_PORT_ZERO | PW_FLAG_HAS_ASSIGNED | PW_FLAG_HAS_PEER,
                          .port = (unsigned)(30000 + i % 20000),
                          .peer = PORT});
    }
}

/* One thread meets itself, and then others. */
static void write_selves(uint64_t count) {
    start_program(SHELL, "client", 0);
    for (uint64_t i = 0; i < 2 * count; i++)
        take_step(
            (struct step){.kind = PW_KIND_CONNECT,
                          .process = HOLDER,
                          .cookie = ++cookies,
                          .flags = PW_FLAG_PORT_ZERO | PW_FLAG_HAS_ASSIGNED | PW_FLAG_HAS_PEER,
                          .port = i < count ? PORT : 30000,
                          .peer = i < count ? PORT : 30001});
}

/* Refused 127.0.0.1, each takes 127.0.0.2 and connects to who has the first. */
static void write_families(uint64_t count) {
    start_program(SHELL, "server", 0);
    listen_on(HOLDER, ++cookies, 0);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t process = start_program(SHELL, "client", i);
        uint64_t cookie = ++cookies;
        refuse(process, 0);
        take_step((struct step){.kind = PW_KIND_BIND,
                                .process = process,
                                .cookie = cookie,
                                .last_of_address = 2,
                                .flags = by_number | PW_FLAG_HAS_ASSIGNED});
        close_record(process, 3, cookie);
        take_step(
            (struct step){.kind = PW_KIND_CONNECT,
                          .process = process,
                          .cookie = ++cookies,
                          .flags = PW_FLAG_PORT_ZERO | PW_FLAG_HAS_ASSIGNED | PW_FLAG_HAS_PEER,
                          .port = 30000,
                          .peer = i % 2 != 0 ? PORT : 30001});
    }
}

/* Programs that get no port. */
static void write_wants(uint64_t count) {
    start_program(SHELL, "server", 0);
    union pw_unit unit[2];
    begin(unit, PW_KIND_NAMESPACE, 2, HOLDER, -1, 0);
    unit[1].numbers.number[0] = 1;
    unit[1].numbers.number[2] = 32768;
    unit[1].numbers.number[3] = 60999;
    store(unit, 2);
    for (uint64_t i = 0; i < count; i++)
        take_step((struct step){.kind = PW_KIND_BIND,
                                .process = start_program(SHELL, "client", i),
                                .cookie = ++cookies,
                                .error = EADDRINUSE,
                                .flags = PW_FLAG_PORT_ZERO | PW_FLAG_HAS_REQUESTED});
}

/* The number is picked in one network namespace and bound in another. */
static void write_elsewhere(uint64_t count) {
    start_program(SHELL, "server", 0);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t cookie = ++cookies;
        take_step((struct step){
            .kind = PW_KIND_BIND, .process = HOLDER, .cookie = cookie, .flags = by_zero});
        close_record(HOLDER, 3, cookie);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t process = start_program(start_program(0, "sh", 0), "client", i);
        uint64_t cookie = ++cookies;
        take_step((struct step){.kind = PW_KIND_BIND,
                                .process = process,
                                .cookie = cookie,
                                .netns = 2,
                                .flags = by_number | PW_FLAG_HAS_ASSIGNED});
        close_record(process, 3, cookie);
    }
}

static const struct {
    const char *name;
    void (*write)(uint64_t count);
} situations[] = {
    {"refused", write_refused},     {"marked", write_marked},      {"restarts", write_restarts},
    {"rebinds", write_rebinds},     {"sharers", write_sharers},    {"workers", write_workers},
    {"handovers", write_handovers}, {"selves", write_selves},      {"families", write_families},
    {"wants", write_wants},         {"elsewhere", write_elsewhere}};

int main(int argc, char **argv) {
    uint64_t count = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
    for (size_t i = 0; count != 0 && i < sizeof situations / sizeof *situations; i++) {
        if (strcmp(argv[2], situations[i].name) != 0)
            continue;
        open_trace(argv[1]);
        start_program(0, "sh", 0);
        situations[i].write(count);
        return close_trace(processes);
    }
    fprintf(stderr, "crowded_trace FILE SITUATION COUNT\n");
    return 2;
}
