/* A connection to oneself and a range that is used up are seen in the record of the call itself; no
 * history is needed. */
#include "harness/check/prescan.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/base/memory.h"
#include "harness/check/recovery.h"
#include "harness/trace/record_frames.h"

struct prescan *prescan_make(struct check *check) {
    struct prescan *look = memory_zeroed(1, sizeof *look);
    look->check = check;
    return look;
}

static void fill_subject(struct finding *finding, const struct trace_record *record) {
    bool assigned = (record->flags & PW_FLAG_HAS_ASSIGNED) != 0;
    finding->subject = machine_call(record);
    finding->subject.endpoint = history_record_endpoint(record, assigned);
    if (record->peer != NULL && record->kind == PW_KIND_CONNECT)
        finding->subject.peer = history_record_peer(record);
    finding->endpoint = finding->subject.endpoint;
    finding->netns = record->socket->netns;
    finding->ns = record->begin_ns;
}

static bool is_self_connect(const struct trace_record *record) {
    return record->kind == PW_KIND_CONNECT && record->peer != NULL &&
           (record->flags & PW_FLAG_PORT_ZERO) != 0 &&
           (record->error == 0 || record->error == EINPROGRESS) && record->peer->port != 0 &&
           record->peer->port == record->socket->assigned_port &&
           memcmp(record->peer->address, record->socket->assigned, 16) == 0;
}

/* What each call answers when the range is used up: bind(2), connect(2), inet_hash_connect and
 * inet_autobind in the kernel. */
static bool is_exhausted(const struct trace_record *record) {
    if ((record->flags & PW_FLAG_PORT_ZERO) == 0)
        return false;
    switch (record->kind) {
    case PW_KIND_BIND:
    case PW_KIND_LISTEN:
        return record->error == EADDRINUSE;
    case PW_KIND_CONNECT:
        return record->error == EADDRNOTAVAIL ||
               (record->error == EAGAIN && record->socket->type == SOCK_DGRAM);
    case PW_KIND_AUTOBIND:
        return record->error == EAGAIN && record->socket->assigned_port == 0;
    default:
        return false;
    }
}

static const struct port_namespace *namespace_of(const struct prescan *look, uint64_t cookie) {
    for (unsigned i = 0; i < look->namespace_count; i++)
        if (look->namespaces[i].cookie == cookie)
            return &look->namespaces[i];
    return NULL;
}

static uint64_t want_key(const struct trace_record *record) {
    return (record->process * UINT64_C(0x9e3779b97f4a7c15) ^ record->socket->netns) *
               UINT64_C(0x100000001b3) ^
           record->kind << 8 ^ record->socket->type;
}

static void fail_again(struct want *want, const struct trace_record *record) {
    want->finding.times++;
    want->finding.instead = (struct call){0};
    want->failed_ns = record->end_ns;
    want->thread = record->thread;
}

static void note_want(struct prescan *look, const struct trace_record *record) {
    uint64_t key = want_key(record);
    uint32_t index = map_get(&look->want_of, key);
    if (index != MAP_NONE) {
        fail_again(&look->wants[index], record);
        return;
    }
    struct findings one = {0};
    struct finding *finding = findings_add(&one, FINDING_EXHAUSTED);
    const struct port_namespace *space = namespace_of(look, record->socket->netns);
    fill_subject(finding, record);
    if (space != NULL) {
        finding->range_low = space->low;
        finding->range_high = space->high;
        finding->reserved = space->reserved;
        range_use_count(&look->use, record->begin_ns, finding);
    }
    look->wants =
        memory_grow(look->wants, &look->want_room, look->want_count + 1, sizeof *look->wants);
    look->wants[look->want_count] = (struct want){*finding, record->end_ns, record->thread};
    map_put(&look->want_of, key, (uint32_t)look->want_count++);
    findings_free(&one);
}

/* A thread that asks again, and then gets a port, has coped. */
static void note_success(struct prescan *look, const struct trace_record *record) {
    if (look->want_count == 0 || (record->flags & PW_FLAG_PORT_ZERO) == 0)
        return;
    uint32_t index = map_get(&look->want_of, want_key(record));
    if (index == MAP_NONE)
        return;
    struct want *want = &look->wants[index];
    if (want->thread != record->thread || want->finding.instead.process != 0 ||
        record->begin_ns > want->failed_ns + RECOVERY_NS ||
        !recovery_is_near(want->finding.subject.place, record_place(record)))
        return;
    struct finding instead = {0};
    fill_subject(&instead, record);
    want->finding.instead = instead.subject;
}

/* "8080,9000-9010" as in ip_local_reserved_ports: how many of them lie in the range. */
static uint32_t count_reserved(const char *list, uint32_t low, uint32_t high) {
    uint32_t count = 0;
    while (*list != '\0') {
        char *end;
        unsigned long first = strtoul(list, &end, 10);
        unsigned long last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
        if (end == list)
            break;
        unsigned long from = first > low ? first : low;
        unsigned long to = last < high ? last : high;
        count += from <= to ? (uint32_t)(to - from + 1) : 0;
        list = *end == ',' ? end + 1 : end;
    }
    return count;
}

static void note_namespace(struct prescan *look, const struct trace_record *record) {
    const uint64_t *number = record->numbers->number;
    if (look->namespace_count == PRESCAN_NAMESPACES || number[3] == 0 || number[3] > 65535)
        return;
    look->namespaces[look->namespace_count++] = (struct port_namespace){
        .cookie = number[0],
        .low = (uint32_t)number[2],
        .high = (uint32_t)number[3],
        .reserved = record->text != NULL
                        ? count_reserved(record->text, (uint32_t)number[2], (uint32_t)number[3])
                        : 0};
}

static void add_program(struct check_blind_spot *spot, const struct trace_record *record) {
    /* The command itself is looked at by `run`, before it starts. */
    spot->is_command = spot->is_command ||
                       (record->source == PW_SOURCE_RUN && MACHINE_LOCAL(record->process) == 0);
    if (record->text == NULL)
        return;
    for (size_t i = 0; i < spot->program_count; i++)
        if (strcmp(spot->programs[i], record->text) == 0)
            return;
    if (spot->program_count == CHECK_BLIND_PROGRAMS)
        spot->more++;
    else
        spot->programs[spot->program_count++] = memory_copy(record->text, record->text_length);
}

static struct check_blind_spot *blind_spot_of(struct check_trace *trace, unsigned reason) {
    for (size_t i = 0; i < trace->blind_spot_count; i++)
        if (trace->blind_spots[i].reason == reason)
            return &trace->blind_spots[i];
    if (trace->blind_spot_count == 256)
        return NULL; /* a damaged trace: there are not as many reasons */
    trace->blind_spots = memory_grow(trace->blind_spots, &trace->blind_spot_room,
                                     trace->blind_spot_count + 1, sizeof *trace->blind_spots);
    struct check_blind_spot *spot = &trace->blind_spots[trace->blind_spot_count++];
    *spot = (struct check_blind_spot){.reason = reason};
    return spot;
}

static void note_blind_spot(struct prescan *look, const struct trace_record *record) {
    struct check_blind_spot *spot =
        blind_spot_of(&look->check->traces[MACHINE_TRACE(record->unit)], record->numbers->code);
    if (spot == NULL)
        return;
    if (spot->count++ == 0 && record->text != NULL)
        spot->program = memory_copy(record->text, record->text_length);
    add_program(spot, record);
}

static uint64_t self_key(const struct trace_record *record) {
    return (record->process * UINT64_C(0x9e3779b97f4a7c15) ^ record->thread) *
               UINT64_C(0x100000001b3) ^
           record->peer->port;
}

static void note_self_connect(struct prescan *look, const struct trace_record *record) {
    uint64_t key = self_key(record);
    uint32_t before = map_get(&look->self_of, key);
    look->selves =
        memory_grow(look->selves, &look->self_room, look->self_count + 1, sizeof *look->selves);
    look->selves[look->self_count++] =
        (struct self_waiting){.finding = (uint32_t)look->check->findings.count, .before = before};
    fill_subject(findings_add(&look->check->findings, FINDING_SELF_CONNECT), record);
    map_put(&look->self_of, key, (uint32_t)look->self_count);
}

/* Who was connected to itself, closed that, and tried again until somebody else answered has
 * coped: with all of those that came one soon after the other. */
static void note_other_end(struct prescan *look, const struct trace_record *record) {
    uint64_t key = self_key(record);
    uint32_t waiting = map_get(&look->self_of, key);
    if (waiting == MAP_NONE || waiting == 0)
        return;
    map_put(&look->self_of, key, 0);
    struct finding instead = {0};
    fill_subject(&instead, record);
    uint64_t next_ns = record->begin_ns;
    for (; waiting != MAP_NONE && waiting != 0; waiting = look->selves[waiting - 1].before) {
        struct finding *finding = &look->check->findings.list[look->selves[waiting - 1].finding];
        if (finding->subject.end_ns + RECOVERY_NS < next_ns)
            return;
        next_ns = finding->subject.begin_ns;
        finding->instead = instead.subject;
    }
}

static void note_socket(struct prescan *look, const struct trace_record *record) {
    if (is_exhausted(record))
        note_want(look, record);
    if (is_self_connect(record))
        note_self_connect(look, record);
    else if (look->self_count > 0 && record->kind == PW_KIND_CONNECT && record->error == 0 &&
             record->peer != NULL)
        note_other_end(look, record);
    if (record->error == 0 &&
        (record->kind == PW_KIND_BIND || record->kind == PW_KIND_LISTEN ||
         record->kind == PW_KIND_CONNECT || record->kind == PW_KIND_AUTOBIND)) {
        note_success(look, record);
        range_use_take(&look->use, record);
    }
}

void prescan_note(struct prescan *look, const struct trace_record *record) {
    if (!record->committed)
        return;
    if (record->kind == PW_KIND_CLOSE) {
        if ((record->flags & PW_FLAG_RELEASE_INFERRED) != 0)
            look->check->traces[MACHINE_TRACE(record->unit)].inferred++;
        range_use_release(&look->use, record);
    } else if (record->kind == PW_KIND_DESTROYED) {
        range_use_release(&look->use, record);
    } else if (record->kind == PW_KIND_NAMESPACE && record->numbers != NULL) {
        note_namespace(look, record);
    } else if (record->kind == PW_KIND_BLIND_SPOT && record->numbers != NULL &&
               (record->flags & PW_FLAG_OTHERS_SEE) == 0) {
        note_blind_spot(look, record);
    } else if (record->socket != NULL) {
        note_socket(look, record);
    }
}

void prescan_report(struct prescan *look) {
    for (size_t i = 0; i < look->want_count; i++)
        *findings_add(&look->check->findings, FINDING_EXHAUSTED) = look->wants[i].finding;
}

void prescan_free(struct prescan *look) {
    if (look == NULL)
        return;
    map_free(&look->want_of);
    map_free(&look->self_of);
    free(look->wants);
    free(look->selves);
    free(look);
}
