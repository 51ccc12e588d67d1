/* Sockets do not outlive a round, so each round is compared by its own records alone, and a storm
 * of a thousand rounds does not read its trace a thousand times. */
#include "harness/storm/checks/trace_check.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/map.h"
#include "harness/base/memory.h"
#include "harness/base/message.h"
#include "harness/trace/bindings.h"

struct fact {
    uint64_t serial;
    uint8_t address[16];
    uint16_t port;
    uint8_t protocol;
};

struct facts {
    struct fact *list;
    size_t count;
    size_t room;
};

struct trace_check {
    struct trace_reader *reader;
    struct map serials; /* by pid: index in serial_list */
    uint64_t *serial_list;
    size_t serial_count;
    size_t serial_room;
};

struct trace_check *trace_check_open(const char *path) {
    struct trace_reader_problem problem;
    struct trace_reader *reader = trace_reader_open(path, &problem);
    if (reader == NULL) {
        complain(NULL, "%s: %s", path, problem.what);
        return NULL;
    }
    struct trace_check *check = memory_zeroed(1, sizeof *check);
    check->reader = reader;
    /* A process may be writing its next record at this moment. */
    trace_reader_tail(reader, true);
    return check;
}

static void note_start(struct trace_check *check, const struct trace_record *record) {
    if (record->kind != PW_KIND_PROCESS_START || !record->committed || record->identity == NULL)
        return;
    check->serial_list = memory_grow(check->serial_list, &check->serial_room,
                                     check->serial_count + 1, sizeof *check->serial_list);
    check->serial_list[check->serial_count] = record->identity->serial;
    map_put(&check->serials, record->identity->pid, (uint32_t)check->serial_count++);
}

void trace_check_skip(struct trace_check *check) {
    struct trace_record record;
    while (trace_reader_next(check->reader, &record) == TRACE_NEXT_RECORD)
        note_start(check, &record);
}

uint64_t trace_check_serial(const struct trace_check *check, pid_t pid) {
    uint32_t index = map_get(&check->serials, (uint64_t)pid);
    return index == MAP_NONE ? 0 : check->serial_list[index];
}

static void add(struct facts *facts, uint64_t serial, const uint8_t address[16], unsigned port,
                unsigned protocol) {
    facts->list = memory_grow(facts->list, &facts->room, facts->count + 1, sizeof *facts->list);
    struct fact *fact = &facts->list[facts->count++];
    memset(fact, 0, sizeof *fact);
    fact->serial = serial;
    fact->port = (uint16_t)port;
    fact->protocol = (uint8_t)protocol;
    memcpy(fact->address, address, sizeof fact->address);
}

static unsigned protocol_of(unsigned type, unsigned protocol) {
    if (protocol != 0)
        return protocol;
    return type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
}

static int in_order(const void *one, const void *other) {
    const struct fact *a = one;
    const struct fact *b = other;
    if (a->serial != b->serial)
        return a->serial < b->serial ? -1 : 1;
    if (a->port != b->port)
        return a->port < b->port ? -1 : 1;
    if (a->protocol != b->protocol)
        return a->protocol < b->protocol ? -1 : 1;
    return memcmp(a->address, b->address, sizeof a->address);
}

static const char *fact_text(const struct fact *fact, char text[ENDPOINT_TEXT_SIZE]) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct endpoint endpoint = {.port = fact->port, .protocol = fact->protocol};
    bool is_v4 = memcmp(fact->address, mapped, sizeof mapped) == 0;
    endpoint.family = is_v4 ? AF_INET : AF_INET6;
    memcpy(endpoint.address, fact->address, sizeof endpoint.address);
    return endpoint_text(&endpoint, text);
}

/* Both lists in order; what one has and the other has not is a difference. */
static void compare(struct facts *announced, struct facts *found, const char *missing,
                    const char *extra, struct verdict *verdict) {
    char text[ENDPOINT_TEXT_SIZE];
    size_t i = 0;
    size_t j = 0;
    if (announced->count > 0)
        qsort(announced->list, announced->count, sizeof *announced->list, in_order);
    if (found->count > 0)
        qsort(found->list, found->count, sizeof *found->list, in_order);
    while (i < announced->count || j < found->count) {
        int order = i == announced->count ? 1
                    : j == found->count   ? -1
                                          : in_order(&announced->list[i], &found->list[j]);
        if (order < 0 && missing != NULL)
            verdict_differs(verdict, "%s of %s", missing, fact_text(&announced->list[i], text));
        if (order > 0 && extra != NULL)
            verdict_differs(verdict, "%s of %s", extra, fact_text(&found->list[j], text));
        i += order <= 0;
        j += order >= 0;
    }
}

/* Is it a binding to a port, of a socket that serves, that stands now? */
static bool stands(const struct bindings *bindings, const struct binding *binding) {
    if (binding->from_ns == 0 || binding->to_ns != 0 || binding->port == 0)
        return false;
    if (binding->socket == MAP_NONE)
        return true;
    const struct socket_state *socket = &bindings->sockets.list[binding->socket];
    return !socket->client;
}

static void read_round(struct trace_check *check, struct bindings *bindings, struct facts *claims) {
    struct trace_record record;
    while (trace_reader_next(check->reader, &record) == TRACE_NEXT_RECORD) {
        note_start(check, &record);
        bindings_note(bindings, &record);
        if (record.kind == PW_KIND_CLAIM && record.committed && record.socket != NULL)
            add(claims, record.process, record.socket->assigned, record.socket->assigned_port,
                protocol_of(record.socket->type, record.socket->protocol));
    }
    bindings_finish(bindings);
}

static bool is_claimant(const struct map *claimants, uint64_t serial) {
    return map_get(claimants, serial) != MAP_NONE;
}

void trace_check_compare(struct trace_check *check, const struct announcements *announcements,
                         struct verdict *verdict) {
    struct bindings bindings = {0};
    struct facts announced = {0};
    struct facts found = {0};
    struct facts claims = {0};
    struct facts claimed = {0};
    struct map claimants = {0};
    read_round(check, &bindings, &claims);
    for (size_t i = 0; i < announcements->claimant_count; i++)
        map_put(&claimants, announcements->claimants[i].serial, (uint32_t)i);
    for (size_t i = 0; i < announcements->count; i++) {
        const struct announced *one = &announcements->list[i];
        add(&announced, one->serial, one->endpoint.address, one->endpoint.port,
            one->endpoint.protocol);
    }
    for (size_t i = 0; i < bindings.count; i++) {
        const struct binding *binding = &bindings.list[i];
        if (stands(&bindings, binding) && is_claimant(&claimants, binding->process))
            add(&found, binding->process, binding->address, binding->port,
                protocol_of(binding->type, binding->protocol));
    }
    for (size_t i = 0; i < claims.count; i++)
        if (is_claimant(&claimants, claims.list[i].serial))
            add(&claimed, claims.list[i].serial, claims.list[i].address, claims.list[i].port,
                claims.list[i].protocol);
    compare(&announced, &found, "the trace knows no standing binding for the claim",
            "nobody announced the binding", verdict);
    compare(&announced, &claimed, "the trace has no record of the claim",
            "the trace has a claim that was not announced:", verdict);
    free(announced.list);
    free(found.list);
    free(claims.list);
    free(claimed.list);
    map_free(&claimants);
    bindings_free(&bindings);
}

void trace_check_close(struct trace_check *check) {
    if (check == NULL)
        return;
    trace_reader_close(check->reader);
    map_free(&check->serials);
    free(check->serial_list);
    free(check);
}
