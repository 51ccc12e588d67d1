/* The taker of a port may be in another trace than the one who lost it: two CI jobs on one host
 * have a trace each. */
#include "harness/check/machine.h"

#include <stdlib.h>

#include "harness/base/memory.h"
#include "harness/trace/record_frames.h"

enum { PROGRESS_EVERY = 1 << 16 };

#define BLANK_SLACK_NS UINT64_C(1000000)

static uint64_t tagged(uint64_t local, uint64_t tag) {
    return local == 0 ? 0 : (local & MACHINE_LOCAL_MASK) | tag;
}

static void note_blank(struct machine *machine, uint64_t from_ns, uint64_t to_ns) {
    machine->blanks = memory_grow(machine->blanks, &machine->blank_room, machine->blank_count + 1,
                                  sizeof *machine->blanks);
    machine->blanks[machine->blank_count++] = (struct blank_moment){
        from_ns > BLANK_SLACK_NS ? from_ns - BLANK_SLACK_NS : 0,
        to_ns < UINT64_MAX - BLANK_SLACK_NS ? to_ns + BLANK_SLACK_NS : UINT64_MAX};
}

/* A process that found no room lost records at any time; where the trace itself was full, those are
 * missing that would stand behind the last. */
static void note_losses(struct machine *machine, const struct pw_header *header) {
    machine->has_losses = machine->has_losses ||
                          atomic_load(&header->lost[PW_LOST_NO_ADDRESS_SPACE]) != 0 ||
                          atomic_load(&header->lost[PW_LOST_NOT_POPULATED]) != 0;
}

static void show_progress(const struct machine *machine, uint32_t trace, unsigned pass,
                          uint64_t unit) {
    const struct pw_header *header = trace_reader_header(machine->readers[trace]);
    uint64_t taken = atomic_load(&header->next_unit);
    if (machine->progress != NULL && taken > 0)
        machine->progress(machine->with, machine->check->traces[trace].path, pass, machine->passes,
                          (double)unit / (double)taken);
}

/* Who forks names the child as it is called in his own PID namespace. */
static bool may_be_same(const struct process *known, const struct pw_process *identity) {
    return known->pid == 0 || identity->pid == 0 || known->pid == identity->pid ||
           (known->by_fork && known->pid_namespace != identity->pid_namespace);
}

/* A serial is given once; a trace in which two processes bear it was not written by us alone. */
static void note_process(struct check_trace *trace, const struct trace_record *record) {
    if (record->kind == PW_KIND_PROCESS_START && record->identity != NULL) {
        const struct process *known = processes_find(&trace->processes, record->process);
        if (known != NULL && !may_be_same(known, record->identity))
            trace->twice++;
    }
    processes_note(&trace->processes, record);
}

static bool has_place(const struct trace_record *record) {
    return record->kind == PW_KIND_MODULE || record->kind == PW_KIND_STACK ||
           record->kind == PW_KIND_STRING || record->frame_units > 0;
}

static void read_trace(struct machine *machine, uint32_t trace, unsigned pass, machine_take *take,
                       void *with) {
    struct trace_reader *reader = machine->readers[trace];
    const struct trace_counts *counts = trace_reader_counts(reader);
    const uint64_t tag = (uint64_t)trace << MACHINE_TAG_SHIFT;
    struct trace_record record;
    struct pw_process identity;
    uint64_t blank = 0;
    uint64_t before_ns = 0;
    uint64_t number = 0;
    const uint64_t end =
        pass == MACHINE_PLACES ? machine->check->traces[trace].places_to : UINT64_MAX;
    if (pass > 1)
        trace_reader_rewind(reader);
    if (end == 0)
        return;
    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD) {
        if (pass == 1 && counts->blank != blank) {
            note_blank(machine, before_ns, record.begin_ns);
            blank = counts->blank;
        }
        if (record.unit >= end)
            return;
        if (pass == 1 && has_place(&record))
            machine->check->traces[trace].places_to = record.unit + 1;
        before_ns = record.begin_ns;
        if (number++ % PROGRESS_EVERY == 0)
            show_progress(machine, trace, pass, record.unit);
        if (pass == 1)
            note_process(&machine->check->traces[trace], &record);
        record.unit |= tag;
        record.process = tagged(record.process, tag);
        if (record.identity != NULL) {
            identity = *record.identity;
            identity.serial = tagged(identity.serial, tag);
            identity.parent = tagged(identity.parent, tag);
            record.identity = &identity;
        }
        take(with, &record);
    }
    if (pass > 1)
        return;
    processes_finish(&machine->check->traces[trace].processes);
    machine->check->traces[trace].counts = *counts;
    if (counts->blank != blank)
        note_blank(machine, before_ns, UINT64_MAX);
    note_losses(machine, trace_reader_header(reader));
}

void machine_read(struct machine *machine, unsigned pass, machine_take *take, void *with) {
    for (size_t i = 0; i < machine->count; i++)
        read_trace(machine, machine->members[i], pass, take, with);
}

enum certainty machine_certainty(const struct machine *machine, uint64_t from_ns, uint64_t to_ns) {
    for (size_t i = 0; i < machine->blank_count; i++)
        if (machine->blanks[i].from_ns <= to_ns && from_ns <= machine->blanks[i].to_ns)
            return POSSIBLE;
    return certainty_if(!machine->has_losses);
}

const struct process *machine_process(const struct machine *machine, uint64_t serial) {
    uint32_t trace = MACHINE_TRACE(serial);
    if (serial == 0 || trace >= machine->check->trace_count)
        return NULL;
    return processes_find(&machine->check->traces[trace].processes, MACHINE_LOCAL(serial));
}

/* The members are in the order of their indexes. */
bool machine_has(const struct machine *machine, uint32_t trace) {
    size_t low = 0;
    size_t high = machine->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (machine->members[middle] < trace)
            low = middle + 1;
        else
            high = middle;
    }
    return low < machine->count && machine->members[low] == trace;
}

void machine_free(struct machine *machine) { free(machine->blanks); }

struct call machine_call(const struct trace_record *record) {
    return (struct call){.trace = MACHINE_TRACE(record->unit),
                         .unit = MACHINE_LOCAL(record->unit),
                         .process = record->process,
                         .begin_ns = record->begin_ns,
                         .end_ns = record->end_ns,
                         .site = record->site,
                         .place = record_place(record),
                         .cookie = record->cookie,
                         .error = record->error,
                         .reuse_address = (record->flags & PW_FLAG_REUSEADDR) != 0,
                         .is_inferred = (record->flags & PW_FLAG_ERROR_INFERRED) != 0,
                         .call = record->call,
                         .kind = (uint8_t)record->kind};
}
