/* Which of twenty servers that was is shown by what stands above it: the shard, the worker, the
 * test. */
#include "harness/report/generations.h"

#include <stddef.h>

bool generations_are_one(const struct process *one, const struct process *other) {
    return one->pid == other->pid && one->start_time == other->start_time;
}

static const struct process *above(const struct processes *processes,
                                   const struct process *process) {
    const struct process *parent = processes_find(processes, process->parent);
    while (parent != NULL && parent != process && parent->pid == process->pid)
        parent = processes_find(processes, parent->parent);
    return parent == process ? NULL : parent;
}

void generations_of(struct generations *generations, const struct processes *processes,
                    uint64_t serial) {
    const struct process *process = processes_find(processes, serial);
    unsigned count = 0;
    for (; process != NULL && count < GENERATIONS_MAX; process = above(processes, process))
        generations->chain[count++] = process;
    generations->count = count;
    for (unsigned i = 0; i < count / 2; i++) {
        const struct process *one = generations->chain[i];
        generations->chain[i] = generations->chain[count - 1 - i];
        generations->chain[count - 1 - i] = one;
    }
}

unsigned generations_in_common(const struct generations *one, const struct generations *other) {
    unsigned common = 0;
    while (common < one->count && common < other->count &&
           one->chain[common]->pid == other->chain[common]->pid)
        common++;
    return common;
}
