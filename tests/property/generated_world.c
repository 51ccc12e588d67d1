/* Worlds of a few processes that are given ports, rely on them or not, and get in each other's way.
 */
#include "tests/property/generated_world.h"

#include <stddef.h>

#include "harness/base/splitmix.h"

enum relation { SAME, CHILD, ARGUMENT, SIBLING };

static uint64_t state;

void world_seed(uint64_t seed) { state = seed; }

static uint64_t draw(void) { return splitmix(&state); }

unsigned world_below(unsigned limit) { return (unsigned)(draw() % limit); }

static struct event *add(struct world *world, enum pw_kind kind, int process) {
    struct event *event = &world->list[world->count++];
    world->now += 2000 + world_below(4000);
    *event = (struct event){.kind = kind,
                            .process = process,
                            .t = world->now,
                            .assignment = NOBODY,
                            .parent = NOBODY,
                            .taker = NOBODY,
                            .whole = true};
    return event;
}

static int start(struct world *world, int parent, uint64_t flags) {
    int process = world->processes++;
    struct event *event = add(world, PW_KIND_PROCESS_START, process);
    event->parent = world->parent[process] = parent;
    event->sharp = true;
    event->flags = flags;
    return process;
}

static struct event *bind_event(struct world *world, int process, unsigned port) {
    struct event *event = add(world, PW_KIND_BIND, process);
    event->port = port;
    event->cookie = world->index * EVENTS + (uint64_t)world->count;
    return event;
}

static int root_of(const struct world *world, int process) {
    while (world->parent[process] != NOBODY)
        process = world->parent[process];
    return process;
}

static void assign(struct world *world) {
    unsigned first = world_below(PORTS);
    for (unsigned i = 0; i < PORTS; i++) {
        unsigned port = (first + i) % PORTS;
        if (world->holder[port] != NOBODY)
            continue;
        struct event *event = bind_event(world, (int)world_below(5), port);
        event->flags = PW_FLAG_PORT_ZERO;
        if (world_below(8) != 0)
            event->flags |= PW_FLAG_ADDRESS_READ;
        event->sharp = true;
        world->holder[port] = world->count - 1;
        return;
    }
}

static void close_one(struct world *world) {
    unsigned port = world_below(PORTS);
    int holder = world->holder[port];
    if (holder == NOBODY)
        return;
    struct event *event = add(world, PW_KIND_CLOSE, world->list[holder].process);
    event->cookie = world->list[holder].cookie;
    event->port = port;
    world->list[holder].closed = true;
    world->holder[port] = NOBODY;
    if (world_below(20) == 0)
        event->whole = false; /* nobody saw it */
}

static void bind_number(struct world *world, int process, unsigned port, int assignment,
                        uint64_t flags) {
    struct event *event = bind_event(world, process, port);
    event->flags = PW_FLAG_BY_NUMBER | flags;
    event->assignment = assignment;
    if (world->holder[port] != NOBODY) {
        event->error = 98; /* EADDRINUSE */
        event->taker = world->holder[port];
    } else
        world->holder[port] = world->count - 1;
}

/* Has the process, or one of its parent's, named the number before that moment? Then the rule says
 * that it proves nothing. */
static bool was_named(const struct world *world, int process, unsigned port, uint64_t before) {
    for (int i = 0; i < world->count; i++) {
        const struct event *event = &world->list[i];
        if (event->kind == PW_KIND_BIND && (event->flags & PW_FLAG_BY_NUMBER) != 0 &&
            event->port == port && event->t < before &&
            (event->process == process ||
             (world->parent[process] != NOBODY &&
              world->parent[event->process] == world->parent[process])))
            return true;
    }
    return false;
}

static void claim(struct world *world) {
    int from = (int)world_below((unsigned)world->count);
    for (int i = 0; i < world->count; i++) {
        int index = (from + i) % world->count;
        struct event *given = &world->list[index];
        if (given->kind != PW_KIND_BIND || (given->flags & PW_FLAG_ADDRESS_READ) == 0 ||
            !given->closed || given->claimed)
            continue;
        enum relation relation = (enum relation)world_below(4);
        int process = given->process;
        uint64_t flags = 0;
        if (relation == SIBLING && world->parent[process] == NOBODY)
            relation = SAME;
        if (world->processes + 1 >= PROCESSES)
            relation = SAME;
        if (relation == CHILD)
            process = start(world, process, 0);
        else if (relation == SIBLING)
            process = start(world, world->parent[process], 0);
        else if (relation == ARGUMENT)
            process = start(world, root_of(world, process), 0);
        if (relation == ARGUMENT)
            flags = PW_FLAG_IN_ARGUMENTS;
        bool named = was_named(world, process, world->list[index].port, world->list[index].t);
        bind_number(world, process, world->list[index].port, index, flags);
        world->list[index].claimed = true;
        world->list[world->count - 1].expected = !named;
        return;
    }
}

static void make_events(struct world *world, uint64_t index) {
    *world = (struct world){.index = index, .now = (index + 1) * UINT64_C(1000000000)};
    for (unsigned i = 0; i < PORTS; i++)
        world->holder[i] = NOBODY;
    int root = start(world, NOBODY, 0);
    start(world, root, 0);
    start(world, root, 0);
    start(world, NOBODY, 0); /* strangers that are given ports */
    start(world, NOBODY, 0);
    start(world, NOBODY, 0); /* and that have numbers of their own */
    start(world, NOBODY, 0);
    for (unsigned i = 0; i < ACTIONS && world->count + 4 < EVENTS; i++) {
        unsigned action = world_below(10);
        if (action < 3)
            assign(world);
        else if (action < 6)
            close_one(world);
        else if (action < 9)
            claim(world);
        else
            bind_number(world, 5 + (int)world_below(2), world_below(PORTS), NOBODY, 0);
    }
}

/* Each interval holds its moment and none of the same process's other moments. */
static void jitter(struct world *world) {
    for (int i = 0; i < world->count; i++) {
        struct event *event = &world->list[i];
        unsigned most = event->sharp ? 1 : 12000;
        uint64_t low = 0;
        uint64_t high = UINT64_MAX;
        for (int j = 0; j < world->count; j++) {
            if (j == i || world->list[j].process != event->process)
                continue;
            if (j < i)
                low = world->list[j].end;
            else if (high == UINT64_MAX)
                high = world->list[j].t;
        }
        event->begin = event->t - world_below(most);
        event->end = event->t + 1 + world_below(most);
        if (event->begin <= low)
            event->begin = low + 1;
        if (event->end >= high)
            event->end = high - 1;
        if (event->begin > event->t)
            event->begin = event->t;
        if (event->end < event->t)
            event->end = event->t;
    }
}

/* Neither the release nor who came after it is on record: then the claimant seems to hold its port.
 */
static bool is_without_trace(const struct world *world, const struct event *event) {
    const struct event *given = &world->list[event->assignment];
    if (event->taker == NOBODY || world->list[event->taker].whole)
        return false;
    for (int i = 0; i < world->count; i++)
        if (world->list[i].kind == PW_KIND_CLOSE && world->list[i].cookie == given->cookie)
            return !world->list[i].whole;
    return true;
}

/* Another bind of the number relies on an assignment that is not on record, and so may seem to
 * prove this one. */
static bool is_shadowed(const struct world *world, const struct event *event) {
    for (int i = 0; i < world->count; i++) {
        const struct event *other = &world->list[i];
        if (other != event && other->port == event->port && other->assignment != NOBODY &&
            !world->list[other->assignment].whole)
            return true;
    }
    return false;
}

void world_make(struct world *world, uint64_t index) {
    make_events(world, index);
    jitter(world);
}

bool world_expects(const struct world *world, const struct event *event) {
    return event->expected && event->whole && world->list[event->assignment].whole &&
           !is_without_trace(world, event) && !is_shadowed(world, event);
}
