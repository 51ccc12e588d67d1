/*
 * No event shows what a stranger executes or when he ends, so a pid alone does not say who he is:
 * start time and name are looked at again now and then. Whose he is, his unit or container, can be
 * read only as long as he lives.
 */
#include "harness/run/strangers.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/system/owner_facts.h"
#include "harness/system/process_facts.h"
#include "harness/system/process_sockets.h"
#include "shim/shared/recorder.h"

enum { ARGUMENTS_BYTES = 1800, TEXT_BYTES = 4096, COMMAND_SERIAL = 1 };

/* In less time no pid is given again. */
#define SAME_FOR_NS (UINT64_C(50) * 1000 * 1000)

struct stranger {
    uint32_t pid;
    uint64_t serial; /* 0: not recorded yet */
    uint64_t start_time;
    uint64_t looked_ns;
    char comm[16];                    /* of the process, whatever its threads are called */
    struct stranger_facts *unwritten; /* NULL once they are recorded */
};

struct stranger_facts {
    uint64_t met_ns;
    uint32_t thread;
    struct owner_facts owner;
    bool is_known; /* the owner's facts were read; else he had ended, and the event's are there */
    size_t length;
    char arguments[ARGUMENTS_BYTES]; /* each ended by NUL */
};

static void read_arguments(int folder, struct stranger_facts *facts) {
    int file = openat(folder, "cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t got = file >= 0 ? read(file, facts->arguments, sizeof facts->arguments) : -1;
    if (file >= 0)
        close(file);
    facts->length = got > 0 ? (size_t)got : 0;
}

/* What /proc cannot say any more. */
static void take_kernels(struct stranger_facts *facts, const struct outside_process *process) {
    facts->owner.start_time = process->start_time;
    facts->owner.parent = (pid_t)process->parent;
    memcpy(facts->owner.comm, process->comm, sizeof facts->owner.comm);
}

static struct stranger_facts *read_facts(const struct outside_event *event) {
    struct stranger_facts *facts = memory_zeroed(1, sizeof *facts);
    int folder = process_folder((pid_t)event->pid);
    facts->met_ns = event->begin_ns;
    facts->thread = event->thread;
    if (folder >= 0) {
        read_arguments(folder, facts);
        facts->is_known = owner_facts_read((pid_t)event->pid, folder, &facts->owner);
        close(folder);
    }
    if (!facts->is_known) {
        facts->owner = (struct owner_facts){.pid = (pid_t)event->pid, .uid = event->uid};
        memcpy(facts->owner.comm, event->comm, sizeof facts->owner.comm);
    }
    if (!facts->is_known && event->process != NULL)
        take_kernels(facts, event->process);
    if (facts->length > 0)
        return facts;
    /* It has ended, or is a thread of the kernel: its name is all that there is. */
    facts->length = strnlen(facts->owner.comm, sizeof facts->owner.comm);
    memcpy(facts->arguments, facts->owner.comm, facts->length);
    return facts;
}

static uint32_t add(struct strangers *strangers, const struct outside_event *event) {
    strangers->list = memory_grow(strangers->list, &strangers->room, strangers->count + 1,
                                  sizeof *strangers->list);
    struct stranger *stranger = &strangers->list[strangers->count++];
    *stranger = (struct stranger){
        .pid = event->pid, .looked_ns = event->begin_ns, .unwritten = read_facts(event)};
    stranger->start_time = stranger->unwritten->owner.start_time;
    memcpy(stranger->comm, stranger->unwritten->owner.comm, sizeof stranger->comm);
    map_put(&strangers->by_pid, event->pid, (uint32_t)strangers->count);
    return (uint32_t)strangers->count;
}

/* Is it the same process still, and the same program? One that has ended may have made the call
 * before it did. */
static bool is_same(struct stranger *stranger, const struct outside_event *event) {
    struct process_facts facts;
    if (event->begin_ns < stranger->looked_ns + SAME_FOR_NS)
        return true;
    stranger->looked_ns = event->begin_ns;
    if (!process_facts_read((pid_t)stranger->pid, &facts))
        return true;
    return stranger->start_time == facts.start_time &&
           strncmp(stranger->comm, facts.comm, sizeof stranger->comm - 1) == 0;
}

uint32_t strangers_meet(struct strangers *strangers, const struct outside_event *event) {
    uint32_t number = map_get(&strangers->by_pid, event->pid);
    if (number != MAP_NONE && is_same(&strangers->list[number - 1], event))
        return number;
    return add(strangers, event);
}

uint64_t strangers_start_time(const struct strangers *strangers, uint32_t number) {
    return strangers->list[number - 1].start_time;
}

static void put_identity(const struct strangers *strangers, const struct stranger *stranger,
                         struct pw_process *to) {
    const struct owner_facts *owner = &stranger->unwritten->owner;
    *to = (struct pw_process){.head = to->head,
                              .pid = stranger->pid,
                              .parent_pid = (uint32_t)owner->parent,
                              .uid = owner->uid,
                              .serial = stranger->serial,
                              .start_time = owner->start_time,
                              .pid_namespace = strangers->own_namespace};
    memcpy(to->comm, owner->comm, sizeof to->comm);
}

static bool write_start(const struct strangers *strangers, const struct stranger *stranger) {
    const struct stranger_facts *facts = stranger->unwritten;
    unsigned units = 2 + record_text_units(facts->length, PW_RECORD_UNITS_MAX - 2);
    struct record record;
    if (!record_begin(&record, PW_KIND_PROCESS_START, units, stranger->serial, -1, facts->met_ns))
        return false;
    record.units[0].start.thread = facts->thread;
    record.units[0].start.source = PW_SOURCE_KERNEL;
    record.units[0].start.flags =
        PW_FLAG_STRANGER | (facts->length == sizeof facts->arguments ? PW_FLAG_TEXT_CUT : 0);
    put_identity(strangers, stranger, &record.units[1].process);
    record_text(&record, 2, facts->arguments, facts->length);
    record_commit(&record, facts->met_ns);
    return true;
}

static size_t put_string(char *text, size_t used, const char *string) {
    size_t length = strlen(string) + 1;
    memcpy(text + used, string, length);
    return used + length;
}

static void write_facts(const struct strangers *strangers, const struct stranger *stranger) {
    const struct owner_facts *owner = &stranger->unwritten->owner;
    char text[TEXT_BYTES];
    size_t length = put_string(text, 0, owner->command);
    length = put_string(text, length, owner->folder);
    length = put_string(text, length, owner->user);
    length = put_string(text, length, owner->control_group) - 1;
    unsigned units = 3 + record_text_units(length, PW_RECORD_UNITS_MAX - 3);
    struct record record;
    if (!record_begin(&record, PW_KIND_HOLDER, units, stranger->serial, -1, monotonic_ns()))
        return;
    record.units[0].start.source = PW_SOURCE_RUN;
    put_identity(strangers, stranger, &record.units[1].process);
    record.units[2].numbers.number[1] = owner->started_ns;
    if (!record_text(&record, 3, text, length))
        record.units[0].start.flags |= PW_FLAG_TEXT_CUT;
    record_commit(&record, 0);
}

/* The first is the command's, also where nobody has recorded it. */
static uint64_t next_serial(void) {
    _Atomic uint64_t *last = &recorder_header()->next_process;
    uint64_t none = 0;
    atomic_compare_exchange_strong(last, &none, COMMAND_SERIAL);
    return atomic_fetch_add_explicit(last, 1, memory_order_relaxed) + 1;
}

uint64_t strangers_serial(struct strangers *strangers, uint32_t number) {
    struct stranger *stranger = &strangers->list[number - 1];
    if (stranger->serial != 0)
        return stranger->serial;
    stranger->serial = next_serial();
    if (!write_start(strangers, stranger)) {
        stranger->serial = 0;
        return 0;
    }
    if (stranger->unwritten->is_known)
        write_facts(strangers, stranger);
    free(stranger->unwritten);
    stranger->unwritten = NULL;
    return stranger->serial;
}

void strangers_free(struct strangers *strangers) {
    for (size_t i = 0; i < strangers->count; i++)
        free(strangers->list[i].unwritten);
    free(strangers->list);
    map_free(&strangers->by_pid);
    *strangers = (struct strangers){0};
}
