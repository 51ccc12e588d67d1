/*
 * A process in which the shim is records its own start; of all others somebody else must. Whether
 * the shim will come is not known when a program is executed: what it could enter it may not reach,
 * because the environment was cleared or a library is missing. So a start is kept for a while, and
 * written as soon as it is needed.
 */
#include "harness/run/captured_processes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/base/path_last.h"
#include "harness/run/blind_spot.h"
#include "harness/run/captured_opened.h"
#include "harness/run/captured_process.h"
#include "harness/run/captured_start.h"
#include "harness/run/daemon_client.h"
#include "shim/shared/recorder.h"

/* The shim records a start some ms after the kernel has executed the program, and seconds after it
 * on a busy machine. Where it comes later still, the program stands in the trace twice. */
#define SHIM_COMES_WITHIN_NS (UINT64_C(60) * 1000 * 1000 * 1000)

struct captured_replaced {
    uint32_t pid;
    unsigned image;
    uint64_t until_ns; /* when it executed the next one */
    struct captured_start *start;
};

static struct captured_process *make(struct captured_processes *processes, uint32_t pid) {
    uint32_t index = (uint32_t)processes->count++;
    processes->list =
        memory_grow(processes->list, &processes->room, processes->count, sizeof *processes->list);
    processes->list[index] = (struct captured_process){.pid = pid, .program.file = -1};
    map_put(&processes->by_pid, pid, index);
    return &processes->list[index];
}

static void add_waiting(struct captured_processes *processes, uint32_t index) {
    processes->waiting = memory_grow(processes->waiting, &processes->waiting_room,
                                     processes->waiting_count + 1, sizeof *processes->waiting);
    processes->waiting[processes->waiting_count++] = index;
}

static void forget_start(struct captured_process *process) {
    free(process->start);
    process->start = NULL;
}

/* What was executed in this pid is seen: it is no blind spot. */
static void take_unentered(struct captured_processes *processes, uint32_t pid) {
    struct captured_process *process = captured_process_find(processes, pid);
    char *path = unentered_take(&processes->unentered, pid);
    if (path == NULL || process == NULL) {
        free(path);
        return;
    }
    free(process->announced);
    process->announced = path;
}

void captured_processes_unentered(struct captured_processes *processes, pid_t pid, unsigned reason,
                                  const char *path) {
    const struct captured_process *seen = captured_process_find(processes, (uint32_t)pid);
    if (seen == NULL || (seen->executed_ns == 0 && seen->met_ns == 0))
        unentered_add(&processes->unentered, (uint32_t)pid, reason, 0, 0, path);
}

/* After posix_spawn the record comes when the program runs already. */
static void learn_exec(struct captured_processes *processes, const struct trace_record *record,
                       uint32_t pid) {
    unsigned reason = PW_OBSTACLE_OF_FLAGS(record->flags);
    struct captured_process *seen = captured_process_find(processes, pid);
    if (record->kind == PW_KIND_EXEC_FAILED)
        take_unentered(processes, pid);
    else if (reason != 0 && (seen == NULL || (seen->executed_ns < record->begin_ns &&
                                              seen->met_ns < record->begin_ns)))
        unentered_add(&processes->unentered, pid, reason, record->process, record->begin_ns,
                      record->text != NULL ? record->text : "");
    else if (seen != NULL && seen->is_to_come && seen->announced == NULL && record->text != NULL)
        seen->announced = memory_copy(record->text, record->text_length);
}

/* The shim has recorded a program that executed another one since. */
static void learn_replaced(struct captured_processes *processes, struct captured_process *process,
                           uint64_t serial, uint64_t begin_ns) {
    size_t kept = 0;
    for (size_t i = 0; i < processes->replaced_count; i++) {
        const struct captured_replaced *replaced = &processes->replaced[i];
        if (replaced->pid != process->pid || begin_ns < replaced->start->ns ||
            begin_ns > replaced->until_ns) {
            processes->replaced[kept++] = *replaced;
            continue;
        }
        process->before[replaced->image % IMAGES_KEPT] = serial;
        free(replaced->start);
    }
    processes->replaced_count = kept;
}

/* One that has ended already is known by how it was announced, or by its name. */
static void note_daemon(const struct captured_processes *processes,
                        const struct captured_process *process) {
    const struct captured_start *start = process->start;
    char name[sizeof start->comm + 1] = "";
    bool is_gone = *start->program == '\0';
    memcpy(name, start->comm, sizeof start->comm);
    const char *program = !is_gone                     ? start->program
                          : process->announced != NULL ? process->announced
                                                       : name;
    if (!processes->is_host && (is_gone || start->obstacle != 0) && daemon_client_is(program))
        blind_spot_record(PW_BLIND_CONTAINER, 0, process->pid, program);
}

/* What the program is, once it is the one that was executed. */
static void read_image(struct captured_processes *processes, struct captured_process *process) {
    if (process->is_to_come)
        captured_start_name(process->start, process->announced);
    process->is_to_come = false;
    captured_start_image(process->start, process->pid);
    captured_opened_open(processes, process);
    note_daemon(processes, process);
}

/* A Go program that the shim is in goes past it: its calls need the program's lines. */
static void keep_own_calls(struct captured_processes *processes, struct captured_process *process) {
    if (process->start != NULL && process->is_to_come)
        read_image(processes, process);
    if (process->start == NULL || process->start->obstacle != PW_BLIND_OWN_CALLS)
        captured_opened_close(process);
}

/* In another PID namespace nothing says when a pid is given again. */
static bool is_still(const struct captured_process *process, uint64_t start_time) {
    return process != NULL &&
           (start_time == 0 || process->start_time == 0 || process->start_time == start_time);
}

/* What is read after an exec was reported may be of before it: a parent records a fork when it has
 * returned. */
static bool is_of_before(const struct captured_process *process, bool is_fork, uint64_t begin_ns) {
    return process->executed_ns > begin_ns || (is_fork && process->met_ns > begin_ns);
}

static void learn_start(struct captured_processes *processes, uint32_t pid, uint64_t start_time,
                        uint64_t serial, bool is_fork, uint64_t begin_ns) {
    if (pid == 0 || serial == 0)
        return;
    struct captured_process *process = captured_process_find(processes, pid);
    if (pid >= FOREIGN_PID && !is_still(process, start_time))
        process = NULL;
    if (process != NULL && is_of_before(process, is_fork, begin_ns)) {
        learn_replaced(processes, process, serial, begin_ns);
        return;
    }
    if (process == NULL)
        process = make(processes, pid);
    keep_own_calls(processes, process);
    forget_start(process);
    process->serial = serial;
    process->start_time = start_time;
    process->shim_ns = begin_ns;
    process->goes_past = process->program.file >= 0;
    process->is_looked_for = process->goes_past;
    process->has_shim = true;
    if (!process->goes_past)
        departed_seen(&processes->departed, pid, begin_ns);
    process->has_ended = false;
}

/* Who is in another PID namespace, the kernel tells by both pids: what the shim has said of him
 * there holds for the process here. */
static void meet_foreign(struct captured_processes *processes, const struct outside_event *event) {
    const struct outside_process *facts = event->process;
    if (facts == NULL || facts->inner_namespace == 0 ||
        facts->inner_namespace == processes->foreign.own_namespace)
        return;
    uint32_t before =
        foreign_pids_number(&processes->foreign, facts->inner_namespace, facts->inner_pid);
    foreign_pids_met(&processes->foreign, facts->inner_namespace, facts->inner_pid, event->pid);
    if (before < FOREIGN_PID)
        return;
    unentered_move(&processes->unentered, before, event->pid);
    const struct captured_process *known = captured_process_find(processes, before);
    if (known != NULL && is_still(known, facts->start_time))
        learn_start(processes, event->pid, known->start_time, known->serial, false, known->shim_ns);
}

void captured_processes_learn(struct captured_processes *processes,
                              const struct trace_record *record) {
    if (record->kind == PW_KIND_PROCESS_EXIT && record->identity != NULL &&
        record->source == PW_SOURCE_RUN)
        captured_opened_end(processes, record->identity->pid);
    if (record->identity == NULL || record->source != PW_SOURCE_SHIM)
        return;
    foreign_pids_learn(&processes->foreign, record);
    const struct pw_process *identity = record->identity;
    uint32_t pid = foreign_pids_of(&processes->foreign, record);
    if (record->kind == PW_KIND_PROCESS_START && identity->pid_namespace != 0) {
        unentered_reported(&processes->unentered, pid, identity->comm, record->begin_ns);
        learn_start(processes, pid, identity->start_time, record->process,
                    (record->flags & PW_FLAG_BY_FORK) != 0, record->begin_ns);
    } else if (record->kind == PW_KIND_FORK && record->error == 0) {
        learn_start(processes, pid, identity->start_time, identity->serial, true, record->begin_ns);
    } else if (record->kind == PW_KIND_EXEC || record->kind == PW_KIND_EXEC_FAILED) {
        learn_exec(processes, record, pid);
    }
}

const struct remote_program *captured_processes_program(struct captured_processes *processes,
                                                        uint32_t pid) {
    struct captured_process *process = captured_process_find(processes, pid);
    if (process == NULL)
        return NULL;
    if (process->has_shim && !process->is_looked_for) {
        process->is_looked_for = true;
        if (process->program.file < 0)
            captured_opened_open(processes, process);
    }
    return process->program.file >= 0 ? &process->program : NULL;
}

static uint64_t next_serial(void) {
    return atomic_fetch_add_explicit(&recorder_header()->next_process, 1, memory_order_relaxed) + 1;
}

static bool write_start(const struct captured_processes *processes,
                        const struct captured_process *process) {
    const struct captured_start *start = process->start;
    const struct captured_process *parent = captured_process_find(processes, start->parent);
    struct record record;
    unsigned units = 2 + record_text_units(start->length, PW_RECORD_UNITS_MAX - 2);
    if (!record_begin(&record, PW_KIND_PROCESS_START, units, process->serial, -1, start->ns))
        return false;
    struct pw_start *first = &record.units[0].start;
    first->thread = start->thread;
    first->source = start->source;
    first->flags = start->is_fork ? PW_FLAG_BY_FORK : PW_FLAG_BY_EXEC;
    first->flags |= start->is_cut ? PW_FLAG_TEXT_CUT : 0;
    record.units[1].process =
        (struct pw_process){.head = record.units[1].process.head,
                            .pid = process->pid,
                            .parent_pid = start->parent,
                            .uid = start->uid,
                            .serial = process->serial,
                            .parent = start->is_fork && parent != NULL ? parent->serial : 0,
                            .start_time = start->start_time,
                            .pid_namespace = processes->foreign.own_namespace};
    memcpy(record.units[1].process.comm, start->comm, sizeof start->comm);
    record_text(&record, 2, start->command, start->length);
    record_commit(&record, start->ns);
    return true;
}

static void record_start(struct captured_processes *processes, struct captured_process *process) {
    if (process->start == NULL)
        return;
    if (process->is_to_come)
        read_image(processes, process);
    process->serial = next_serial();
    process->has_shim = false;
    if (!write_start(processes, process))
        process->serial = 0;
    else
        captured_start_write_module(process->start, process->serial);
    if (process->serial != 0 && captured_start_has_ended(process->start, process->pid))
        captured_start_write_end(process->start, process->pid, process->serial,
                                 processes->foreign.own_namespace);
    forget_start(process);
}

static void add_replaced(struct captured_processes *processes, struct captured_process *process,
                         uint64_t until_ns) {
    if (process->is_to_come)
        read_image(processes, process);
    processes->replaced = memory_grow(processes->replaced, &processes->replaced_room,
                                      processes->replaced_count + 1, sizeof *processes->replaced);
    processes->replaced[processes->replaced_count++] =
        (struct captured_replaced){.pid = process->pid,
                                   .image = process->image,
                                   .until_ns = until_ns,
                                   .start = process->start};
    process->start = NULL;
}

void captured_processes_settle_replaced(struct captured_processes *processes) {
    for (size_t i = 0; i < processes->replaced_count; i++) {
        const struct captured_replaced *replaced = &processes->replaced[i];
        struct captured_process *process = captured_process_find(processes, replaced->pid);
        struct captured_process before = {.pid = replaced->pid,
                                          .program.file = -1,
                                          .serial = next_serial(),
                                          .start = replaced->start};
        if (write_start(processes, &before) && process != NULL)
            process->before[replaced->image % IMAGES_KEPT] = before.serial;
        forget_start(&before);
    }
    processes->replaced_count = 0;
}

/* Does a call only show what was announced, or what the shim has recorded already? */
static bool is_announced(struct captured_processes *processes, struct captured_process *process,
                         const struct outside_event *event) {
    struct captured_start *start = process->start;
    if (event->source != PW_SOURCE_SUPERVISOR || event->process == NULL)
        return false;
    if (start == NULL || !process->is_to_come)
        return event->kind == OUTSIDE_EXEC && process->has_shim &&
               process->shim_ns >= event->begin_ns;
    process->is_to_come = false;
    captured_start_take(start, event->process);
    start->uid = event->uid;
    process->start_time = start->start_time;
    read_image(processes, process);
    if (start->needs_record)
        record_start(processes, process);
    return true;
}

static void start_program(struct captured_processes *processes, struct captured_process *process,
                          const struct outside_event *event) {
    process->start = captured_start_read(event, false);
    if (process->start == NULL)
        return;
    process->start_time = process->start->start_time;
    process->is_to_come = event->source == PW_SOURCE_SUPERVISOR && event->process == NULL;
    if (!process->is_to_come)
        read_image(processes, process);
    if (process->start->needs_record)
        record_start(processes, process);
    else
        add_waiting(processes, (uint32_t)(process - processes->list));
}

void captured_processes_executed(struct captured_processes *processes,
                                 const struct outside_event *event) {
    meet_foreign(processes, event);
    struct captured_process *process = captured_process_find(processes, event->pid);
    if (process != NULL && is_announced(processes, process, event))
        return;
    if (process == NULL)
        process = make(processes, event->pid);
    uint64_t serial = process->start != NULL ? 0 : process->serial;
    if (process->start != NULL)
        add_replaced(processes, process, event->begin_ns);
    take_unentered(processes, event->pid);
    process->executed_ns = event->begin_ns;
    process->before[process->image++ % IMAGES_KEPT] = serial;
    process->has_ended = false;
    /* The record was read before the event was. */
    if (process->has_shim && process->shim_ns >= event->begin_ns)
        return;
    start_program(processes, process, event);
}

static struct captured_process *meet(struct captured_processes *processes,
                                     const struct outside_event *event) {
    struct captured_process *process = make(processes, event->pid);
    process->start = captured_start_read(event, true);
    process->start_time = process->start != NULL ? process->start->start_time : 0;
    /* What the shim will record needs no program, and looking for one takes time from it. */
    if (!captured_processes_expects_shim(processes, event->pid))
        captured_opened_open(processes, process);
    return process;
}

void captured_processes_met(struct captured_processes *processes,
                            const struct outside_event *event) {
    meet_foreign(processes, event);
    struct captured_process *process = captured_process_find(processes, event->pid);
    if (process != NULL) {
        (void)is_announced(processes, process, event);
    } else if (event->process != NULL && event->process->kind == OUTSIDE_EXEC) {
        /* When is not known: what the shim says of it holds, whenever it began. */
        take_unentered(processes, event->pid);
        process = make(processes, event->pid);
        process->met_ns = event->begin_ns;
        start_program(processes, process, event);
    } else if (event->pid != 0) {
        meet(processes, event);
    }
}

void captured_processes_left(struct captured_processes *processes,
                             const struct outside_event *event) {
    const struct captured_process *process = captured_process_find(processes, event->pid);
    bool is_shims = process != NULL && process->has_shim && !process->goes_past &&
                    process->shim_ns <= event->begin_ns;
    if (!is_shims)
        departed_add(&processes->departed, event);
}

bool captured_processes_expects_shim(const struct captured_processes *processes, uint32_t pid) {
    const struct captured_process *process = captured_process_find(processes, pid);
    const struct captured_process *parent =
        process != NULL && process->start != NULL && process->start->is_fork
            ? captured_process_find(processes, process->start->parent)
            : NULL;
    return parent != NULL && parent->has_shim;
}

uint64_t captured_processes_known(const struct captured_processes *processes, uint32_t pid) {
    const struct captured_process *process = captured_process_find(processes, pid);
    return process != NULL ? process->serial : 0;
}

unsigned captured_processes_image(const struct captured_processes *processes, uint32_t pid) {
    const struct captured_process *process = captured_process_find(processes, pid);
    return process != NULL ? process->image : 0;
}

bool captured_processes_has(const struct captured_processes *processes, uint32_t pid,
                            uint64_t start_time) {
    const struct captured_process *process = captured_process_find(processes, pid);
    if (process == NULL)
        return unentered_has(&processes->unentered, pid);
    return !process->has_ended && is_still(process, start_time);
}

/* The event of the exec was lost: the program's first call stands for it. */
static void execute_late(struct captured_processes *processes, const struct outside_event *call,
                         const char *path) {
    struct outside_event executed = *call;
    executed.kind = OUTSIDE_EXEC;
    snprintf(executed.comm, sizeof executed.comm, "%s", path_last(path));
    captured_processes_executed(processes, &executed);
}

uint64_t captured_processes_serial(struct captured_processes *processes,
                                   const struct outside_event *event, unsigned image) {
    struct captured_process *process = captured_process_find(processes, event->pid);
    if (event->pid == 0)
        return 0;
    const char *late = process != NULL && process->start == NULL
                           ? unentered_since(&processes->unentered, event->pid, event->begin_ns)
                           : NULL;
    if (late != NULL)
        execute_late(processes, event, late);
    process = captured_process_find(processes, event->pid);
    if (process != NULL && image < process->image && event->begin_ns < process->executed_ns &&
        process->image - image <= IMAGES_KEPT && process->before[image % IMAGES_KEPT] != 0)
        return process->before[image % IMAGES_KEPT];
    if (process == NULL)
        process = meet(processes, event);
    if (process->start != NULL && process->start->is_fork)
        take_unentered(processes, event->pid);
    record_start(processes, process);
    return process->serial;
}

void captured_processes_settle(struct captured_processes *processes, bool all) {
    uint64_t now = monotonic_ns();
    size_t kept = 0;
    for (size_t i = 0; i < processes->waiting_count; i++) {
        uint32_t index = processes->waiting[i];
        struct captured_process *process = &processes->list[index];
        if (process->start == NULL)
            continue;
        if (all || now - process->start->ns > SHIM_COMES_WITHIN_NS)
            record_start(processes, process);
        else
            processes->waiting[kept++] = index;
    }
    processes->waiting_count = kept;
    if (!all)
        return;
    unentered_record(&processes->unentered);
    departed_record(&processes->departed);
}

void captured_processes_free(struct captured_processes *processes) {
    for (size_t i = 0; i < processes->count; i++)
        forget_start(&processes->list[i]);
    for (size_t i = 0; i < processes->count; i++)
        captured_opened_close(&processes->list[i]);
    for (size_t i = 0; i < processes->count; i++)
        free(processes->list[i].announced);
    free(processes->list);
    unentered_free(&processes->unentered);
    departed_free(&processes->departed);
    free(processes->waiting);
    for (size_t i = 0; i < processes->replaced_count; i++)
        free(processes->replaced[i].start);
    free(processes->replaced);
    free(processes->ended);
    map_free(&processes->by_pid);
    foreign_pids_free(&processes->foreign);
    *processes = (struct captured_processes){0};
}
