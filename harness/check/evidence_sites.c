/* Every process records every file that it calls from; only those in findings are worth keeping.
 */
#include "harness/check/evidence_sites.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/trace/record_frames.h"

enum { GENERATIONS_MAX = 4096 };

struct wanted {
    struct machine *machine;
    struct map processes; /* tagged serials */
    struct map records;   /* tagged numbers */
    bool any;
};

/* A process that was forked has its parent's modules. */
static void want_process(struct wanted *wanted, uint64_t serial) {
    for (int i = 0; i < GENERATIONS_MAX && serial != 0; i++) {
        const struct process *process = machine_process(wanted->machine, serial);
        map_put(&wanted->processes, serial, 1);
        if (process == NULL || !process->by_fork || process->parent == 0)
            return;
        serial = process->parent | (serial & ~MACHINE_LOCAL_MASK);
    }
}

static void want_call(struct wanted *wanted, const struct call *call) {
    if (call->process == 0)
        return;
    want_process(wanted, call->process);
    map_put(&wanted->records, (uint64_t)call->trace << MACHINE_TAG_SHIFT | call->unit, 1);
    if (call->bind_unit != 0)
        map_put(&wanted->records, (uint64_t)call->trace << MACHINE_TAG_SHIFT | call->bind_unit, 1);
    wanted->any = true;
}

static void want_findings(struct wanted *wanted) {
    const struct findings *findings = &wanted->machine->check->findings;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        want_call(wanted, &finding->subject);
        want_call(wanted, &finding->assigned);
        want_call(wanted, &finding->other);
        want_call(wanted, &finding->other_assigned);
        want_call(wanted, &finding->instead);
    }
}

static void take_frames(const struct wanted *wanted, struct check_trace *trace,
                        const struct trace_record *record) {
    unsigned count = record_frame_count(record);
    if (count == 0 || map_get(&wanted->records, record->unit) == MAP_NONE)
        return;
    trace->frames = memory_grow(trace->frames, &trace->frames_room, trace->frames_count + 1,
                                sizeof *trace->frames);
    trace->frame_list = memory_grow(trace->frame_list, &trace->frame_room,
                                    trace->frame_count + count, sizeof *trace->frame_list);
    trace->frames[trace->frames_count++] =
        (struct check_frames){.unit = MACHINE_LOCAL(record->unit),
                              .first = trace->frame_count,
                              .count = count,
                              .nearest = record_frame_nearest(record),
                              .thread = record_frame_thread(record)};
    for (unsigned i = 0; i < count; i++)
        trace->frame_list[trace->frame_count++] = *record_frame(record, i);
}

static void take_stack(const struct wanted *wanted, struct check_trace *trace,
                       const struct trace_record *record) {
    uint64_t unit = (record->unit & ~MACHINE_LOCAL_MASK) | record->cookie;
    if (map_get(&wanted->records, unit) == MAP_NONE)
        return;
    trace->stacks = memory_grow(trace->stacks, &trace->stack_room, trace->stack_count + 1,
                                sizeof *trace->stacks);
    trace->addresses =
        memory_grow(trace->addresses, &trace->address_room,
                    trace->address_count + record->address_count, sizeof *trace->addresses);
    trace->stacks[trace->stack_count++] = (struct check_stack){
        .unit = record->cookie, .first = trace->address_count, .count = record->address_count};
    memcpy(trace->addresses + trace->address_count, record->addresses,
           record->address_count * sizeof *trace->addresses);
    trace->address_count += record->address_count;
}

static int by_unit(const void *one, const void *other) {
    const struct check_stack *a = one;
    const struct check_stack *b = other;
    return a->unit < b->unit ? -1 : a->unit > b->unit;
}

static void sort_stacks(const struct machine *machine) {
    for (size_t i = 0; i < machine->count; i++) {
        struct check_trace *trace = &machine->check->traces[machine->members[i]];
        if (trace->stack_count > 1)
            qsort(trace->stacks, trace->stack_count, sizeof *trace->stacks, by_unit);
    }
}

static void take(void *with, const struct trace_record *record) {
    struct wanted *wanted = with;
    struct check_trace *trace = &wanted->machine->check->traces[MACHINE_TRACE(record->unit)];
    struct trace_record local = *record;
    if (record->committed && record->kind == PW_KIND_STACK)
        take_stack(wanted, trace, record);
    strings_note(&trace->strings, record);
    take_frames(wanted, trace, record);
    if (!record->committed || record->kind != PW_KIND_MODULE ||
        map_get(&wanted->processes, record->process) == MAP_NONE)
        return;
    local.unit = MACHINE_LOCAL(record->unit);
    local.process = MACHINE_LOCAL(record->process);
    modules_note(&trace->modules, &local);
}

void evidence_sites_read(struct machine *machine, unsigned pass) {
    struct wanted wanted = {.machine = machine};
    want_findings(&wanted);
    if (wanted.any)
        machine_read(machine, pass, take, &wanted);
    sort_stacks(machine);
    map_free(&wanted.processes);
    map_free(&wanted.records);
}
