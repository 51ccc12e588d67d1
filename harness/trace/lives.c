/* fork doubles every descriptor, exec keeps those that are not close-on-exec, exit drops them all.
 * A program started by exec has a serial of its own; it is the same process as before if pid, pid
 * namespace and start time are. What it inherited it reports itself, so all that the program before
 * it had is taken from it at the exec. */
#include "harness/trace/lives.h"

#include <stdlib.h>

#include "harness/base/memory.h"

void lives_begin(struct lives *lives, const struct processes *processes, struct sockets *sockets) {
    size_t room = 0;

    *lives = (struct lives){.processes = processes, .sockets = sockets};
    lives->list = memory_grow(NULL, &room, processes->count + 1, sizeof *lives->list);
    for (size_t i = 0; i < processes->count; i++)
        lives->list[i] = (struct life){.successor = MAP_NONE};
}

static uint64_t identity_key(const struct process *process) {
    return (process->start_time * UINT64_C(0x100000001b3) ^ process->pid_namespace) *
               UINT64_C(0x100000001b3) ^
           process->pid;
}

static bool same_process(const struct process *one, const struct process *other) {
    return one->pid != 0 && one->pid == other->pid && one->start_time == other->start_time &&
           one->pid_namespace == other->pid_namespace;
}

/* What ran in the process before the exec. A child that never recorded itself is known by its
 * parent's record alone, which does not know its start time: there the new program names it. */
static uint32_t predecessor_of(const struct lives *lives, uint32_t index) {
    const struct process *process = &lives->processes->list[index];
    uint32_t before = map_get(&lives->by_identity, identity_key(process));

    if (before != MAP_NONE && before != index &&
        same_process(&lives->processes->list[before], process))
        return before;
    if (!process->by_exec)
        return MAP_NONE;
    before = processes_index(lives->processes, process->parent);
    if (before == MAP_NONE || before == index || lives->processes->list[before].pid != process->pid)
        return MAP_NONE;
    return before;
}

static void copy_from_parent(struct lives *lives, uint32_t parent, uint32_t child, uint64_t ns) {
    if (parent == MAP_NONE || lives->list[child].has_parents)
        return;
    lives->list[child].has_parents = true;
    sockets_copy_holders(lives->sockets, parent, child, ns);
}

static void start(struct lives *lives, uint32_t index, uint64_t ns) {
    const struct process *process = &lives->processes->list[index];
    uint32_t before;

    if (process->by_fork) {
        copy_from_parent(lives, processes_index(lives->processes, process->parent), index, ns);
    } else {
        before = predecessor_of(lives, index);
        /* In a damaged trace a program may start twice: what has a successor succeeds nobody, so
         * that no ring comes of it. */
        if (before != MAP_NONE && lives->list[before].successor == MAP_NONE &&
            lives->list[index].successor == MAP_NONE) {
            lives->list[before].successor = index;
            sockets_release_all(lives->sockets, before, ns, END_CLOSED);
        }
    }
    map_put(&lives->by_identity, identity_key(process), index);
}

static void end(struct lives *lives, uint32_t index, uint64_t ns) {
    /* `run` may know the process by the serial that it had before an exec. */
    for (size_t i = 0; index != MAP_NONE && i < lives->processes->count; i++) {
        lives->list[index].ended_ns = ns;
        sockets_release_all(lives->sockets, index, ns, END_EXIT);
        index = lives->list[index].successor;
    }
}

void lives_apply(struct lives *lives, const struct event *event) {
    uint32_t process = processes_index(lives->processes, event->process);
    uint32_t child;

    if (process == MAP_NONE || event->error != 0)
        return;
    switch (event->kind) {
    case PW_KIND_PROCESS_START:
        start(lives, process, event->ns);
        break;
    case PW_KIND_FORK:
        child = processes_index(lives->processes, event->other);
        if (child != MAP_NONE)
            copy_from_parent(lives, process, child, event->ns);
        break;
    case PW_KIND_PROCESS_EXIT:
        /* The child of vfork bears its parent's serial, and its end is not its parent's. */
        if (!(event->flags & PW_FLAG_VFORK_CHILD))
            end(lives, process, event->ns);
        break;
    default:
        break;
    }
}

void lives_finish(struct lives *lives) {
    /* Other threads go on between a process's exit record and its end. */
    for (uint32_t i = 0; i < lives->processes->count; i++)
        if (lives->list[i].ended_ns != 0)
            sockets_release_all(lives->sockets, i, lives->list[i].ended_ns, END_EXIT);
}

void lives_free(struct lives *lives) {
    free(lives->list);
    map_free(&lives->by_identity);
}
