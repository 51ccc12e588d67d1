/* A record that says what the shim's would, as far as the kernel knows it. */
#include "harness/run/captured_record.h"

#include <netinet/in.h>
#include <string.h>

#include "shim/shared/recorder.h"

enum { ADDRESSES_PER_UNIT = 7 };

/* Numbers of calls, as in a record (pw_start.call). */
enum {
#define CALL(number, result, name, parameters, arguments) NUMBER_##name = (number),
#define CALL_PLAIN(number, result, name) NUMBER_##name = (number),
#define CALL_VOID(number, name, parameters, arguments) NUMBER_##name = (number),
#define CALL_OWN(number, result, name, parameters) NUMBER_##name = (number),
#include "shim/shared/calls.def"
#undef CALL
#undef CALL_PLAIN
#undef CALL_VOID
#undef CALL_OWN
};

static unsigned call_of(const struct outside_event *event) {
    switch (event->kind) {
    case OUTSIDE_BIND:
        return NUMBER_bind;
    case OUTSIDE_LISTEN:
        return NUMBER_listen;
    case OUTSIDE_CONNECT:
        return NUMBER_connect;
    default:
        return NUMBER_getsockname;
    }
}

static bool is_port_zero(const struct outside_event *event, bool is_unbound) {
    if (event->kind == OUTSIDE_BIND)
        return event->requested_port == 0;
    /* A connect that was refused has given its port back. */
    bool gave_back = event->kind == OUTSIDE_CONNECT && event->source == PW_SOURCE_SUPERVISOR &&
                     event->error != 0;
    return is_unbound && (event->local_port != 0 || gave_back);
}

static uint64_t flags_of(const struct outside_event *event, bool is_unbound) {
    uint64_t flags = event->flags & ~PW_FLAG_PORT_ZERO; /* of the bind before */
    flags |= event->kind == OUTSIDE_BIND ? PW_FLAG_HAS_REQUESTED : 0;
    flags |= is_port_zero(event, is_unbound) ? PW_FLAG_PORT_ZERO : 0;
    /* That of a bind which was refused is the port of one before. */
    bool is_given = event->local_port != 0 && (event->kind != OUTSIDE_BIND || event->error == 0);
    flags |= is_given ? PW_FLAG_HAS_ASSIGNED : 0;
    flags |= event->peer_port != 0 ? PW_FLAG_HAS_PEER : 0;
    flags |= event->inferred ? PW_FLAG_ERROR_INFERRED : 0;
    flags |= event->kind == OUTSIDE_LISTEN && event->error == 0 ? PW_FLAG_LISTENING : 0;
    return flags;
}

static void fill_start(struct record *record, const struct outside_event *event) {
    struct pw_start *start = &record->units[0].start;
    start->source = event->source;
    start->thread = event->thread;
    start->cookie = event->cookie;
    start->call = (uint8_t)(event->call != 0 ? event->call : call_of(event));
    start->error = event->error;
    start->site = event->addresses > 0 ? event->address[0] : 0;
}

static void fill_socket(struct record *record, const struct outside_event *event) {
    struct pw_socket *socket = &record->units[1].socket;
    socket->family = event->family;
    socket->type = event->type;
    socket->protocol = event->protocol;
    socket->netns = event->netns;
    memcpy(socket->requested, event->requested, sizeof socket->requested);
    memcpy(socket->assigned, event->local, sizeof socket->assigned);
    socket->requested_port = event->requested_port;
    socket->assigned_port = event->local_port;
    socket->scope = event->scope;
    socket->uid = event->uid;
    socket->device = event->device;
}

static void fill_peer(struct record *record, const struct outside_event *event) {
    struct pw_peer *peer = &record->units[2].peer;
    peer->port = event->peer_port;
    memcpy(peer->address, event->peer, sizeof peer->address);
    peer->other_descriptor = -1;
}

/* Which of them is the user's the debug information tells, when somebody reads the trace. */
static void write_stack(const struct outside_event *event, uint64_t process, uint64_t number) {
    struct record record;
    unsigned units = (event->addresses + ADDRESSES_PER_UNIT - 1u) / ADDRESSES_PER_UNIT;
    if (event->addresses < 2 ||
        !record_begin(&record, PW_KIND_STACK, 1 + units, process, -1, event->begin_ns))
        return;
    record.units[0].start.thread = event->thread;
    record.units[0].start.source = event->source;
    record.units[0].start.cookie = number;
    for (unsigned i = 0; i < event->addresses; i++) {
        struct pw_numbers *numbers = &record.units[1 + i / ADDRESSES_PER_UNIT].numbers;
        numbers->number[i % ADDRESSES_PER_UNIT] = event->address[i];
        numbers->code = i % ADDRESSES_PER_UNIT + 1;
    }
    record_commit(&record, event->end_ns);
}

/* Their texts are written here, so no record may be begun. */
static void find_frames(const struct outside_event *event, uint64_t process,
                        struct captured_lines lines, struct frame_choice *choice) {
    choice->count = 0;
    if (lines.program == NULL || event->addresses == 0 || recorder_facts()->no_frames)
        return;
    const struct outside_call call = {.program = process,
                                      .file = lines.program->file,
                                      .bias = lines.program->bias,
                                      .address = event->address,
                                      .count = event->addresses,
                                      .is_system_call = true};
    outside_frames_find(lines.frames, &call, recorder_facts()->stacks, choice);
}

static uint64_t write_call(const struct outside_event *event, enum pw_kind kind, uint64_t process,
                           bool is_unbound, struct captured_lines lines) {
    struct record record;
    struct frame_choice choice;
    unsigned units = kind == PW_KIND_CONNECT || kind == PW_KIND_AUTOBIND ? 3 : 2;
    find_frames(event, process, lines, &choice);
    if (!record_begin(&record, kind, units + frame_choice_units(choice.count), process,
                      event->descriptor, event->begin_ns))
        return 0;
    fill_start(&record, event);
    record.units[0].start.flags = flags_of(event, is_unbound);
    fill_socket(&record, event);
    if (units == 3)
        fill_peer(&record, event);
    if (choice.count > 0)
        frame_choice_write(&record, units, &choice, 0);
    record_commit(&record, event->end_ns);
    if (choice.count == 0)
        write_stack(event, process, record.number);
    return record.number;
}

/* It needs no second unit. */
static void write_read(const struct outside_event *event, uint64_t process) {
    struct record record;
    if (!record_begin(&record, PW_KIND_ADDRESS_READ, 1, process, event->descriptor,
                      event->begin_ns))
        return;
    fill_start(&record, event);
    record.units[0].start.flags = PW_FLAG_PORT(event->local_port);
    record_commit(&record, event->end_ns);
}

uint64_t captured_record_write(const struct outside_event *event, uint64_t process, bool is_unbound,
                               struct captured_lines lines) {
    switch (event->kind) {
    case OUTSIDE_BIND:
        return write_call(event, PW_KIND_BIND, process, is_unbound, lines);
    case OUTSIDE_LISTEN:
        return write_call(event, PW_KIND_LISTEN, process, is_unbound, lines);
    case OUTSIDE_CONNECT:
        return write_call(event, PW_KIND_CONNECT, process, is_unbound, lines);
    case OUTSIDE_READ:
        if (is_unbound && event->protocol != IPPROTO_UDP)
            return 0; /* a connection that was accepted, whose port is the listener's */
        /* A send has bound it meanwhile, which nothing reports. */
        if (is_unbound && event->local_port != 0)
            (void)write_call(event, PW_KIND_AUTOBIND, process, is_unbound, lines);
        write_read(event, process);
        return 0;
    default:
        return 0;
    }
}
