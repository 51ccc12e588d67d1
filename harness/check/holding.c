/* A descriptor goes on to children at fork, to other programs at exec, and by messages; a
 * connection keeps the port of a listener that is gone. Who is to end what depends on it. */
#include "harness/check/holding.h"

#include "harness/check/ancestry.h"

/* While the holdings of one socket are gone through. */
struct search {
    const struct history *history;
    uint64_t binder;
    uint64_t asker;
    uint64_t ns;
    bool any;       /* some holding is known, at any time */
    bool by_binder; /* the binder has it */
    bool by_asker;
    struct holding_found found; /* the first of the others, or the asker */
};

static enum holder_how how_of(const struct held_descriptor *holding) {
    return holding->how == GOT_INHERITED ? HOW_INHERITED
           : holding->how == GOT_PASSED  ? HOW_PASSED
                                         : HOW_BOUND;
}

static bool take(void *with, const struct held_descriptor *holding) {
    struct search *search = with;
    const struct processes *processes = &search->history->bindings.processes;
    if (holding->process >= processes->count)
        return true;
    uint64_t process = processes->list[holding->process].serial;
    search->any = true;
    if (holding->since_ns > search->ns ||
        (holding->until_ns != 0 && holding->until_ns <= search->ns))
        return true;
    if (process == search->binder) {
        search->by_binder = true;
        return true;
    }
    bool asks = ancestry_is_same(search->history->machine, process, search->asker);
    if ((search->by_asker && !asks) || (search->found.process != 0 && search->by_asker == asks &&
                                        search->found.since_ns <= holding->since_ns))
        return true;
    search->by_asker = asks;
    search->found = (struct holding_found){
        .how = how_of(holding), .process = process, .since_ns = holding->since_ns};
    return true;
}

static struct search search_socket(const struct history *history, uint32_t socket, uint64_t binder,
                                   uint64_t ns, uint64_t asker) {
    struct search search = {.history = history, .binder = binder, .asker = asker, .ns = ns};
    if (socket != MAP_NONE)
        sockets_each_holding(&history->bindings.sockets, socket, take, &search);
    return search;
}

/* A client may bind port 0 before it connects. */
static bool is_connection(const struct history *history, uint32_t index) {
    const struct binding *binding = &history->bindings.list[index];
    const struct request *request = &history->requests[index];
    if (request->kind == PW_KIND_CONNECT || request->kind == PW_KIND_AUTOBIND)
        return true;
    return binding->socket != MAP_NONE && binding->requested_port == 0 && request->listen_ns == 0 &&
           history->bindings.sockets.list[binding->socket].client;
}

bool holding_is_accepted(const struct history *history, uint32_t index, uint64_t ns,
                         struct holding_found *found) {
    const struct binding *binding = &history->bindings.list[index];
    const struct sockets *sockets = &history->bindings.sockets;
    if (binding->socket == MAP_NONE || binding->first_accepted == MAP_NONE)
        return false;
    const struct socket_state *listener = &sockets->list[binding->socket];
    if (listener->holders != 0 || listener->in_flight != 0 || listener->released_ns > ns)
        return false;
    for (uint32_t i = binding->first_accepted; i != MAP_NONE; i = sockets->list[i].next_accepted) {
        const struct socket_state *socket = &sockets->list[i];
        struct search search = search_socket(history, i, 0, ns, 0);
        if (search.found.process == 0 && socket->holders == 0)
            continue;
        *found = search.found;
        found->how = HOW_ACCEPTED;
        return true;
    }
    return false;
}

struct holding_found holding_find(const struct history *history, uint32_t index, uint64_t ns,
                                  uint64_t asker) {
    const struct binding *binding = &history->bindings.list[index];
    struct holding_found found = {.how = HOW_BOUND, .since_ns = binding->from_ns};
    if (holding_is_accepted(history, index, ns, &found))
        return found;
    struct search search = search_socket(history, binding->socket, binding->process, ns, asker);
    if (search.any && (!search.by_binder || search.by_asker) && search.found.process != 0)
        found = search.found;
    found.is_nobody = search.any && !search.by_binder && search.found.process == 0;
    if (is_connection(history, index))
        found.how = HOW_CONNECTION;
    return found;
}

uint64_t holding_ended_ns(const struct history *history, uint64_t serial) {
    const struct process *process = machine_process(history->machine, serial);
    return process != NULL ? process->life_end_ns : 0;
}
