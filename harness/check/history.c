/* The ends of bindings are found by the same rules as in `ports`; beside them stands what a claim
 * is proved by: who read a number, who named it, and who had it meanwhile. */
#include "harness/check/history.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/base/memory.h"
#include "harness/check/outside.h"
#include "harness/check/recovery.h"
#include "harness/trace/record_frames.h"

struct history *history_make(const struct machine *machine) {
    struct history *history = memory_zeroed(1, sizeof *history);
    history->machine = machine;
    return history;
}

static void note_asker(struct history *history, const struct trace_record *record) {
    struct asker *askers = history->askers[record->socket->type == SOCK_DGRAM];
    if (askers[0].process != record->process)
        askers[1] = askers[0];
    askers[0] = (struct asker){
        .process = record->process, .netns = record->socket->netns, .ns = record->begin_ns};
}

static uint64_t asked_by_another(const struct history *history, const struct trace_record *record) {
    for (unsigned i = 0; i < 2; i++) {
        const struct asker *asker = &history->askers[record->socket->type == SOCK_DGRAM][i];
        if (asker->process != 0 && asker->process != record->process &&
            asker->netns == record->socket->netns)
            return asker->ns;
    }
    return 0;
}

static void note_range(struct history *history, const struct trace_record *record) {
    const uint64_t *number = record->numbers->number;
    if (history->range_count == HISTORY_RANGES || number[3] > 65535)
        return;
    history->ranges[history->range_count++] = (struct given_range){
        .netns = number[0], .low = (uint32_t)number[2], .high = (uint32_t)number[3]};
}

static void add_request(struct history *history, const struct trace_record *record) {
    uint32_t index = (uint32_t)history->bindings.count - 1;
    history->requests = memory_grow(history->requests, &history->request_room, (size_t)index + 1,
                                    sizeof *history->requests);
    struct request *request = &history->requests[index];
    *request = (struct request){.end_ns = record->end_ns,
                                .site = record->site,
                                .place = record_place(record),
                                .cookie = record->cookie,
                                .flags = record->flags,
                                .previous = MAP_NONE,
                                .proved_by = {MAP_NONE, MAP_NONE},
                                .proves = MAP_NONE,
                                .probed = MAP_NONE,
                                .asked_ns = asked_by_another(history, record),
                                .picked = MAP_NONE,
                                .failed_listen = MAP_NONE,
                                .repeats = MAP_NONE,
                                .next_waiting = MAP_NONE,
                                .thread = record->thread,
                                .uid = record->socket->uid,
                                .device = record->socket->device,
                                .kind = (uint8_t)record->kind};
    if (record->peer != NULL && record->kind == PW_KIND_CONNECT)
        request->peer = history_record_peer(record);
    if ((record->flags & PW_FLAG_ADDRESS_READ) != 0) {
        request->read_ns = record->end_ns;
        request->reader = record->process;
    }
    if (record->kind == PW_KIND_LISTEN && record->error == 0)
        request->listen_ns = record->end_ns;
    if (record->cookie == 0 || record->error != 0)
        return;
    request->previous = map_get(&history->of_cookie, record->cookie);
    map_put(&history->of_cookie, record->cookie, index);
}

static uint32_t latest_binding(const struct history *history, uint64_t cookie) {
    return cookie == 0 ? MAP_NONE : map_get(&history->of_cookie, cookie);
}

static void note_read(struct history *history, const struct trace_record *record) {
    uint32_t index = latest_binding(history, record->cookie);
    unsigned port = PW_PORT_OF_FLAGS(record->flags);
    if (index == MAP_NONE || history->bindings.list[index].port != port)
        return;
    struct request *request = &history->requests[index];
    if (request->read_ns != 0 && request->reader == history->bindings.list[index].process)
        return;
    request->read_ns = record->begin_ns;
    request->reader = record->process;
}

/* Some interpreters say nothing before a listen: then the line that bound the socket stands for it.
 */
static void take_place_of_bind(const struct history *history, uint32_t index, struct call *listen) {
    const struct request *request = &history->requests[index];
    const struct binding *binding = &history->bindings.list[index];
    if (place_is_of_frame(listen->place) || !place_is_of_frame(request->place) ||
        binding->process != listen->process || MACHINE_TRACE(binding->unit) != listen->trace)
        return;
    listen->place = request->place;
    listen->bind_unit = MACHINE_LOCAL(binding->unit);
}

static void note_listen(struct history *history, const struct trace_record *record) {
    uint32_t index = latest_binding(history, record->cookie);
    if (record->error == 0) {
        if (index != MAP_NONE && history->requests[index].listen_ns == 0)
            history->requests[index].listen_ns = record->end_ns;
        return;
    }
    if (record->error != EADDRINUSE || (record->flags & PW_FLAG_PORT_ZERO) != 0)
        return;
    history->failed_listens =
        memory_grow(history->failed_listens, &history->failed_listen_room,
                    history->failed_listen_count + 1, sizeof *history->failed_listens);
    struct failed_listen *failed = &history->failed_listens[history->failed_listen_count++];
    *failed = (struct failed_listen){.call = machine_call(record),
                                     .netns = record->socket->netns,
                                     .binding = index,
                                     .thread = record->thread};
    failed->call.endpoint = history_record_endpoint(record, true);
    recovery_wait_for_listen(history, (uint32_t)history->failed_listen_count - 1);
    if (index == MAP_NONE)
        return;
    history->requests[index].failed_listen = (uint32_t)history->failed_listen_count - 1;
    if (history->requests[index].thread == record->thread)
        take_place_of_bind(history, index, &failed->call);
}

static void note_accept(struct history *history, const struct trace_record *record) {
    uint32_t index =
        record->peer != NULL ? latest_binding(history, record->peer->other_cookie) : MAP_NONE;
    if (index == MAP_NONE || record->error != 0)
        return;
    struct request *request = &history->requests[index];
    if (record->begin_ns > request->alive_ns)
        request->alive_ns = record->begin_ns;
    if (record->end_ns > request->accepted_ns)
        request->accepted_ns = record->end_ns;
}

static void note_option(struct history *history, const struct trace_record *record) {
    const struct pw_numbers *numbers = record->numbers;
    if (numbers != NULL && record->cookie != 0 && numbers->number[0] != 0 &&
        (numbers->code == PW_OPTION_MULTICAST || numbers->code == PW_OPTION_BROADCAST))
        map_put(&history->of_group, record->cookie, 1);
}

static void note_close(struct history *history, const struct trace_record *record) {
    uint32_t index = latest_binding(history, record->cookie);
    if (index == MAP_NONE)
        return;
    history->requests[index].closing_ns = record->begin_ns;
    history->requests[index].closed_ns = record->end_ns;
}

static void note_connect(struct history *history, const struct selection *selection,
                         const struct trace_record *record) {
    bool may_succeed = record->error == 0 || record->error == EINPROGRESS;
    if (record->peer == NULL || !selection->connected[record->peer->port] || !may_succeed)
        return;
    history->connections = memory_grow(history->connections, &history->connection_room,
                                       history->connection_count + 1, sizeof *history->connections);
    struct connection *connection = &history->connections[history->connection_count++];
    *connection = (struct connection){.call = machine_call(record), .netns = record->socket->netns};
    connection->call.endpoint = history_record_peer(record);
}

static void note_claim(struct history *history, const struct trace_record *record) {
    if (record->socket == NULL)
        return;
    history->claims = memory_grow(history->claims, &history->claim_room, history->claim_count + 1,
                                  sizeof *history->claims);
    struct announced_claim *claim = &history->claims[history->claim_count++];
    *claim = (struct announced_claim){.call = machine_call(record), .netns = record->socket->netns};
    claim->call.endpoint = history_record_endpoint(record, true);
}

static void note_marker(struct history *history, const struct trace_record *record) {
    history->markers = memory_grow(history->markers, &history->marker_room,
                                   history->marker_count + 1, sizeof *history->markers);
    history->markers[history->marker_count++] = (struct marker){
        .ns = record->begin_ns,
        .unit = record->cookie != 0 ? (record->unit & ~MACHINE_LOCAL_MASK) | record->cookie : 0,
        .process = record->process,
        .flags = record->flags,
        .thread = record->thread,
        .is_own = record->source == PW_SOURCE_SHIM,
        .name = memory_copy(record->text != NULL ? record->text : "", record->text_length)};
}

static void note_socket(struct history *history, const struct selection *selection,
                        const struct trace_record *record) {
    size_t before = history->bindings.count;
    bindings_note(&history->bindings, record);
    if (history->bindings.count != before)
        add_request(history, record);
    if (!record->committed)
        return;
    if (history->bindings.count != before && record->error == EADDRINUSE &&
        record->kind == PW_KIND_BIND && record->socket->requested_port != 0)
        recovery_wait(history, (uint32_t)before);
    if (record->kind == PW_KIND_ADDRESS_READ)
        note_read(history, record);
    else if (record->kind == PW_KIND_LISTEN && record->socket != NULL)
        note_listen(history, record);
    else if (record->kind == PW_KIND_ACCEPT)
        note_accept(history, record);
    else if (record->kind == PW_KIND_CONNECT && record->socket != NULL)
        note_connect(history, selection, record);
    else if (record->kind == PW_KIND_CLAIM)
        note_claim(history, record);
    else if (record->kind == PW_KIND_CLOSE)
        note_close(history, record);
    else if (record->kind == PW_KIND_OPTION)
        note_option(history, record);
}

static void note_answer(struct history *history, const struct trace_record *record) {
    const struct pw_peer *peer = record->peer;
    enum { STATE_TIME_WAIT = 6 };
    if (record->socket == NULL || peer == NULL)
        return;
    history->answers = memory_grow(history->answers, &history->answer_room,
                                   history->answer_count + 1, sizeof *history->answers);
    struct table_answer *answer = &history->answers[history->answer_count++];
    uint64_t unit = (record->unit & ~MACHINE_LOCAL_MASK) | peer->record;
    *answer = (struct table_answer){.unit = unit,
                                    .before = map_get(&history->answer_of_unit, unit),
                                    .cookie = peer->other_cookie,
                                    .holder = {.pid = peer->pid,
                                               .uid = peer->uid,
                                               .state = peer->code,
                                               .start_time = peer->start_time * HISTORY_NS_PER_TICK,
                                               .endpoint = history_record_endpoint(record, true)},
                                    .source = peer->code == 0                 ? HOLDER_NOBODY
                                              : peer->code == STATE_TIME_WAIT ? HOLDER_TIME_WAIT
                                                                              : HOLDER_TABLE};
    if (record->text != NULL && record->text_length > 0)
        answer->holder.command = memory_copy(record->text, record->text_length);
    map_put(&history->answer_of_unit, unit, (uint32_t)history->answer_count - 1);
}

static void note_source(struct history *history, const struct trace_record *record) {
    if (record->text == NULL || record->text_length == 0)
        return;
    history->sources = memory_grow(history->sources, &history->source_room,
                                   history->source_count + 1, sizeof *history->sources);
    uint64_t unit = (record->unit & ~MACHINE_LOCAL_MASK) | record->cookie;
    if (map_get(&history->source_of_unit, unit) == MAP_NONE)
        map_put(&history->source_of_unit, unit, (uint32_t)history->source_count);
    history->sources[history->source_count++] = (struct number_source){
        .unit = unit, .variable = memory_copy(record->text, record->text_length)};
}

static void note_leftover(struct history *history, const struct trace_record *record) {
    if (record->socket == NULL || record->process == 0)
        return;
    history->leftovers = memory_grow(history->leftovers, &history->leftover_room,
                                     history->leftover_count + 1, sizeof *history->leftovers);
    struct leftover *leftover = &history->leftovers[history->leftover_count++];
    *leftover = (struct leftover){.call = machine_call(record), .netns = record->socket->netns};
    leftover->call.endpoint = history_record_endpoint(record, true);
}

static void note_torn(struct history *history, const struct trace_record *record) {
    if (record->kind != PW_KIND_BIND && record->kind != PW_KIND_LISTEN)
        return;
    history->torn = memory_grow(history->torn, &history->torn_room, history->torn_count + 1,
                                sizeof *history->torn);
    history->torn[history->torn_count++] = record->begin_ns;
}

/* What is noted of every record, whether its socket is selected or not. true: that was all. */
static bool note_in_passing(struct history *history, const struct trace_record *record) {
    switch (record->kind) {
    case PW_KIND_MARKER:
        note_marker(history, record);
        return false;
    case PW_KIND_TABLE_ANSWER:
        note_answer(history, record);
        return true;
    case PW_KIND_HOLDER:
        outside_note(history, record);
        return true;
    case PW_KIND_LEFTOVER:
        note_leftover(history, record);
        return true;
    case PW_KIND_NUMBER_SOURCE:
        note_source(history, record);
        return true;
    case PW_KIND_NAMESPACE:
        if (record->numbers != NULL)
            note_range(history, record);
        return false;
    case PW_KIND_BIND:
        if (record->error == 0 &&
            (history->waiting.used != 0 || history->listens_waiting.used != 0))
            recovery_end(history, record);
        break;
    default:
        break;
    }
    if ((record->flags & PW_FLAG_PORT_ZERO) != 0 && record->socket != NULL)
        note_asker(history, record);
    return false;
}

void history_note(struct history *history, const struct selection *selection,
                  const struct trace_record *record) {
    if (!record->committed)
        note_torn(history, record);
    else if (note_in_passing(history, record))
        return;
    if (!selection_has(selection, record))
        return;
    if (record->kind == PW_KIND_PROCESS_START) {
        struct trace_record bare = *record; /* the command line is kept elsewhere */
        bare.text = NULL;
        bare.text_length = 0;
        bindings_note(&history->bindings, &bare);
        return;
    }
    note_socket(history, selection, record);
}

static int by_begin(const void *one, const void *other, void *with) {
    const struct binding *list = with;
    const struct binding *a = &list[*(const uint32_t *)one];
    const struct binding *b = &list[*(const uint32_t *)other];
    if (a->begin_ns != b->begin_ns)
        return a->begin_ns < b->begin_ns ? -1 : 1;
    return a->unit < b->unit ? -1 : a->unit > b->unit;
}

/* Whoever ended no later than this one is outlived by nobody who does not outlive this one. */
static void find_outlived(struct history *history, unsigned port) {
    uint32_t first = history->first_of_port[port];
    for (uint32_t i = first; i < history->first_of_port[port + 1]; i++) {
        uint32_t before = i > first ? i - 1 : MAP_NONE;
        while (before != MAP_NONE && history_end_ns(history, before) <= history_end_ns(history, i))
            before = history->outlived_by[before];
        history->outlived_by[i] = before;
    }
}

static int by_peer(const void *one, const void *other) {
    const struct call *a = &((const struct connection *)one)->call;
    const struct call *b = &((const struct connection *)other)->call;
    if (a->endpoint.port != b->endpoint.port)
        return a->endpoint.port < b->endpoint.port ? -1 : 1;
    if (a->begin_ns != b->begin_ns)
        return a->begin_ns < b->begin_ns ? -1 : 1;
    if (a->trace != b->trace)
        return a->trace < b->trace ? -1 : 1;
    return a->unit < b->unit ? -1 : a->unit > b->unit;
}

static void sort_connections(struct history *history) {
    if (history->connection_count > 1)
        qsort(history->connections, history->connection_count, sizeof *history->connections,
              by_peer);
    for (size_t i = 0; i < history->connection_count; i++)
        history->first_connection[history->connections[i].call.endpoint.port + 1]++;
    for (unsigned port = 0; port < SELECTION_PORTS; port++)
        history->first_connection[port + 1] += history->first_connection[port];
}

static int in_time(const void *one, const void *other) {
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

void history_finish(struct history *history) {
    struct bindings *bindings = &history->bindings;
    size_t next = 0;
    size_t outlived_room = 0;
    bindings_finish(bindings);
    outside_complete(history);
    sort_connections(history);
    if (history->torn_count > 1)
        qsort(history->torn, history->torn_count, sizeof *history->torn, in_time);
    history->by_port =
        memory_grow(NULL, &history->by_port_count, bindings->count + 1, sizeof *history->by_port);
    history->by_port_count = bindings->count;
    history->outlived_by =
        memory_grow(NULL, &outlived_room, bindings->count + 1, sizeof *history->outlived_by);
    for (size_t i = 0; i < bindings->count; i++)
        history->first_of_port[history_endpoint(history, (uint32_t)i).port + 1]++;
    for (unsigned port = 0; port < SELECTION_PORTS; port++)
        history->first_of_port[port + 1] += history->first_of_port[port];
    uint32_t *place = memory_grow(NULL, &next, SELECTION_PORTS, sizeof *place);
    memcpy(place, history->first_of_port, SELECTION_PORTS * sizeof *place);
    for (size_t i = 0; i < bindings->count; i++)
        history->by_port[place[history_endpoint(history, (uint32_t)i).port]++] = (uint32_t)i;
    free(place);
    for (unsigned port = 0; port < SELECTION_PORTS; port++) {
        uint32_t from = history->first_of_port[port];
        uint32_t count = history->first_of_port[port + 1] - from;
        if (count > 1)
            qsort_r(history->by_port + from, count, sizeof *history->by_port, by_begin,
                    bindings->list);
        find_outlived(history, port);
    }
}

static void free_names(struct history *history) {
    for (size_t i = 0; i < history->marker_count; i++)
        free(history->markers[i].name);
    for (size_t i = 0; i < history->answer_count; i++)
        table_holder_free(&history->answers[i].holder);
    for (size_t i = 0; i < history->source_count; i++)
        free(history->sources[i].variable);
}

void history_free(struct history *history) {
    if (history == NULL)
        return;
    free_names(history);
    bindings_free(&history->bindings);
    map_free(&history->of_cookie);
    map_free(&history->of_group);
    map_free(&history->source_of_unit);
    map_free(&history->answer_of_unit);
    map_free(&history->waiting);
    map_free(&history->listens_waiting);
    free(history->requests);
    free(history->by_port);
    free(history->outlived_by);
    free(history->failed_listens);
    free(history->connections);
    free(history->claims);
    free(history->markers);
    free(history->answers);
    free(history->sources);
    outside_free(history);
    free(history->leftovers);
    free(history->torn);
    free(history);
}
