/* A missing end does not prove that a port is still held: what somebody else was given later, in
 * conflict, shows that it was not. */
#include "harness/check/holders.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/check/holding.h"
#include "harness/check/stranger_findings.h"

/* The start of a process is known by the tick (USER_HZ). */
#define TICK_NS UINT64_C(10000000)

/* All descriptors had gone before: what is left is the kernel's. */
static bool is_only_time_wait(const struct history *history, uint32_t index, uint64_t ns) {
    struct holding_found accepted;
    const struct binding *binding = &history->bindings.list[index];
    if (binding->socket == MAP_NONE || binding->to_ns != 0)
        return false;
    const struct socket_state *socket = &history->bindings.sockets.list[binding->socket];
    return socket->holders == 0 && socket->in_flight == 0 && socket->released_ns != 0 &&
           socket->released_ns < ns && !holding_is_accepted(history, index, ns, &accepted);
}

static bool covers(const struct binding *binding, uint64_t begin_ns, uint64_t end_ns) {
    return binding->from_ns != 0 && binding->begin_ns <= end_ns &&
           (binding->to_ns == 0 || binding->to_ns >= begin_ns);
}

static uint32_t find_in_trace(const struct history *history, uint32_t asker, uint64_t begin_ns,
                              uint64_t end_ns, bool listening) {
    const struct endpoint endpoint = history_endpoint(history, asker);
    uint32_t newest = MAP_NONE; /* the latest that stood in the way at any time before */
    uint32_t first = history->first_of_port[endpoint.port];
    uint32_t end = history_end_of_port(history, endpoint.port, end_ns);
    for (uint32_t i = end > first ? end - 1 : MAP_NONE; i != MAP_NONE;
         i = i > first ? i - 1 : MAP_NONE) {
        /* Those that had no port at all are passed over, and behind the newest those that had lost
         * it.
         */
        i = history_lasting(history, i, newest != MAP_NONE ? begin_ns : 1);
        if (i == MAP_NONE)
            break;
        uint32_t index = history->by_port[i];
        const struct binding *binding = &history->bindings.list[index];
        if (index == asker || binding->from_ns == 0 ||
            history->requests[index].cookie == history->requests[asker].cookie ||
            history_may_share(history, asker, index, begin_ns, listening))
            continue;
        bool superseded = newest != MAP_NONE && binding->to_ns == 0 &&
                          !history_may_share(history, newest, index,
                                             history->bindings.list[newest].begin_ns, false);
        if (covers(binding, begin_ns, end_ns) && !superseded)
            return index;
        if (newest == MAP_NONE)
            newest = index;
    }
    return MAP_NONE;
}

/* Does the first say more? The sources are in the order of what they say: a socket, TIME_WAIT,
 * nobody. */
static bool says_more(const struct table_answer *one, const struct table_answer *other) {
    if (one->source != other->source)
        return one->source < other->source;
    return one->holder.pid != 0 && other->holder.pid == 0;
}

/* `run` asks for a program that the shim is not in, and may do so late: somebody else may have
 * taken the port since, by a recorded bind, or as a process that did not exist then. */
static bool is_newcomer(const struct history *history, const struct table_answer *answer,
                        uint32_t asker, uint64_t end_ns) {
    const uint32_t index =
        answer->cookie != 0 ? map_get(&history->of_cookie, answer->cookie) : MAP_NONE;
    if (index != MAP_NONE)
        return history->bindings.list[index].begin_ns > end_ns;
    const uint32_t trace = MACHINE_TRACE(history->bindings.list[asker].process);
    const struct pw_header *header = &history->machine->check->traces[trace].header;
    return header->realtime_ns != 0 &&
           answer->holder.started_ns >
               header->realtime_ns + (end_ns - header->monotonic_ns) + TICK_NS;
}

static const struct table_answer *find_answer(const struct history *history, uint32_t asker,
                                              uint64_t unit, uint64_t end_ns) {
    const struct table_answer *found = NULL;
    for (uint32_t i = map_get(&history->answer_of_unit, unit); i != MAP_NONE;
         i = history->answers[i].before)
        if (!is_newcomer(history, &history->answers[i], asker, end_ns) &&
            (found == NULL || !says_more(found, &history->answers[i])))
            found = &history->answers[i];
    return found;
}

struct holder_found holders_find(const struct history *history, uint32_t asker, uint64_t unit,
                                 uint64_t begin_ns, uint64_t end_ns, bool listening) {
    struct holder_found found = {.source = HOLDER_NOBODY, .binding = MAP_NONE};
    uint32_t index = find_in_trace(history, asker, begin_ns, end_ns, listening);
    if (index != MAP_NONE) {
        const struct binding *binding = &history->bindings.list[index];
        found.binding = index;
        found.certainty =
            certainty_if(binding->from_ns <= begin_ns && binding->certainty == CERTAIN);
        found.source =
            is_only_time_wait(history, index, begin_ns) ? HOLDER_TIME_WAIT : HOLDER_TRACE;
        return found;
    }
    found.answer = find_answer(history, asker, unit, end_ns);
    if (found.answer == NULL)
        return found;
    found.source = found.answer->source;
    index =
        found.answer->cookie != 0 ? map_get(&history->of_cookie, found.answer->cookie) : MAP_NONE;
    if (found.source != HOLDER_TABLE || index == MAP_NONE)
        return found;
    /* The kernel names a socket that the trace knows, whatever the trace says of its end. */
    return (struct holder_found){.source = HOLDER_TRACE, .binding = index, .certainty = CERTAIN};
}

/* A program that cannot be recorded has inherited it: `run` has found it by the socket. */
static void fill_in_heir(const struct history *history, uint32_t binding, struct finding *finding) {
    uint32_t index = map_get(&history->outside_of_cookie, history->requests[binding].cookie);
    const struct process *binder = machine_process(history->machine, finding->other.process);
    if (index == MAP_NONE || history->outside[index].holder.pid == 0 ||
        (binder != NULL && binder->pid == history->outside[index].holder.pid))
        return;
    finding->holder = HOLDER_TABLE;
    finding->how = HOW_INHERITED;
    finding->table = history->outside[index].holder;
    finding->table.endpoint = finding->other.endpoint;
    table_holder_own(&finding->table);
}

/* The socket is known to the trace; who has it by now, too. */
static void fill_in_recorded(const struct history *history, uint32_t binding, uint64_t ns,
                             struct finding *finding) {
    const struct holding_found now = holding_find(history, binding, ns, finding->subject.process);
    uint64_t ended_ns = holding_ended_ns(history, finding->other.process);
    finding->how = now.how;
    finding->held_by = now.process;
    finding->held_since_ns = now.since_ns;
    finding->binder_ended_ns = ended_ns <= ns ? ended_ns : 0;
    if (now.is_nobody && history->outside_count > 0)
        fill_in_heir(history, binding, finding);
    stranger_findings_fill_in(history->machine, finding);
}

static enum holder_how how_of_source(enum holder_source source) {
    return source == HOLDER_TIME_WAIT ? HOW_TIME_WAIT
           : source == HOLDER_TABLE   ? HOW_OUTSIDE
                                      : HOW_NOT_KNOWN;
}

void holders_fill_in(const struct history *history, const struct holder_found *found,
                     struct finding *finding) {
    finding->holder = found->source;
    finding->how = how_of_source(found->source);
    if (found->binding != MAP_NONE)
        finding->other = history_call(history, found->binding);
    if (found->source == HOLDER_TRACE)
        fill_in_recorded(history, found->binding, finding->subject.begin_ns, finding);
    if (found->source != HOLDER_TABLE)
        return;
    finding->table = found->answer->holder;
    table_holder_own(&finding->table);
}
