/*
 * What a process is recorded as when it begins, forks and ends. A child that nobody announced
 * enters itself, by way of identity.c.
 */
#include "shim/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/identity.h"
#include "shim/policy/place.h"
#include "shim/policy/policy.h"
#include "shim/process/module_map.h"
#include "shim/process/sandbox.h"
#include "shim/process/start_strings.h"
#include "shim/shared/clock.h"
#include "shim/shared/raw_file.h"
#include "shim/shared/raw_syscall.h"
#include "shim/socket/namespaces.h"
#include "shim/socket/sockets.h"

enum { COMMAND_BYTES = 1800 };

static _Thread_local uint64_t announced_child; /* serial that the next fork of this thread gives */
static _Thread_local uint64_t announced_begin;

static uint64_t next_serial(void) {
    uint64_t last =
        atomic_fetch_add_explicit(&recorder_header()->next_process, 1, memory_order_relaxed);
    return last + 1 != 0 ? last + 1 : 1; /* 0 would be a process that nobody has entered yet */
}

static const char *address_of(uint64_t number) { return (const char *)(uintptr_t)number; }

/* The array of the environment, if it stands where the kernel put it: above all that runs, below
 * the strings. */
static char *const *start_variables(const char *on_stack, uint64_t strings) {
    uintptr_t at = (uintptr_t)environ;
    return at > (uintptr_t)on_stack && at < strings ? environ : NULL;
}

/* Fields of /proc/self/stat (proc(5)) count from the last parenthesis, since a name may hold any
 * character: 22 is the start time, 48 to 51 the bounds of arguments and environment. */
static uint64_t read_own_stat(bool is_new_image) {
    char text[1024];
    uint64_t field[52] = {0};
    raw_file_read_text("/proc/self/stat", text, sizeof text);
    const char *at = strrchr(text, ')');
    if (at == NULL)
        return 0;
    at++;
    for (unsigned number = 3; number < 52 && *at != '\0'; number++) {
        at += *at == ' ';
        for (; *at != ' ' && *at != '\0'; at++)
            if (*at >= '0' && *at <= '9')
                field[number] = field[number] * 10 + (uint64_t)(*at - '0');
    }
    /* The kernel puts the program's name right behind (AT_EXECFN). Where it is elsewhere, the
     * program does not run on the stack that the kernel made, as in valgrind. */
    if (is_new_image && field[51] == getauxval(AT_EXECFN))
        start_strings_set(&(struct start_strings){address_of(field[48]), address_of(field[49]),
                                                  address_of(field[50]), address_of(field[51]),
                                                  start_variables(text, field[48])});
    return field[22];
}

/* A /proc that is of this process's own pid namespace, and the very one of whoever made the trace,
 * shows that both are in the same. */
static uint64_t own_pid_namespace(const struct process_look *look) {
    const struct trace_facts *facts = recorder_facts();
    if (look->own.known && look->proc.device != 0 && look->proc.device == facts->proc_device)
        return facts->pid_namespace;
    return proc_pid_namespace();
}

/* From where the kernel put it, since the program has not begun to run; or from /proc, where that
 * place is not known. */
static size_t read_command(char command[COMMAND_BYTES]) {
    const struct start_strings *strings = start_strings();
    if (strings->arguments == NULL || strings->arguments_end < strings->arguments)
        return raw_file_read("/proc/self/cmdline", command, COMMAND_BYTES);
    size_t length = (size_t)(strings->arguments_end - strings->arguments);
    if (length > COMMAND_BYTES)
        length = COMMAND_BYTES;
    memcpy(command, strings->arguments, length);
    return length;
}

static uint32_t parent_pid(void) {
    long pid = raw_syscall3(SYS_getppid, 0, 0, 0);
    return pid > 0 ? (uint32_t)pid : 0;
}

static void record_start(uint64_t serial, uint64_t parent, uint64_t begin, uint64_t how,
                         const struct process_look *look) {
    char command[COMMAND_BYTES];
    size_t length = 0;
    uint64_t start_time = read_own_stat(how == PW_FLAG_BY_EXEC);
    if (how == PW_FLAG_BY_EXEC)
        length = read_command(command);
    struct record record;
    unsigned units = 2 + record_text_units(length, PW_RECORD_UNITS_MAX - 2);
    if (!record_begin(&record, PW_KIND_PROCESS_START, units, serial, -1, begin))
        return;
    struct pw_start *start = &record.units[0].start;
    start->thread = identity_thread();
    start->source = PW_SOURCE_SHIM;
    start->flags = how | (length == sizeof command ? PW_FLAG_TEXT_CUT : 0);
    struct pw_process *process = &record.units[1].process;
    process->pid = identity_pid();
    process->parent_pid = look->own.known ? look->own.parent_pid : parent_pid();
    process->uid = identity_uid();
    process->serial = serial;
    process->parent = parent;
    process->start_time = start_time;
    process->pid_namespace = own_pid_namespace(look);
    if (look->own.known && look->own.name[0] != '\0')
        memcpy(process->comm, look->own.name, sizeof process->comm);
    else
        raw_syscall3(SYS_prctl, 16 /* PR_GET_NAME */, RAW(process->comm), 0);
    record_text(&record, 2, command, length);
    record_commit(&record, 0);
}

/* In a child that has no serial yet: takes the announced one, or one of its own where the fork went
 * past us. Of two threads one does it. */
static uint64_t enter_forked_child(void) {
    static const struct process_look none = {.own.known = false};
    bool announced = announced_child != 0;
    uint64_t serial = announced ? announced_child : next_serial();
    if (announced)
        clock_enter_child();
    else
        clock_find_namespace();
    uint64_t begin = announced ? announced_begin : monotonic_ns();
    uint64_t parent = identity_latest_serial();
    announced_child = 0;
    if (!identity_take(&serial))
        return serial;
    if (!announced)
        namespace_changed(); /* clone can have put it anywhere */
    record_start(serial, parent, begin, PW_FLAG_BY_FORK, &none);
    sandbox_record_forked();
    sockets_record_all(); /* what another thread made while this one forked */
    return serial;
}

void process_begin_image(const struct process_look *look) {
    uint64_t begin = monotonic_ns();
    uint64_t serial = next_serial();
    identity_begin(serial, enter_forked_child, &look->own);
    record_start(serial, 0, begin, PW_FLAG_BY_EXEC, look);
}

void process_before_vfork(void) {
    identity_serial();    /* the cached pid tells the child from its parent */
    sockets_record_all(); /* the child and what it executes may inherit them */
    policy_place_before_vfork();
}

void process_before_fork(struct fork_record *fork_record, int call, const void *site) {
    uint64_t parent = identity_serial();
    module_note(site);
    sockets_record_all();
    fork_record->place = policy_place_next();
    uint64_t begin = monotonic_ns();
    fork_record->child = next_serial();
    fork_record->begun = record_begin(&fork_record->record, PW_KIND_FORK, 2, parent, -1, begin);
    if (fork_record->begun) {
        struct pw_start *start = &fork_record->record.units[0].start;
        start->thread = identity_thread();
        start->source = PW_SOURCE_SHIM;
        start->call = (uint8_t)call;
        start->site = (uint64_t)(uintptr_t)site;
        start->flags = PW_FLAG_BY_FORK;
        fork_record->record.units[1].process.serial = fork_record->child;
        fork_record->record.units[1].process.parent = parent;
    }
    fork_record->outer_child = announced_child;
    fork_record->outer_begin = announced_begin;
    announced_child = fork_record->child;
    announced_begin = begin;
}

void process_after_fork(struct fork_record *fork_record, int pid) {
    if (pid == 0) {
        identity_serial();
        policy_place_enter(fork_record->place, 0);
        return;
    }
    announced_child = fork_record->outer_child;
    announced_begin = fork_record->outer_begin;
    if (!fork_record->begun)
        return;
    if (pid > 0)
        fork_record->record.units[1].process.pid = (uint32_t)pid;
    else
        fork_record->record.units[0].start.error = (uint16_t)errno;
    record_commit(&fork_record->record, 0);
}

void process_ends(int call, int status) {
    uint64_t serial = identity_serial_at_end();
    if (serial == 0 || !identity_ends())
        return;
    policy_before_end();
    policy_place_leave();
    struct record record;
    if (!record_begin(&record, PW_KIND_PROCESS_EXIT, 2, serial, -1, monotonic_ns()))
        return;
    record.units[0].start.thread = identity_thread();
    record.units[0].start.source = PW_SOURCE_SHIM;
    record.units[0].start.call = (uint8_t)call;
    if (status >= 0)
        record.units[0].start.flags = PW_FLAG_STATUS_KNOWN | PW_FLAG_STATUS(status);
    record.units[1].process.pid = identity_pid();
    record.units[1].process.serial = serial;
    record_commit(&record, 0);
}
