/*
 * The shim's record of a call says more than the kernel's event, so it wins. It is begun before the
 * call and committed after it; the event lies between. Once the trace has been read to its end
 * after the event came, and no record that was begun before it is open, the shim has not seen it.
 */
#include "harness/run/captured.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/run/captured_record.h"
#include "harness/system/process_facts.h"
#include "shim/shared/namespace_facts.h"
#include "shim/shared/recorder.h"

/* What the shim, or an event, has recorded of a socket: bits of destroyed.sockets. */
enum { SHIM_BOUND = 1, SHIM_LISTENED = 2, SHIM_CONNECTED = 4, SHIM_READ = 8, EVENT_BOUND = 16 };

enum { QUEUE_MAX = 1 << 16, QUEUE_SPARE = 16 };

/* A parent records its fork when that has returned, by when the child may have made calls. */
#define FORK_WITHIN_NS (UINT64_C(200) * 1000 * 1000)

/* A record that its process died in stays open for ever. On a busy machine a process may stand
 * still for seconds between the kernel's event and the end of its record; who is not known yet is
 * waited for less, as it may be another's record that is open. */
#define OPEN_MOST_NS (UINT64_C(3) * 1000 * 1000 * 1000)
#define OPEN_OF_ANYBODY_NS (UINT64_C(1) * 1000 * 1000 * 1000)

#define MADE_UP_COOKIE (UINT64_C(1) << 63)

struct captured_waiting {
    struct outside_event event;
    uint64_t came_ns;
    unsigned image;    /* captured_processes_image when it came */
    uint32_t stranger; /* number of who made the call; 0: one of the command's */
};

void captured_start(struct captured *captured, struct destroyed *destroyed, bool is_host) {
    *captured = (struct captured){.destroyed = destroyed, .is_host = is_host, .own = getpid()};
    captured->processes.foreign.own_namespace = process_own_namespace();
    captured->processes.is_host = is_host;
    captured->strangers.own_namespace = captured->processes.foreign.own_namespace;
    captured->refused.netns = destroyed->notices.netns;
}

static bool is_call(const struct outside_event *event) {
    return event->kind == OUTSIDE_BIND || event->kind == OUTSIDE_LISTEN ||
           event->kind == OUTSIDE_CONNECT || event->kind == OUTSIDE_READ;
}

/* One of the command's may have left its control group, and a listen does not always say whose it
 * is. */
static uint32_t stranger_of(struct captured *captured, const struct outside_event *event) {
    if (!captured->is_host || event->ours || !is_call(event) || event->pid == 0)
        return 0;
    uint32_t number = strangers_meet(&captured->strangers, event);
    uint64_t start_time = strangers_start_time(&captured->strangers, number);
    return captured_processes_has(&captured->processes, event->pid, start_time) ? 0 : number;
}

static void settle_first(struct captured *captured);

/* What we do in a program's place the supervisor reports as the program's. */
static bool is_our_own_call(const struct outside_event *event) {
    return event->source == PW_SOURCE_KERNEL && event->kind != OUTSIDE_RELEASED &&
           event->kind != OUTSIDE_CLOSED && event->pid == (uint32_t)getpid();
}

/* The kernel's events are taken before the supervisor's, which may have come before them. */
static void put_in_order(struct captured *captured) {
    for (size_t i = captured->first + captured->count - 1; i > captured->first; i--) {
        struct captured_waiting last = captured->queue[i];
        if (captured->queue[i - 1].event.begin_ns <= last.event.begin_ns)
            return;
        captured->queue[i] = captured->queue[i - 1];
        captured->queue[i - 1] = last;
    }
}

size_t captured_room(const struct captured *captured) {
    return captured->count < QUEUE_MAX - QUEUE_SPARE ? QUEUE_MAX - QUEUE_SPARE - captured->count
                                                     : 0;
}

void captured_note(struct captured *captured, const struct outside_event *event) {
    if (captured->by_both && is_our_own_call(event))
        return;
    if (event->kind == OUTSIDE_EXEC) {
        captured_processes_executed(&captured->processes, event);
        return;
    }
    if (event->kind == OUTSIDE_LEFT) {
        captured_processes_left(&captured->processes, event);
        return;
    }
    if (event->kind == OUTSIDE_PROCESS) {
        if (captured->is_host && !event->ours)
            strangers_meet(&captured->strangers, event);
        else
            captured_processes_met(&captured->processes, event);
        return;
    }
    if (is_call(event) && event->pid == (uint32_t)captured->own)
        return;
    if (captured->count == QUEUE_MAX)
        settle_first(captured);
    /* Not for each event that comes to a full queue: it would be moved as a whole each time. */
    if (captured->first + captured->count >= captured->room &&
        captured->first > captured->count / 2) {
        memmove(captured->queue, captured->queue + captured->first,
                captured->count * sizeof *captured->queue);
        captured->first = 0;
    }
    captured->queue = memory_grow(captured->queue, &captured->room,
                                  captured->first + captured->count + 1, sizeof *captured->queue);
    captured->queue[captured->first + captured->count++] = (struct captured_waiting){
        .event = *event,
        .came_ns = monotonic_ns(),
        .image = captured_processes_image(&captured->processes, event->pid),
        .stranger = stranger_of(captured, event)};
    if (captured->by_both && event->source == PW_SOURCE_SUPERVISOR)
        put_in_order(captured);
}

static unsigned bit_of_kind(unsigned kind) {
    switch (kind) {
    case PW_KIND_BIND:
    case PW_KIND_AUTOBIND:
        return SHIM_BOUND;
    case PW_KIND_LISTEN:
        return SHIM_LISTENED;
    case PW_KIND_CONNECT:
        return SHIM_CONNECTED;
    case PW_KIND_ADDRESS_READ:
        return SHIM_READ;
    default:
        return 0;
    }
}

void captured_learn(struct captured *captured, const struct trace_record *record) {
    unsigned bit = bit_of_kind(record->kind);
    if (captured->destroyed == NULL) /* nothing is seen beside the shim */
        return;
    captured_processes_learn(&captured->processes, record);
    if (record->source != PW_SOURCE_SHIM || bit == 0)
        return;
    if (record->cookie != 0 && (record->cookie & MADE_UP_COOKIE) == 0)
        cookie_set_mark(&captured->destroyed->sockets, record->cookie, bit,
                        record->socket != NULL ? record->socket->assigned_port : 0);
    else if (bit != SHIM_READ)
        captured->masked[captured->masked_count++ % CAPTURED_MASKED_MAX] =
            (struct captured_masked){.begin_ns = record->begin_ns,
                                     .end_ns = record->end_ns,
                                     .cookie = record->cookie,
                                     .process = record->process,
                                     .unit = record->unit,
                                     .is_vfork_child = (record->flags & PW_FLAG_VFORK_CHILD) != 0};
}

void captured_begin_round(struct captured *captured) { captured->open_count = 0; }

void captured_learn_open(void *with, unsigned kind, uint64_t process, uint64_t begin_ns) {
    struct captured *captured = with;
    if (bit_of_kind(kind) == 0)
        return;
    if (captured->open_count < CAPTURED_OPEN_MAX)
        captured->open[captured->open_count] =
            (struct captured_open){.begin_ns = begin_ns, .process = process};
    captured->open_count++;
}

/* May one of the records that are open be of this call? A call that waits, as a connect does, is
 * open for long, and keeps none of another process back. */
static bool has_open(const struct captured *captured, const struct outside_event *event,
                     uint64_t waited_ns) {
    uint64_t process = captured_processes_known(&captured->processes, event->pid);
    if (waited_ns > (process == 0 ? OPEN_OF_ANYBODY_NS : OPEN_MOST_NS))
        return false;
    if (captured->open_count > CAPTURED_OPEN_MAX)
        return true;
    for (size_t i = 0; i < captured->open_count; i++)
        if (captured->open[i].begin_ns <= event->begin_ns &&
            (process == 0 || captured->open[i].process == process))
            return true;
    return false;
}

/* May the shim's record of this call come yet? */
static bool may_come(const struct captured *captured, const struct captured_waiting *waiting,
                     uint64_t now) {
    uint64_t waited_ns = now - waiting->came_ns;
    if (waited_ns < FORK_WITHIN_NS &&
        captured_processes_expects_shim(&captured->processes, waiting->event.pid))
        return true;
    return has_open(captured, &waiting->event, waited_ns);
}

/* Under a filter of its own a program's shim makes up cookies, and may not even know its thread:
 * there process and time tell. */
static struct captured_masked *find_masked(struct captured *captured,
                                           const struct outside_event *event) {
    uint64_t process = captured_processes_known(&captured->processes, event->pid);
    size_t count = captured->masked_count < CAPTURED_MASKED_MAX ? captured->masked_count
                                                                : (size_t)CAPTURED_MASKED_MAX;
    for (size_t i = 0; i < count; i++) {
        struct captured_masked *masked = &captured->masked[i];
        if (masked->real == event->cookie)
            return masked;
        if (masked->real == 0 && masked->begin_ns <= event->begin_ns &&
            event->begin_ns <= masked->end_ns &&
            (masked->is_vfork_child || process == 0 || masked->process == process)) {
            masked->real = event->cookie;
            return masked;
        }
    }
    return NULL;
}

/* Under its filter the shim could not ask for the port. */
static void complete(const struct captured_masked *masked, const struct outside_event *event) {
    union pw_unit *units = recorder_units(masked->unit, 2);
    if (units == NULL || event->local_port == 0 || event->error != 0 ||
        (units[0].start.flags & PW_FLAG_HAS_ASSIGNED) != 0)
        return;
    memcpy(units[1].socket.assigned, event->local, sizeof units[1].socket.assigned);
    units[1].socket.assigned_port = event->local_port;
    __atomic_fetch_or(&units[0].start.flags, PW_FLAG_HAS_ASSIGNED, __ATOMIC_RELEASE);
}

/* What the shim has recorded of a socket where it has recorded such a call. */
static unsigned bits_of_call(unsigned kind) {
    switch (kind) {
    case OUTSIDE_LISTEN:
        return SHIM_LISTENED;
    case OUTSIDE_CONNECT:
        return SHIM_CONNECTED;
    default:
        return SHIM_BOUND | SHIM_LISTENED | SHIM_CONNECTED;
    }
}

static bool is_shims(struct captured *captured, const struct outside_event *event) {
    unsigned bits = cookie_set_bits(&captured->destroyed->sockets, event->cookie);
    if (event->kind == OUTSIDE_READ && event->source == PW_SOURCE_KERNEL &&
        destroyed_has_gone(captured->destroyed, event->cookie))
        return true; /* kept back by the kernel's side until after the socket's end */
    const struct captured_masked *masked =
        (bits & EVENT_BOUND) == 0 ? find_masked(captured, event) : NULL;
    if (masked != NULL)
        complete(masked, event);
    if (masked != NULL)
        return true;
    unsigned read = event->kind == OUTSIDE_READ ? SHIM_READ : 0;
    return (bits & (bits_of_call(event->kind) | read)) != 0;
}

static void take_end(struct captured *captured, const struct outside_event *event) {
    uint16_t port = event->local_port != 0
                        ? event->local_port
                        : cookie_set_port(&captured->destroyed->sockets, event->cookie);
    struct destroy_notice notice = {.cookie = event->cookie,
                                    .seen_ns = event->end_ns,
                                    .family = event->family,
                                    .protocol = (uint8_t)event->protocol,
                                    .state = event->state,
                                    .time_wait = event->time_wait != 0,
                                    .has_local = event->local_port != 0,
                                    .local_port = port,
                                    .remote_port = event->peer_port,
                                    .device = event->device};
    const struct captured_masked *masked = find_masked(captured, event);
    memcpy(notice.local, event->local, sizeof notice.local);
    memcpy(notice.remote, event->peer, sizeof notice.remote);
    bool is_known = cookie_set_take(&captured->destroyed->sockets, event->cookie);
    if (masked != NULL)
        notice.cookie = masked->cookie;
    if (is_known || masked != NULL)
        destroyed_note(captured->destroyed, &notice, event->netns);
}

/* No shim may be there to write it. */
static void note_namespace(const struct captured *captured, uint64_t netns) {
    const struct namespace_writer writer = {.source = PW_SOURCE_RUN};
    if (netns != 0 && namespace_is_new(netns))
        namespace_write(netns, netns == captured->destroyed->notices.netns, &writer);
}

/* A port that nobody has been seen to ask for was given by a call that binds by itself. */
static void record_call(struct captured *captured, const struct outside_event *event,
                        unsigned image) {
    struct cookie_set *sockets = &captured->destroyed->sockets;
    unsigned bits = cookie_set_bits(sockets, event->cookie);
    bool is_unbound = (bits & (SHIM_BOUND | SHIM_LISTENED | EVENT_BOUND)) == 0 &&
                      !destroyed_has_gone(captured->destroyed, event->cookie);
    uint64_t process = captured_processes_serial(&captured->processes, event, image);
    if (process == 0)
        return;
    note_namespace(captured, event->netns);
    const struct captured_lines lines = {
        &captured->frames, captured_processes_program(&captured->processes, event->pid)};
    uint64_t number = captured_record_write(event, process, is_unbound, lines);
    refused_holder_ask(&captured->refused, event, process, number);
    bool has_port = event->kind != OUTSIDE_BIND || event->error == 0;
    if (has_port && event->local_port != 0)
        cookie_set_mark(sockets, event->cookie, EVENT_BOUND, event->local_port);
}

/* How a socket got its port that he had before the run began, nobody knows. */
static void record_stranger(struct captured *captured, const struct captured_waiting *waiting) {
    struct cookie_set *sockets = &captured->destroyed->sockets;
    struct outside_event event = waiting->event;
    bool is_known = (cookie_set_bits(sockets, event.cookie) & EVENT_BOUND) != 0;
    if (!is_known && event.kind == OUTSIDE_READ)
        return;
    uint64_t process = strangers_serial(&captured->strangers, waiting->stranger);
    if (process == 0)
        return;
    event.addresses = 0; /* no record says where his program's code lies */
    (void)captured_record_write(&event, process, !is_known && event.kind == OUTSIDE_CONNECT,
                                (struct captured_lines){&captured->frames, NULL});
    bool has_port = event.kind != OUTSIDE_BIND || event.error == 0;
    if (has_port && event.local_port != 0)
        cookie_set_mark(sockets, event.cookie, EVENT_BOUND, event.local_port);
}

/* What the shim has recorded, and the end of such a socket, waits for nothing. */
static bool is_known(const struct captured *captured, const struct outside_event *event) {
    unsigned bits = cookie_set_bits(&captured->destroyed->sockets, event->cookie);
    return (bits & bits_of_call(event->kind)) != 0;
}

/* The shim may have come since, in one of the command's that had left its control group. */
static bool is_strangers(const struct captured *captured, const struct captured_waiting *waiting) {
    return waiting->stranger != 0 &&
           !captured_processes_has(&captured->processes, waiting->event.pid,
                                   strangers_start_time(&captured->strangers, waiting->stranger));
}

static void settle_first(struct captured *captured) {
    const struct captured_waiting *waiting = &captured->queue[captured->first];
    const struct outside_event *event = &waiting->event;
    if (is_strangers(captured, waiting))
        record_stranger(captured, waiting);
    else if (event->kind == OUTSIDE_CLOSED || (event->kind == OUTSIDE_RELEASED && event->bound))
        take_end(captured, event);
    else if (event->kind != OUTSIDE_RELEASED && !is_shims(captured, event))
        record_call(captured, event, waiting->image);
    captured->first++;
    captured->count--;
}

/* The first process of a trace is the command: no stranger's record may come before its start. */
static bool may_settle(const struct captured *captured, uint64_t now) {
    const struct captured_waiting *waiting = &captured->queue[captured->first];
    if (waiting->stranger != 0 && atomic_load(&recorder_header()->next_process) == 0)
        return false;
    return is_known(captured, &waiting->event) || !may_come(captured, waiting, now);
}

bool captured_settle(struct captured *captured, bool all) {
    uint64_t now = monotonic_ns();
    bool any = false;
    captured_processes_settle_replaced(&captured->processes);
    while (captured->count > 0 && (all || may_settle(captured, now))) {
        settle_first(captured);
        any = true;
    }
    if (captured->count == 0) {
        captured->first = 0;
        captured_processes_forget_ended(&captured->processes);
    }
    captured_processes_settle(&captured->processes, all);
    return any;
}

void captured_stop(struct captured *captured) {
    free(captured->queue);
    captured_processes_free(&captured->processes);
    strangers_free(&captured->strangers);
    refused_holder_free(&captured->refused);
    outside_frames_close(&captured->frames);
}
