/* --capture=host records everybody, so that whoever takes a port from the command is known. What
 * others do to each other is not for the command's user to repair. */
#include "harness/check/stranger_findings.h"

#include "harness/check/history.h"

bool stranger_findings_has(const struct machine *machine, uint64_t serial) {
    const struct process *process = machine_process(machine, serial);
    return process != NULL && process->is_stranger;
}

void stranger_findings_fill_in(const struct machine *machine, struct finding *finding) {
    uint64_t serial = finding->held_by != 0 ? finding->held_by : finding->other.process;
    const struct process *process = machine_process(machine, serial);
    if (process == NULL || !process->is_stranger || finding->table.pid != 0)
        return;
    finding->table = (struct table_holder){.pid = process->pid,
                                           .parent_pid = process->parent_pid,
                                           .uid = process->uid,
                                           .start_time = process->start_time * HISTORY_NS_PER_TICK,
                                           .endpoint = finding->other.endpoint,
                                           .command = process->command,
                                           .folder = process->folder,
                                           .user = process->user,
                                           .control_group = process->control_group,
                                           .sought = true};
    table_holder_own(&finding->table);
}

/* A window is there for whoever relied on the number: who came by does not matter. */
static bool is_among_strangers(const struct machine *machine, const struct finding *finding) {
    bool is_window = finding->kind == FINDING_RACE_WINDOW;
    const uint64_t sides[] = {finding->subject.process, finding->assigned.process,
                              is_window ? 0 : finding->other.process,
                              is_window ? 0 : finding->held_by, finding->other_assigned.process};
    bool any = false;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        if (sides[i] == 0)
            continue;
        if (!stranger_findings_has(machine, sides[i]))
            return false;
        any = true;
    }
    return any;
}

void stranger_findings_leave_out(const struct machine *machine, struct findings *findings,
                                 size_t from) {
    size_t kept = from;
    for (size_t i = from; i < findings->count; i++) {
        struct finding finding = findings->list[i];
        if (is_among_strangers(machine, &finding))
            finding_free(&finding);
        else
            findings->list[kept++] = finding;
    }
    findings->count = kept < findings->count ? kept : findings->count;
}
