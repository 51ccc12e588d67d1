/* A process may end at any time: what /proc says of it is read as soon as it is heard of, and what
 * the kernel itself reports of it fills the gaps. */
#include "harness/run/captured_start.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/path_last.h"
#include "harness/system/process_facts.h"
#include "shim/shared/program_file.h"
#include "shim/shared/recorder.h"

void captured_start_name(struct captured_start *start, const char *announced) {
    const char *name = announced != NULL ? path_last(announced) : NULL;
    size_t length = name != NULL ? strlen(name) : 0;
    if (length == 0)
        return;
    memset(start->comm, 0, sizeof start->comm);
    memcpy(start->comm, name, length < sizeof start->comm ? length : sizeof start->comm - 1);
}

static void read_command(uint32_t pid, struct captured_start *start) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%u/cmdline", (unsigned)pid);
    int file = open(name, O_RDONLY | O_CLOEXEC);
    char command[sizeof start->command];
    ssize_t got = file >= 0 ? read(file, command, sizeof command) : -1;
    if (file >= 0)
        close(file);
    /* What the kernel reported of the exec is the beginning of it, if that is still what runs. */
    start->is_replaced = got > 0 && ((size_t)got < start->length ||
                                     memcmp(command, start->command, start->length) != 0);
    if (got > 0 && !start->is_replaced) {
        start->length = (size_t)got;
        start->is_cut = start->length == sizeof start->command;
        memcpy(start->command, command, start->length);
    }
    if (start->length != 0)
        return;
    /* It has ended: its name is all that is left. */
    start->length = strnlen(start->comm, sizeof start->comm);
    memcpy(start->command, start->comm, start->length);
}

/* Why the calls of a program pass the shim by, 0: they do not. */
static int obstacle_of(const char *program) {
    static struct program_facts facts;
    return *program != '\0' && program_inspect(program, NULL, &facts) ? facts.obstacle : 0;
}

static void read_program(uint32_t pid, struct captured_start *start) {
    char link[64];
    snprintf(link, sizeof link, "/proc/%u/exe", (unsigned)pid);
    ssize_t length =
        start->is_replaced ? 0 : readlink(link, start->program, sizeof start->program - 1);
    if (length > 0)
        start->program[length] = '\0';
    start->obstacle = obstacle_of(start->program);
    start->needs_record = start->obstacle != 0 && start->obstacle != PW_BLIND_OWN_CALLS;
    if (!start->is_replaced)
        program_text_read((pid_t)pid, start->program, &start->text);
}

/* A path of descriptors is of another process here. */
void captured_start_take(struct captured_start *start, const struct outside_process *process) {
    start->start_time = process->start_time;
    start->parent = process->parent;
    memcpy(start->comm, process->comm, sizeof start->comm);
    start->length =
        process->length < sizeof process->arguments ? process->length : sizeof process->arguments;
    start->is_cut = start->length == sizeof process->arguments;
    memcpy(start->command, process->arguments, start->length);
    if (process->path[0] == '/' && strncmp(process->path, "/dev/fd/", 8) != 0)
        memcpy(start->program, process->path, strnlen(process->path, sizeof process->path - 1));
}

struct captured_start *captured_start_read(const struct outside_event *event, bool is_fork) {
    struct process_facts facts;
    struct captured_start *start = calloc(1, sizeof *start);
    if (start == NULL)
        return NULL;
    *start = (struct captured_start){.source = event->source,
                                     .is_fork = is_fork,
                                     .thread = event->thread,
                                     .uid = event->uid,
                                     .ns = event->begin_ns};
    memcpy(start->comm, event->comm, sizeof start->comm);
    if (event->process != NULL)
        captured_start_take(start, event->process);
    start->has_ended = !process_facts_read((pid_t)event->pid, &facts);
    if (!start->has_ended) {
        start->start_time = facts.start_time;
        start->parent = (uint32_t)facts.parent;
        if (start->comm[0] == '\0')
            memcpy(start->comm, facts.comm, sizeof start->comm - 1);
    }
    return start;
}

void captured_start_image(struct captured_start *start, uint32_t pid) {
    read_command(pid, start);
    read_program(pid, start);
}

bool captured_start_has_ended(const struct captured_start *start, uint32_t pid) {
    struct process_facts facts;
    return start->has_ended || !process_facts_read((pid_t)pid, &facts) ||
           facts.start_time != start->start_time || facts.state == 'Z';
}

void captured_start_write_module(const struct captured_start *start, uint64_t serial) {
    size_t length = strlen(start->program);
    unsigned units = 2 + record_text_units(length, PW_RECORD_UNITS_MAX - 2);
    struct record record;
    if (start->text.end == 0 ||
        !record_begin(&record, PW_KIND_MODULE, units, serial, -1, start->ns))
        return;
    record.units[0].start.source = start->source;
    struct pw_numbers *numbers = record_numbers(&record);
    numbers->number[0] = start->text.begin;
    numbers->number[1] = start->text.end;
    numbers->number[2] = start->text.offset;
    record_text(&record, 2, start->program, length);
    record_commit(&record, start->ns);
}

void captured_start_write_end(const struct captured_start *start, uint32_t pid, uint64_t serial,
                              uint64_t pid_namespace) {
    struct record record;
    if (!record_begin(&record, PW_KIND_PROCESS_EXIT, 2, serial, -1, monotonic_ns()))
        return;
    record.units[0].start.source = PW_SOURCE_RUN;
    record.units[1].process = (struct pw_process){.head = record.units[1].process.head,
                                                  .pid = pid,
                                                  .uid = start->uid,
                                                  .serial = serial,
                                                  .pid_namespace = pid_namespace};
    record_commit(&record, 0);
}
