/* The lines of a call are found when its record is written, by when the process may have ended: its
 * program is kept open until then. */
#include "harness/run/captured_opened.h"

#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/run/captured_process.h"
#include "harness/system/process_facts.h"

enum { SWEEP_AT_LEAST = 64 };

void captured_opened_close(struct captured_process *process) {
    if (process->program.file >= 0)
        close(process->program.file);
    process->program.file = -1;
}

/* Its last events may wait still. */
void captured_opened_end(struct captured_processes *processes, uint32_t pid) {
    struct captured_process *process = captured_process_find(processes, pid);
    if (process == NULL)
        return;
    process->has_ended = true;
    if (process->program.file < 0)
        return;
    processes->ended = memory_grow(processes->ended, &processes->ended_room,
                                   processes->ended_count + 1, sizeof *processes->ended);
    processes->ended[processes->ended_count++] = (uint32_t)(process - processes->list);
}

static bool lives(const struct captured_process *process) {
    struct process_facts facts;
    return process_facts_read((pid_t)process->pid, &facts) && facts.state != 'Z';
}

/* Of some the end is read before they are met. What they did last waits in the kernel's ring, and
 * has been read when the next sweep comes. */
static void sweep(struct captured_processes *processes) {
    size_t left = 0, gone = 0;
    for (size_t i = 0; i < processes->count; i++) {
        struct captured_process *process = &processes->list[i];
        if (process->program.file < 0)
            continue;
        if (process->is_gone)
            captured_opened_close(process);
        else
            left++;
        process->is_gone = process->program.file >= 0 && !lives(process);
        gone += process->is_gone;
    }
    processes->opened = left;
    processes->sweep_at = gone > 0 ? 0 : 2 * left + SWEEP_AT_LEAST;
}

void captured_processes_forget_ended(struct captured_processes *processes) {
    for (size_t i = 0; i < processes->ended_count; i++)
        captured_opened_close(&processes->list[processes->ended[i]]);
    processes->ended_count = 0;
    if (processes->opened > processes->sweep_at)
        sweep(processes);
}

void captured_opened_open(struct captured_processes *processes, struct captured_process *process) {
    const char *path = process->start != NULL ? process->start->program : "";
    captured_opened_close(process);
    process->is_gone = false;
    bool is_replaced = process->start != NULL && process->start->is_replaced;
    if (!captured_program_open(is_replaced ? 0 : (pid_t)process->pid, path, processes->elsewhere,
                               &process->program))
        process->program.file = -1;
    else
        processes->opened++;
}
