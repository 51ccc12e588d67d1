/* A socket lives as long as anybody has a descriptor of it, through dup, fork, exec and SCM_RIGHTS.
 * Here is the bookkeeping; what it means for a port is in bindings.c.
 *
 * Records come in the order of their ends, which is not the kernel's order: releases are noted with
 * their time and may be taken back by a holder that comes later. */
#include "harness/trace/trace_sockets.h"

#include <stdlib.h>

#include "harness/base/memory.h"

static uint64_t number_key(uint32_t process, int descriptor) {
    return (uint64_t)process << 32 | (uint32_t)descriptor;
}

static uint32_t add_socket(struct sockets *sockets, uint64_t cookie) {
    uint32_t index = (uint32_t)sockets->count++;

    sockets->list =
        memory_grow(sockets->list, &sockets->room, sockets->count, sizeof *sockets->list);
    sockets->list[index] = (struct socket_state){.cookie = cookie,
                                                 .binding = MAP_NONE,
                                                 .next_accepted = MAP_NONE,
                                                 .first_process = MAP_NONE,
                                                 .past = MAP_NONE};
    if (cookie != 0)
        map_put(&sockets->by_cookie, cookie, index);
    return index;
}

uint32_t sockets_find(struct sockets *sockets, uint32_t process, int descriptor, uint64_t cookie) {
    uint32_t index;

    if (cookie != 0) {
        index = map_get(&sockets->by_cookie, cookie);
        return index != MAP_NONE ? index : add_socket(sockets, cookie);
    }
    if (process != MAP_NONE && descriptor >= 0) {
        index = map_get(&sockets->by_number, number_key(process, descriptor));
        for (; index != MAP_NONE; index = sockets->holders[index].next_same_number)
            if (sockets->holders[index].socket != MAP_NONE &&
                sockets->holders[index].superseded_ns == 0)
                return sockets->holders[index].socket;
    }
    return add_socket(sockets, 0);
}

/* Nearly every socket is one process's alone, by one descriptor: of those nothing is kept. */
static void keep_holding(struct sockets *sockets, const struct holder *holder, uint64_t ns) {
    struct socket_state *socket = &sockets->list[holder->socket];

    if (socket->holders == 0 && socket->first_process == holder->process) {
        socket->first_until_ns = ns;
        return;
    }
    if (sockets->past_count >= HOLDERS_MAX)
        return;
    sockets->past = memory_grow(sockets->past, &sockets->past_room, sockets->past_count + 1,
                                sizeof *sockets->past);
    sockets->past[sockets->past_count] = (struct held_descriptor){.since_ns = holder->since_ns,
                                                                  .until_ns = ns,
                                                                  .process = holder->process,
                                                                  .next = socket->past,
                                                                  .how = holder->how};
    socket->past = (uint32_t)sockets->past_count++;
}

static void release_holder(struct sockets *sockets, struct holder *holder, uint64_t ns,
                           enum end_known_by how) {
    struct socket_state *socket = &sockets->list[holder->socket];

    socket->holders--;
    keep_holding(sockets, holder, ns);
    if (ns >= socket->released_ns) {
        socket->released_ns = ns;
        socket->released_by = (uint8_t)how;
    }
    holder->socket = MAP_NONE;
}

static uint32_t *first_of_process(struct sockets *sockets, uint32_t process) {
    if (process >= sockets->process_count) {
        sockets->of_process = memory_grow(sockets->of_process, &sockets->process_room,
                                          (size_t)process + 1, sizeof *sockets->of_process);
        while (sockets->process_count <= process)
            sockets->of_process[sockets->process_count++] = MAP_NONE;
    }
    return &sockets->of_process[process];
}

static uint32_t add_holder(struct sockets *sockets, uint32_t process, int descriptor,
                           uint32_t next_same_number) {
    uint32_t *first = first_of_process(sockets, process);
    uint32_t index = (uint32_t)sockets->holder_count++;

    sockets->holders = memory_grow(sockets->holders, &sockets->holder_room, sockets->holder_count,
                                   sizeof *sockets->holders);
    sockets->holders[index] = (struct holder){.socket = MAP_NONE,
                                              .descriptor = descriptor,
                                              .process = process,
                                              .next_same_number = next_same_number,
                                              .next_of_process = *first};
    *first = index;
    map_put(&sockets->by_number, number_key(process, descriptor), index);
    return index;
}

void sockets_hold(struct sockets *sockets, uint32_t process, int descriptor, uint32_t socket,
                  uint64_t ns, enum got_by how) {
    uint32_t first;
    uint32_t vacant = MAP_NONE;
    uint32_t oldest = MAP_NONE;
    unsigned length = 0;

    if (process == MAP_NONE || descriptor < 0)
        return;
    first = map_get(&sockets->by_number, number_key(process, descriptor));
    for (uint32_t i = first; i != MAP_NONE; i = sockets->holders[i].next_same_number) {
        struct holder *holder = &sockets->holders[i];

        if (holder->socket == socket) {
            holder->superseded_ns = 0;
            return;
        }
        if (holder->socket == MAP_NONE)
            vacant = i;
        else if (holder->superseded_ns == 0)
            holder->superseded_ns = ns;
        oldest = i;
        length++;
    }
    /* So many that the record of a close is not to be expected any more: the first one is settled
     * now. */
    if (vacant == MAP_NONE && length == SAME_NUMBER_MAX) {
        release_holder(sockets, &sockets->holders[oldest], sockets->holders[oldest].superseded_ns,
                       END_INFERRED);
        vacant = oldest;
    }
    if (vacant == MAP_NONE)
        vacant = add_holder(sockets, process, descriptor, first);
    sockets->holders[vacant].socket = socket;
    sockets->holders[vacant].since_ns = ns;
    sockets->holders[vacant].superseded_ns = 0;
    sockets->holders[vacant].how = (uint8_t)how;
    sockets->list[socket].holders++;
    if (sockets->list[socket].first_process == MAP_NONE)
        sockets->list[socket].first_process = process;
}

void sockets_release(struct sockets *sockets, uint32_t process, int descriptor, uint32_t socket,
                     uint64_t ns, enum end_known_by how) {
    uint32_t index;

    if (process == MAP_NONE || descriptor < 0)
        return;
    index = map_get(&sockets->by_number, number_key(process, descriptor));
    for (; index != MAP_NONE; index = sockets->holders[index].next_same_number)
        if (sockets->holders[index].socket == socket)
            release_holder(sockets, &sockets->holders[index], ns, how);
}

void sockets_release_all(struct sockets *sockets, uint32_t process, uint64_t ns,
                         enum end_known_by how) {
    uint32_t index = process < sockets->process_count ? sockets->of_process[process] : MAP_NONE;

    for (; index != MAP_NONE; index = sockets->holders[index].next_of_process) {
        struct holder *holder = &sockets->holders[index];

        if (holder->socket == MAP_NONE)
            continue;
        if (holder->superseded_ns != 0)
            release_holder(sockets, holder, holder->superseded_ns, END_INFERRED);
        else
            release_holder(sockets, holder, ns > holder->since_ns ? ns : holder->since_ns, how);
    }
}

void sockets_copy_holders(struct sockets *sockets, uint32_t parent, uint32_t child, uint64_t ns) {
    uint32_t index = parent < sockets->process_count ? sockets->of_process[parent] : MAP_NONE;

    if (parent == child)
        return;
    while (index != MAP_NONE) {
        const struct holder holder = sockets->holders[index];

        if (holder.socket == MAP_NONE || holder.superseded_ns != 0)
            ;
        else if (sockets->holder_count >= HOLDERS_MAX)
            sockets->list[holder.socket].certainty = POSSIBLE;
        else
            sockets_hold(sockets, child, holder.descriptor, holder.socket, ns, GOT_INHERITED);
        index = holder.next_of_process;
    }
}

static int by_socket(const void *left, const void *right, void *with) {
    const struct holder *holders = with;
    uint32_t a = holders[*(const uint32_t *)left].socket;
    uint32_t b = holders[*(const uint32_t *)right].socket;

    return a < b ? -1 : a > b;
}

static void sort_by_socket(struct sockets *sockets) {
    size_t room = 0;

    sockets->by_socket =
        memory_grow(NULL, &room, sockets->holder_count + 1, sizeof *sockets->by_socket);
    for (size_t i = 0; i < sockets->holder_count; i++)
        if (sockets->holders[i].socket != MAP_NONE)
            sockets->by_socket[sockets->by_socket_count++] = (uint32_t)i;
    if (sockets->by_socket_count > 1)
        qsort_r(sockets->by_socket, sockets->by_socket_count, sizeof *sockets->by_socket, by_socket,
                sockets->holders);
}

void sockets_settle(struct sockets *sockets) {
    for (size_t i = 0; i < sockets->holder_count; i++) {
        struct holder *holder = &sockets->holders[i];

        if (holder->socket != MAP_NONE && holder->superseded_ns != 0)
            release_holder(sockets, holder, holder->superseded_ns, END_INFERRED);
    }
    sort_by_socket(sockets);
}

/* Where in by_socket those of the socket begin. */
static size_t first_of_socket(const struct sockets *sockets, uint32_t socket) {
    size_t low = 0;
    size_t high = sockets->by_socket_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (sockets->holders[sockets->by_socket[middle]].socket < socket)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void sockets_each_holding(const struct sockets *sockets, uint32_t socket,
                          sockets_take_holding *take, void *with) {
    const struct socket_state *state = &sockets->list[socket];
    const struct held_descriptor first = {
        .until_ns = state->first_until_ns, .process = state->first_process, .next = MAP_NONE};

    if (first.until_ns != 0 && !take(with, &first))
        return;
    for (uint32_t i = state->past; i != MAP_NONE; i = sockets->past[i].next)
        if (!take(with, &sockets->past[i]))
            return;
    for (size_t i = first_of_socket(sockets, socket); i < sockets->by_socket_count; i++) {
        const struct holder *holder = &sockets->holders[sockets->by_socket[i]];
        const struct held_descriptor holding = {.since_ns = holder->since_ns,
                                                .process = holder->process,
                                                .next = MAP_NONE,
                                                .how = holder->how};

        if (holder->socket != socket || !take(with, &holding))
            return;
    }
}

void sockets_doubt(struct sockets *sockets, uint32_t process, int descriptor) {
    uint32_t index;

    if (process == MAP_NONE || descriptor < 0)
        return;
    index = map_get(&sockets->by_number, number_key(process, descriptor));
    for (; index != MAP_NONE; index = sockets->holders[index].next_same_number)
        if (sockets->holders[index].socket != MAP_NONE)
            sockets->list[sockets->holders[index].socket].certainty = POSSIBLE;
}

void sockets_free(struct sockets *sockets) {
    free(sockets->list);
    free(sockets->holders);
    free(sockets->past);
    free(sockets->by_socket);
    free(sockets->of_process);
    map_free(&sockets->by_cookie);
    map_free(&sockets->by_number);
    *sockets = (struct sockets){0};
}
