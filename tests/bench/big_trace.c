/* Writes a trace of as many records as wanted, for measuring what reads traces: 64 processes that
 * bind port 0, listen, accept and close, and among a thousand such lives one bind-close-rebind.
 *
 *   big_trace FILE RECORDS */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/shared/trace_format.h"

enum { PROCESSES = 64, LIVE = 8, CLAIM_EVERY = 1000, RANGE_LOW = 32768, RANGE_HIGH = 60999 };

static FILE *file;
static uint64_t units;
static uint64_t records;
static uint64_t now = UINT64_C(1000000000);
static uint64_t cookies;
static uint64_t random_state = 1;

static uint64_t draw(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void begin(union pw_unit *unit, enum pw_kind kind, unsigned count, uint64_t process,
                  int descriptor, uint64_t cookie) {
    memset(unit, 0, count * sizeof *unit);
    unit[0].start.head = PW_HEAD(PW_TAG_START, count, kind, PW_STATE_COMMITTED);
    for (unsigned i = 1; i < count; i++)
        unit[i].text.head = PW_HEAD(PW_TAG_CONTINUATION, i, kind, 0);
    unit[0].start.process = process;
    unit[0].start.descriptor = descriptor;
    unit[0].start.begin_ns = now;
    unit[0].start.end_ns = now + 900;
    unit[0].start.cookie = cookie;
    unit[0].start.source = PW_SOURCE_SHIM;
    now += 1000;
}

static void store(const union pw_unit *unit, unsigned count) {
    if (fwrite(unit, sizeof *unit, count, file) != count) {
        perror("big_trace");
        exit(1);
    }
    units += count;
    records++;
}

static void start_process(uint64_t serial) {
    union pw_unit unit[3];
    begin(unit, PW_KIND_PROCESS_START, 3, serial, -1, 0);
    unit[0].start.flags = PW_FLAG_BY_EXEC;
    unit[1].process.pid = (uint32_t)(1000 + serial);
    unit[1].process.parent_pid = 1;
    unit[1].process.serial = serial;
    unit[1].process.parent = serial > 1 ? 1 : 0;
    unit[1].process.start_time = 100 + serial;
    strcpy(unit[1].process.comm, "server");
    strcpy(unit[2].text.bytes, "server");
    store(unit, 3);
}

static void socket_record(enum pw_kind kind, uint64_t process, int descriptor, uint64_t cookie,
                          unsigned port, uint64_t flags) {
    union pw_unit unit[2];
    begin(unit, kind, 2, process, descriptor, cookie);
    unit[0].start.flags = flags | PW_FLAG_HAS_ASSIGNED;
    unit[1].socket.family = AF_INET;
    unit[1].socket.type = SOCK_STREAM;
    unit[1].socket.netns = 1;
    unit[1].socket.assigned[10] = unit[1].socket.assigned[11] = 0xff;
    unit[1].socket.assigned[12] = 127;
    unit[1].socket.assigned[15] = 1;
    memcpy(unit[1].socket.requested, unit[1].socket.assigned, 16);
    unit[1].socket.assigned_port = (uint16_t)port;
    if ((flags & PW_FLAG_BY_NUMBER) != 0)
        unit[1].socket.requested_port = (uint16_t)port;
    store(unit, 2);
}

static void close_record(uint64_t process, int descriptor, uint64_t cookie) {
    union pw_unit unit[1];
    begin(unit, PW_KIND_CLOSE, 1, process, descriptor, cookie);
    store(unit, 1);
}

struct life {
    uint64_t cookie;
    unsigned port;
    int descriptor;
};

static void live(uint64_t process, struct life *life) {
    bool claim = draw() % CLAIM_EVERY == 0;
    if (life->cookie != 0)
        close_record(process, life->descriptor, life->cookie);
    life->cookie = ++cookies;
    life->port = (unsigned)(RANGE_LOW + draw() % (RANGE_HIGH - RANGE_LOW + 1));
    socket_record(PW_KIND_BIND, process, life->descriptor, life->cookie, life->port,
                  PW_FLAG_PORT_ZERO | PW_FLAG_HAS_REQUESTED | PW_FLAG_ADDRESS_READ);
    if (claim) {
        close_record(process, life->descriptor, life->cookie);
        life->cookie = ++cookies;
        socket_record(PW_KIND_BIND, process, life->descriptor, life->cookie, life->port,
                      PW_FLAG_BY_NUMBER | PW_FLAG_HAS_REQUESTED);
    }
    socket_record(PW_KIND_LISTEN, process, life->descriptor, life->cookie, life->port,
                  PW_FLAG_LISTENING);
}

int main(int argc, char **argv) {
    static struct life lives[PROCESSES][LIVE];
    struct pw_header header = {.magic = PW_MAGIC,
                               .version = PW_VERSION,
                               .byte_order = PW_BYTE_ORDER,
                               .unit_size = PW_UNIT_SIZE,
                               .units_offset = PW_UNITS_OFFSET,
                               .policy_offset = PW_HEADER_SIZE,
                               .policy_size = PW_POLICY_SIZE,
                               .monotonic_ns = 1000000000};
    uint64_t wanted = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    if (wanted == 0 || (file = fopen(argv[1], "wb")) == NULL) {
        fprintf(stderr, "big_trace FILE RECORDS\n");
        return 2;
    }
    fseek(file, PW_UNITS_OFFSET, SEEK_SET);
    for (uint64_t serial = 1; serial <= PROCESSES; serial++)
        start_process(serial);
    while (records < wanted) {
        uint64_t process = draw() % PROCESSES;
        unsigned place = (unsigned)(draw() % LIVE);
        lives[process][place].descriptor = (int)(3 + place);
        live(process + 1, &lives[process][place]);
    }
    header.capacity = PW_UNITS_OFFSET + units * PW_UNIT_SIZE;
    header.next_unit = units;
    header.next_process = PROCESSES;
    rewind(file);
    fwrite(&header, sizeof header, 1, file);
    return fclose(file) == 0 ? 0 : 1;
}
