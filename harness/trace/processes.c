/* Who is who: everything else in a trace names processes by serial alone. A forked child often
 * records nothing of itself but its serial, so what it lacks is taken from its parent. */
#include "harness/trace/processes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/trace/seen_by.h"

#define GENERATIONS_MAX 4096 /* what forked each other further back than that is not searched */

uint32_t processes_index(const struct processes *processes, uint64_t serial) {
    return serial == 0 ? MAP_NONE : map_get(&processes->by_serial, serial);
}

const struct process *processes_find(const struct processes *processes, uint64_t serial) {
    uint32_t index = processes_index(processes, serial);

    return index == MAP_NONE ? NULL : &processes->list[index];
}

static struct process *find_or_add(struct processes *processes, uint64_t serial) {
    uint32_t index = processes->last;

    if (index >= processes->count || processes->list[index].serial != serial)
        index = processes_index(processes, serial);
    if (index == MAP_NONE) {
        index = (uint32_t)processes->count++;
        processes->list = memory_grow(processes->list, &processes->room, processes->count,
                                      sizeof *processes->list);
        processes->list[index] = (struct process){
            .serial = serial, .first_ns = UINT64_MAX, .status = -1, .life_status = -1};
        map_put(&processes->by_serial, serial, index);
    }
    processes->last = index;
    return &processes->list[index];
}

/* Serials are counted up, so a parent's is below its child's; only a damaged trace says otherwise,
 * and only there could parents form a ring. */
static void set_parent(struct process *process, uint64_t parent) {
    process->parent = parent < process->serial ? parent : 0;
}

static void take_identity(struct process *process, const struct pw_process *identity) {
    if (identity->pid != 0) /* a child in a sandbox cannot ask for its own */
        process->pid = identity->pid;
    set_parent(process, identity->parent);
    if (identity->start_time != 0)
        process->start_time = identity->start_time;
    if (identity->pid_namespace != 0)
        process->pid_namespace = identity->pid_namespace;
    if (identity->comm[0] != '\0')
        memcpy(process->comm, identity->comm, sizeof identity->comm);
}

static void take_command(struct process *process, const struct trace_record *record) {
    if (record->text == NULL || record->text_length == 0)
        return;
    free(process->command);
    process->command = memory_copy(record->text, record->text_length);
    for (size_t i = 0; i < record->text_length; i++)
        if (process->command[i] == '\0')
            process->command[i] = ' ';
}

static void note_pid(struct processes *processes, const struct process *process) {
    if (process->pid != 0)
        map_put(&processes->by_pid, processes_pid_key(process->pid_namespace, process->pid),
                (uint32_t)(process - processes->list));
}

/* The latest process with that pid, or else one of which the namespace is not known. */
static const struct process *at_pid(const struct processes *processes, uint64_t pid_namespace,
                                    uint32_t pid) {
    uint32_t index = map_get(&processes->by_pid, processes_pid_key(pid_namespace, pid));
    if (index == MAP_NONE)
        index = map_get(&processes->by_pid, processes_pid_key(0, pid));
    return index != MAP_NONE ? &processes->list[index] : NULL;
}

/* A program records no serial of a parent that it cannot know: what ran in its pid before is known
 * by pid and start time, which a forked child without a record lacks, and any other parent by pid.
 */
static void find_parent(struct processes *processes, struct process *process,
                        const struct pw_process *identity) {
    const struct process *before = at_pid(processes, process->pid_namespace, identity->pid);
    const struct process *parent = at_pid(processes, process->pid_namespace, identity->parent_pid);

    if (before != NULL && before != process &&
        (before->start_time == process->start_time || before->start_time == 0))
        set_parent(process, before->serial);
    else if (parent != NULL && parent != process && parent->serial != process->serial)
        set_parent(process, parent->serial);
}

static void note_fork(struct processes *processes, const struct trace_record *record) {
    struct process *child;

    if (record->identity->serial == 0 || record->identity->serial == record->process)
        return;
    child = find_or_add(processes, record->identity->serial);
    if (child->pid == 0) {
        const struct process *parent = processes_find(processes, record->process);
        take_identity(child, record->identity);
        child->pid_namespace = parent != NULL ? parent->pid_namespace : 0;
    }
    set_parent(child, record->process);
    child->by_fork = true;
    note_pid(processes, child);
}

/* A process records its end before it comes, and the kernel reports it afterwards: the kernel's
 * word counts. */
static void note_exit(struct processes *processes, const struct trace_record *record) {
    uint64_t serial = record->process != 0 ? record->process : record->identity->serial;
    struct process *process;

    if (serial == 0 || record->flags & PW_FLAG_VFORK_CHILD)
        return;
    process = find_or_add(processes, serial);
    process->ended_ns = record->begin_ns;
    if ((record->flags & PW_FLAG_STATUS_KNOWN) != 0 &&
        (process->status < 0 || record->source == PW_SOURCE_RUN))
        process->status = PW_STATUS_OF_FLAGS(record->flags);
}

static void take_text(char **to, const struct trace_record *record, size_t *at) {
    if (record->text == NULL || *at >= record->text_length)
        return;
    const char *text = record->text + *at;
    size_t length = strlen(text);
    *at += length + 1;
    if (to == NULL || length == 0)
        return;
    free(*to);
    *to = memory_copy(text, length);
}

/* Command line, working folder, user, control groups. */
static void note_stranger(struct process *process, const struct trace_record *record) {
    size_t at = 0;
    take_text(NULL, record, &at);
    take_text(&process->folder, record, &at);
    take_text(&process->user, record, &at);
    take_text(&process->control_group, record, &at);
}

void processes_note(struct processes *processes, const struct trace_record *record) {
    struct process *process;

    /* What `run` says of a process can come long before or after its life. */
    if (record->process != 0 && record->source != PW_SOURCE_RUN) {
        process = find_or_add(processes, record->process);
        process->seen_by |= seen_by_record(record);
        if (record->begin_ns < process->first_ns)
            process->first_ns = record->begin_ns;
        if (record->source != PW_SOURCE_SHIM && (record->flags & PW_FLAG_PORT_ZERO) != 0 &&
            (record->flags & PW_FLAG_POLICY) == 0)
            process->passed_policy = true;
    }
    if (record->kind == PW_KIND_BLIND_SPOT && record->process != 0 && record->numbers != NULL &&
        record->numbers->code == PW_BLIND_SANDBOXED && !(record->flags & PW_FLAG_VFORK_CHILD))
        find_or_add(processes, record->process)->sandboxed_ns = record->begin_ns;
    if (record->identity == NULL)
        return;
    if (record->kind == PW_KIND_HOLDER && record->cookie == 0 && record->process != 0)
        note_stranger(find_or_add(processes, record->process), record);
    if (record->kind == PW_KIND_FORK && record->error == 0)
        note_fork(processes, record);
    if (record->kind == PW_KIND_PROCESS_EXIT)
        note_exit(processes, record);
    if (record->kind != PW_KIND_PROCESS_START || record->process == 0)
        return;
    process = find_or_add(processes, record->process);
    take_identity(process, record->identity);
    take_command(process, record);
    process->by_fork = (record->flags & PW_FLAG_BY_FORK) != 0;
    process->by_exec = (record->flags & PW_FLAG_BY_EXEC) != 0;
    process->is_stranger = (record->flags & PW_FLAG_STRANGER) != 0;
    process->uid = record->identity->uid;
    process->parent_pid = record->identity->parent_pid;
    if (process->parent == 0)
        find_parent(processes, process, record->identity);
    note_pid(processes, process);
}

/* What does not change at an exec. */
static uint64_t life_key(const struct process *process) {
    return (process->start_time * UINT64_C(0x9e3779b97f4a7c15) ^ process->pid_namespace) *
               UINT64_C(0x100000001b3) ^
           process->pid;
}

static bool is_one_life(const struct process *one, const struct process *other) {
    return one->start_time != 0 && one->pid == other->pid && one->start_time == other->start_time &&
           one->pid_namespace == other->pid_namespace;
}

/* The first image of the process that is in the map; NULL: there is none. */
static const struct process *image_in(const struct map *map, const struct processes *processes,
                                      const struct process *process) {
    uint32_t index = map_get(map, life_key(process));
    const struct process *image = index != MAP_NONE ? &processes->list[index] : NULL;
    return image != NULL && is_one_life(process, image) ? image : NULL;
}

void processes_finish(struct processes *processes) {
    struct map ended = {0};
    struct map with_status = {0};
    for (size_t i = processes->count; i-- > 0;) {
        const struct process *process = &processes->list[i];
        if (process->start_time != 0 && process->ended_ns != 0)
            map_put(&ended, life_key(process), (uint32_t)i);
        if (process->start_time != 0 && process->status >= 0)
            map_put(&with_status, life_key(process), (uint32_t)i);
    }
    for (size_t i = 0; i < processes->count; i++) {
        struct process *process = &processes->list[i];
        const struct process *other = image_in(&ended, processes, process);
        process->life_end_ns =
            process->ended_ns == 0 && other != NULL ? other->ended_ns : process->ended_ns;
        other = image_in(&with_status, processes, process);
        process->life_status =
            process->status < 0 && other != NULL ? other->status : process->status;
    }
    map_free(&ended);
    map_free(&with_status);
}

const struct process *process_forked_from(const struct processes *processes,
                                          const struct process *process) {
    return process->by_fork ? processes_find(processes, process->parent) : NULL;
}

const char *process_command(const struct processes *processes, const struct process *process) {
    for (int generation = 0; process != NULL && generation < GENERATIONS_MAX; generation++) {
        if (process->command != NULL)
            return process->command;
        process = process_forked_from(processes, process);
    }
    return NULL;
}

const char *process_name(const struct processes *processes, const struct process *process,
                         char text[PROCESS_NAME_BYTES]) {
    const char *command = process_command(processes, process);
    size_t length = command != NULL ? strcspn(command, " ") : 0;
    size_t base = length;
    while (base > 0 && command[base - 1] != '/')
        base--;
    snprintf(text, PROCESS_NAME_BYTES, "%s", process->comm);
    if (strlen(process->comm) == sizeof process->comm - 2 && length - base >= strlen(text) &&
        strncmp(command + base, text, strlen(text)) == 0)
        snprintf(text, PROCESS_NAME_BYTES, "%.*s", (int)(length - base), command + base);
    return text;
}

void processes_free(struct processes *processes) {
    for (size_t i = 0; i < processes->count; i++) {
        free(processes->list[i].command);
        free(processes->list[i].folder);
        free(processes->list[i].user);
        free(processes->list[i].control_group);
    }
    free(processes->list);
    map_free(&processes->by_serial);
    map_free(&processes->by_pid);
    *processes = (struct processes){0};
}
