/* A serial is a program image: exec makes a new one in the same process, whose parent is the image
 * before it. A step over an exec is not a generation. */
#include "harness/check/ancestry.h"

enum {
    STEPS_MAX = 4096, /* further back nothing is searched */
    SIBLING_GENERATIONS = 3
};

static uint64_t tag_of(uint64_t serial) { return serial & ~MACHINE_LOCAL_MASK; }

static bool is_exec_step(const struct machine *machine, const struct process *process,
                         uint64_t tag) {
    if (!process->by_exec || process->parent == 0)
        return false;
    const struct process *before = machine_process(machine, process->parent | tag);
    return before != NULL && before->pid == process->pid &&
           before->pid_namespace == process->pid_namespace;
}

uint64_t ancestry_step(const struct machine *machine, uint64_t serial) {
    const struct process *process = machine_process(machine, serial);
    if (process == NULL || process->parent == 0 || process->parent == process->serial)
        return 0;
    return process->parent | tag_of(serial);
}

static bool is_below(const struct machine *machine, uint64_t lower, uint64_t upper) {
    /* Whoever is above has the lower serial. */
    for (int step = 0; lower > upper && step < STEPS_MAX; step++)
        lower = ancestry_step(machine, lower);
    return lower != 0 && lower == upper;
}

uint64_t ancestry_process(const struct machine *machine, uint64_t serial) {
    for (int step = 0; step < STEPS_MAX; step++) {
        const struct process *process = machine_process(machine, serial);
        if (process == NULL || !is_exec_step(machine, process, tag_of(serial)))
            break;
        serial = process->parent | tag_of(serial);
    }
    return serial;
}

bool ancestry_is_above(const struct machine *machine, uint64_t upper, uint64_t lower) {
    return upper != 0 && lower != 0 && MACHINE_TRACE(upper) == MACHINE_TRACE(lower) &&
           is_below(machine, lower, ancestry_process(machine, upper));
}

bool ancestry_is_related(const struct machine *machine, uint64_t one, uint64_t other) {
    if (one == 0 || other == 0 || MACHINE_TRACE(one) != MACHINE_TRACE(other))
        return false;
    return is_below(machine, one, ancestry_process(machine, other)) ||
           is_below(machine, other, ancestry_process(machine, one));
}

bool ancestry_is_same(const struct machine *machine, uint64_t one, uint64_t other) {
    if (one == 0 || other == 0 || MACHINE_TRACE(one) != MACHINE_TRACE(other))
        return false;
    return one == other || ancestry_process(machine, one) == ancestry_process(machine, other);
}

uint64_t ancestry_maker(const struct machine *machine, uint64_t serial) {
    return ancestry_step(machine, ancestry_process(machine, serial));
}

uint64_t ancestry_parent(const struct machine *machine, uint64_t serial) {
    return ancestry_process(machine, ancestry_maker(machine, serial));
}

bool ancestry_is_sibling(const struct machine *machine, uint64_t one, uint64_t other) {
    if (one == 0 || other == 0 || MACHINE_TRACE(one) != MACHINE_TRACE(other))
        return false;
    uint64_t ancestor = ancestry_process(machine, one);
    for (int i = 0; i < SIBLING_GENERATIONS && ancestor != 0; i++) {
        ancestor = ancestry_parent(machine, ancestor);
        uint64_t other_ancestor = ancestry_process(machine, other);
        for (int j = 0; j < SIBLING_GENERATIONS && ancestor != 0 && other_ancestor != 0; j++) {
            other_ancestor = ancestry_parent(machine, other_ancestor);
            if (ancestor == other_ancestor)
                return true;
        }
    }
    return false;
}

uint64_t ancestry_common(const struct machine *machine, uint64_t one, uint64_t other) {
    if (one == 0 || other == 0 || MACHINE_TRACE(one) != MACHINE_TRACE(other))
        return 0;
    one = ancestry_process(machine, one);
    other = ancestry_process(machine, other);
    for (int step = 0; one != other && one != 0 && other != 0 && step < STEPS_MAX; step++) {
        /* Whoever is above has the lower serial. */
        if (one > other)
            one = ancestry_parent(machine, one);
        else
            other = ancestry_parent(machine, other);
    }
    return one == other ? one : 0;
}

uint64_t ancestry_program_began_ns(const struct machine *machine, uint64_t serial) {
    const struct process *process = machine_process(machine, serial);
    for (int step = 0; process != NULL && process->by_fork && step < STEPS_MAX; step++) {
        const struct process *parent = machine_process(machine, ancestry_step(machine, serial));
        if (parent == NULL)
            break;
        serial = parent->serial | tag_of(serial);
        process = parent;
    }
    if (process == NULL || process->by_fork || process->first_ns == UINT64_MAX)
        return 0;
    return process->first_ns;
}

int ancestry_status(const struct machine *machine, uint64_t serial) {
    const struct process *process = machine_process(machine, serial);
    return process != NULL ? process->life_status : -1;
}
