/* A port that thousands of programs use, one after the other, has a long history, of which one
 * program's family has a few entries. Whoever is above a process is found by going up from it;
 * whoever is below has been noted with all above it. */
#include "harness/check/relatives.h"

#include <stdlib.h>

#include "harness/base/memory.h"
#include "harness/check/ancestry.h"

enum { STEPS_MAX = 4096, GENERATIONS = 3 };

struct relatives_node {
    uint32_t number;
    uint32_t before; /* of the same process, MAP_NONE if none */
};

static void add_node(struct relatives *relatives, struct map *map, uint64_t process,
                     uint32_t number) {
    uint32_t before = map_get(map, process);
    if (before != MAP_NONE && (relatives->only_first || relatives->nodes[before].number == number))
        return;
    relatives->nodes = memory_grow(relatives->nodes, &relatives->room, relatives->count + 1,
                                   sizeof *relatives->nodes);
    relatives->nodes[relatives->count] = (struct relatives_node){number, before};
    map_put(map, process, (uint32_t)relatives->count++);
}

void relatives_note(struct relatives *relatives, uint64_t process, uint32_t number) {
    uint64_t above = process;
    if (process == 0)
        return;
    add_node(relatives, &relatives->own, ancestry_process(relatives->machine, process), number);
    for (int step = 0; above != 0 && step < STEPS_MAX; step++) {
        add_node(relatives, &relatives->below, above, number);
        above = ancestry_step(relatives->machine, above);
    }
    above = ancestry_parent(relatives->machine, process);
    for (int i = 0; i < GENERATIONS && above != 0; i++) {
        add_node(relatives, &relatives->family, above, number);
        above = ancestry_parent(relatives->machine, above);
    }
}

void relatives_note_connections(struct relatives *relatives, const struct history *history,
                                unsigned port) {
    for (uint32_t i = history->first_connection[port]; i < history->first_connection[port + 1]; i++)
        relatives_note(relatives, history->connections[i].call.process, i);
}

static void add_head(struct relatives *relatives, const struct map *map, uint64_t process) {
    uint32_t head = map_get(map, process);
    if (head == MAP_NONE)
        return;
    relatives->heads = memory_grow(relatives->heads, &relatives->head_room,
                                   relatives->head_count + 1, sizeof *relatives->heads);
    relatives->heads[relatives->head_count++] = head;
}

void relatives_seek_own(struct relatives *relatives, uint64_t process) {
    relatives->head_count = 0;
    add_head(relatives, &relatives->own, ancestry_process(relatives->machine, process));
}

void relatives_seek_related(struct relatives *relatives, uint64_t process) {
    uint64_t above = process;
    relatives->head_count = 0;
    if (relatives->count == 0)
        return;
    add_head(relatives, &relatives->below, ancestry_process(relatives->machine, process));
    for (int step = 0; above != 0 && step < STEPS_MAX; step++) {
        add_head(relatives, &relatives->own, above);
        above = ancestry_step(relatives->machine, above);
    }
}

void relatives_seek_family(struct relatives *relatives, uint64_t process) {
    relatives_seek_related(relatives, process);
    if (relatives->count == 0)
        return;
    uint64_t above = ancestry_parent(relatives->machine, process);
    for (int i = 0; i < GENERATIONS && above != 0; i++) {
        add_head(relatives, &relatives->family, above);
        above = ancestry_parent(relatives->machine, above);
    }
}

uint32_t relatives_next(struct relatives *relatives) {
    uint32_t next = MAP_NONE;
    for (size_t i = 0; i < relatives->head_count; i++) {
        uint32_t number = relatives->nodes[relatives->heads[i]].number;
        if (next == MAP_NONE || number > next)
            next = number;
    }
    for (size_t i = 0; i < relatives->head_count;) {
        const struct relatives_node *node = &relatives->nodes[relatives->heads[i]];
        if (node->number == next && node->before == MAP_NONE)
            relatives->heads[i] = relatives->heads[--relatives->head_count];
        else if (node->number == next)
            relatives->heads[i++] = node->before;
        else
            i++;
    }
    return next;
}

void relatives_clear(struct relatives *relatives) {
    if (relatives->count == 0)
        return;
    map_free(&relatives->own);
    map_free(&relatives->below);
    map_free(&relatives->family);
    relatives->count = 0;
}

void relatives_free(struct relatives *relatives) {
    relatives_clear(relatives);
    free(relatives->nodes);
    free(relatives->heads);
    *relatives = (struct relatives){.machine = relatives->machine};
}
