/*
 * Pids repeat and forks can happen inside libc, so a process is a serial from the trace's counter.
 * It lives in a page that the kernel wipes at fork (MADV_WIPEONFORK): a child that finds none
 * enters itself, however it came about.
 */
#include "shim/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "shim/policy/place.h"
#include "shim/process/module_map.h"
#include "shim/process/sandbox.h"
#include "shim/real.h"
#include "shim/shared/raw_file.h"
#include "shim/shared/raw_syscall.h"
#include "shim/socket/namespaces.h"
#include "shim/socket/sockets.h"
#include "shim/start.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

enum { COMMAND_BYTES = 1800, UID_UNKNOWN = -1 };

struct identity {
    _Atomic uint64_t serial; /* 0 in a child that nobody has entered yet */
    _Atomic uint32_t pid;
    _Atomic uint32_t ended;
};

static struct identity unwiped;
static struct identity *_Atomic identity = &unwiped;
static _Atomic uint64_t latest_serial; /* survives a fork: there it is the parent's */
static _Atomic bool is_open;
static _Atomic int64_t cached_uid = UID_UNKNOWN;
static _Atomic bool uid_per_thread;
static struct start_strings strings;

static _Thread_local uint64_t announced_child; /* serial that the next fork of this thread gives */
static _Thread_local uint64_t announced_begin;
static _Thread_local uint32_t thread_id;
static _Thread_local uint64_t thread_serial;
static _Thread_local bool vfork_mark;
static _Thread_local bool vfork_filter; /* the child that left had put a filter on itself */
static _Thread_local struct {
    void *space;
    size_t size;
} vfork_left;

static struct identity *who(void) { return atomic_load_explicit(&identity, memory_order_relaxed); }

uint32_t process_pid_now(void) {
    long pid = raw_syscall3(SYS_getpid, 0, 0, 0);
    return pid > 0 ? (uint32_t)pid : 0;
}

void *vfork_prepare(void) {
    if (real.vfork == NULL)
        real_resolve();
    if (atomic_load_explicit(&is_open, memory_order_acquire)) {
        process_serial();   /* the mark is told from the parent by the cached pid */
        sockets_tell_all(); /* the child and what it executes may inherit them */
        policy_place_before_vfork();
        vfork_mark = true;
    }
    void *next;
    memcpy(&next, &real.vfork, sizeof next);
    return next;
}

void process_vfork_leaves(void *space, size_t size) {
    vfork_left.space = space;
    vfork_left.size = size;
}

/* The mark outlives the child: back in the parent, the pid tells, and in a child that was forked
 * since inside libc, the wiped page. */
static bool still_in_vfork_child(void) {
    if (sandbox_is_on())
        return true; /* the child takes its mark back itself, process_leave_vfork */
    if (atomic_load_explicit(&who()->serial, memory_order_relaxed) != 0 &&
        process_pid_now() != atomic_load_explicit(&who()->pid, memory_order_relaxed))
        return true;
    vfork_mark = false;
    if (vfork_left.space != NULL)
        raw_syscall3(SYS_munmap, RAW(vfork_left.space), (long)vfork_left.size, 0);
    vfork_left.space = NULL;
    return false;
}

bool process_leave_vfork(void) {
    if (!sandbox_is_on() || !vfork_mark)
        return false;
    vfork_mark = false;
    /* Where the process as a whole has none, it was the child that put it on. */
    vfork_filter = raw_syscalls_forbidden_here && raw_syscalls_forbidden == RAW_ALLOWED;
    if (vfork_filter)
        raw_syscalls_forbidden_here = false;
    return true;
}

void process_return_to_vfork(void) {
    vfork_mark = true;
    raw_syscalls_forbidden_here = raw_syscalls_forbidden_here || vfork_filter;
}

enum gate gate(void) {
    if (!atomic_load_explicit(&is_open, memory_order_acquire)) {
        shim_start();
        if (!atomic_load_explicit(&is_open, memory_order_acquire))
            return GATE_CLOSED;
    }
    if (vfork_mark && still_in_vfork_child())
        return GATE_VFORK;
    return GATE_OPEN;
}

void process_open_gate(void) { atomic_store_explicit(&is_open, true, memory_order_release); }

static uint64_t next_serial(void) {
    uint64_t last =
        atomic_fetch_add_explicit(&recorder_header()->next_process, 1, memory_order_relaxed);
    return last + 1 != 0 ? last + 1 : 1; /* 0 would be a process that nobody has entered yet */
}

static const char *address_of(uint64_t number) { return (const char *)(uintptr_t)number; }

/* Fields of /proc/self/stat (proc(5)) count from the last parenthesis, since a name may hold any
 * character: 22 is the start time, 48 to 51 the bounds of arguments and environment. */
static uint64_t read_own_stat(struct start_strings *bounds) {
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
    if (bounds != NULL) {
        bounds->arguments = address_of(field[48]);
        bounds->arguments_end = address_of(field[49]);
        bounds->environment = address_of(field[50]);
        bounds->environment_end = address_of(field[51]);
        /* The kernel puts the program's name right behind (AT_EXECFN). Where it is elsewhere, the
         * program does not run on the stack that the kernel made, as in valgrind. */
        if (field[51] != getauxval(AT_EXECFN))
            memset(bounds, 0, sizeof *bounds);
    }
    return field[22];
}

static uint64_t own_pid_namespace(void) {
    struct stat status;
    if (raw_syscall4(SYS_newfstatat, AT_FDCWD, RAW("/proc/self/ns/pid"), RAW(&status), 0) < 0)
        return 0;
    return status.st_ino;
}

/* From where the kernel put it, since the program has not begun to run; or from /proc, where that
 * place is not known. */
static size_t read_command(char command[COMMAND_BYTES]) {
    if (strings.arguments == NULL || strings.arguments_end < strings.arguments)
        return raw_file_read("/proc/self/cmdline", command, COMMAND_BYTES);
    size_t length = (size_t)(strings.arguments_end - strings.arguments);
    if (length > COMMAND_BYTES)
        length = COMMAND_BYTES;
    memcpy(command, strings.arguments, length);
    return length;
}

static void record_start(uint64_t serial, uint64_t parent, uint64_t begin, uint64_t how) {
    char command[COMMAND_BYTES];
    size_t length = 0;
    uint64_t start_time = read_own_stat(how == PW_FLAG_BY_EXEC ? &strings : NULL);
    if (how == PW_FLAG_BY_EXEC)
        length = read_command(command);
    struct record record;
    unsigned units = 2 + record_text_units(length, PW_RECORD_UNITS_MAX - 2);
    if (!record_begin(&record, PW_KIND_PROCESS_START, units, serial, -1, begin))
        return;
    struct pw_start *start = &record.units[0].start;
    start->thread = process_thread();
    start->source = PW_SOURCE_SHIM;
    start->flags = how | (length == sizeof command ? PW_FLAG_TEXT_CUT : 0);
    struct pw_process *process = &record.units[1].process;
    process->pid = atomic_load_explicit(&who()->pid, memory_order_relaxed);
    long parent_pid = raw_syscall3(SYS_getppid, 0, 0, 0);
    process->parent_pid = parent_pid > 0 ? (uint32_t)parent_pid : 0;
    process->uid = process_uid();
    process->serial = serial;
    process->parent = parent;
    process->start_time = start_time;
    process->pid_namespace = own_pid_namespace();
    raw_syscall3(SYS_prctl, 16 /* PR_GET_NAME */, RAW(process->comm), 0);
    record_text(&record, 2, command, length);
    record_commit(&record, 0);
}

/* In a child that has no serial yet: takes the announced one, or one of its own where the fork went
 * past us. Of two threads one does it. */
static uint64_t enter_forked_child(void) {
    bool announced = announced_child != 0;
    uint64_t serial = announced ? announced_child : next_serial();
    uint64_t begin = announced ? announced_begin : monotonic_ns();
    uint64_t parent = atomic_load_explicit(&latest_serial, memory_order_relaxed);
    uint64_t none = 0;
    announced_child = 0;
    atomic_store_explicit(&who()->pid, process_pid_now(), memory_order_relaxed);
    if (!atomic_compare_exchange_strong(&who()->serial, &none, serial))
        return none;
    atomic_store_explicit(&latest_serial, serial, memory_order_relaxed);
    if (!announced)
        namespace_changed(); /* clone can have put it anywhere */
    record_start(serial, parent, begin, PW_FLAG_BY_FORK);
    sandbox_tell_forked();
    sockets_tell_all(); /* what another thread made while this one forked */
    return serial;
}

uint64_t process_serial(void) {
    struct identity *self = who();
    uint64_t serial = atomic_load_explicit(&self->serial, memory_order_relaxed);
    if (self == &unwiped && serial != 0 && !sandbox_is_on() &&
        process_pid_now() != atomic_load_explicit(&self->pid, memory_order_relaxed)) {
        atomic_store_explicit(&self->ended, 0, memory_order_relaxed);
        atomic_store_explicit(&self->serial, 0, memory_order_relaxed);
        serial = 0;
    }
    if (serial != 0 || recorder_header() == NULL)
        return serial;
    return enter_forked_child();
}

/* Tells this thread from the process's others where its id may not be asked for: no thread id of
 * the kernel's is as high (PID_MAX_LIMIT is 4,194,304, proc(5)). */
static uint32_t unasked_thread(void) {
    return UINT32_C(1) << 31 | (uint32_t)((uintptr_t)pthread_self() >> 6);
}

uint32_t process_thread(void) {
    uint64_t serial = atomic_load_explicit(&who()->serial, memory_order_relaxed);
    if (thread_id == 0 || thread_serial != serial) {
        long id = raw_syscall3(SYS_gettid, 0, 0, 0);
        thread_id = id > 0 ? (uint32_t)id : unasked_thread();
        thread_serial = serial;
    }
    return thread_id;
}

uint32_t process_uid(void) {
    int64_t uid = atomic_load_explicit(&cached_uid, memory_order_relaxed);
    if (uid != UID_UNKNOWN)
        return (uint32_t)uid;
    /* An impossible user changes nothing and answers the present one (setfsuid(2)). */
    uid = raw_syscall3(SYS_setfsuid, -1, 0, 0);
    if (uid < 0)
        return UINT32_MAX;
    if (!atomic_load_explicit(&uid_per_thread, memory_order_relaxed))
        atomic_store_explicit(&cached_uid, uid, memory_order_relaxed);
    return (uint32_t)uid;
}

void process_uid_changed(bool per_thread) {
    if (per_thread)
        atomic_store_explicit(&uid_per_thread, true, memory_order_relaxed);
    atomic_store_explicit(&cached_uid, UID_UNKNOWN, memory_order_relaxed);
}

const struct start_strings *process_start_strings(void) { return &strings; }

static void make_wiped_identity(void) {
    long page =
        raw_syscall6(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page < 0 && page > -4096)
        return; /* the pid is then asked for at each look */
    if (raw_syscall3(SYS_madvise, page, 4096, MADV_WIPEONFORK) < 0) {
        raw_syscall3(SYS_munmap, page, 4096, 0);
        return;
    }
    atomic_store(&identity, (struct identity *)page);
}

void process_begin_image(void) {
    uint64_t begin = monotonic_ns();
    make_wiped_identity();
    uint64_t serial = next_serial();
    atomic_store(&who()->pid, process_pid_now());
    atomic_store(&who()->serial, serial);
    atomic_store(&latest_serial, serial);
    record_start(serial, 0, begin, PW_FLAG_BY_EXEC);
}

void process_before_fork(struct fork_record *fork_record, int call, const void *site) {
    uint64_t parent = process_serial();
    module_note(site);
    sockets_tell_all();
    fork_record->place = policy_place_next();
    uint64_t begin = monotonic_ns();
    fork_record->child = next_serial();
    fork_record->begun = record_begin(&fork_record->record, PW_KIND_FORK, 2, parent, -1, begin);
    if (fork_record->begun) {
        struct pw_start *start = &fork_record->record.units[0].start;
        start->thread = process_thread();
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
        process_serial();
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
    uint64_t serial = process_serial();
    if (serial == 0 || atomic_exchange(&who()->ended, 1) != 0)
        return;
    policy_place_leave();
    struct record record;
    if (!record_begin(&record, PW_KIND_PROCESS_EXIT, 2, serial, -1, monotonic_ns()))
        return;
    record.units[0].start.thread = process_thread();
    record.units[0].start.source = PW_SOURCE_SHIM;
    record.units[0].start.call = (uint8_t)call;
    if (status >= 0)
        record.units[0].start.flags = PW_FLAG_STATUS_KNOWN | PW_FLAG_STATUS(status);
    record.units[1].process.pid = atomic_load_explicit(&who()->pid, memory_order_relaxed);
    record.units[1].process.serial = serial;
    record_commit(&record, 0);
}
