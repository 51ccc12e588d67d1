/*
 * A filter is seen when it is made, and everything that has to be known later is asked for right
 * before. Programs that are executed under it find an empty PORTWITNESS_TRACE, where they were
 * given this process's own environment, and otherwise more filters than `run` had.
 */
#include "shim/process/sandbox.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#include "shim/gate.h"
#include "shim/identity.h"
#include "shim/process/environment.h"
#include "shim/process/module_map.h"
#include "shim/process/start_strings.h"
#include "shim/shared/clock.h"
#include "shim/shared/filter_trial.h"
#include "shim/shared/keep_ask.h"
#include "shim/shared/notify_filter.h"
#include "shim/shared/recorder.h"
#include "shim/shared/run_variable.h"
#include "shim/shared/trace_file.h"

enum {
    PAUSE_NS = 200000,
    PAUSES_MOST = 1000,
    ROOM_AHEAD = 256 * 1024 /* bytes of records of a program that nobody makes room for then */
};

static char program[256];
static _Atomic size_t program_length; /* set once the name stands there; several threads may ask */
static atomic_flag program_is_asked_for = ATOMIC_FLAG_INIT;
static _Atomic uint64_t made_up; /* cookies */

static _Atomic int pledges;

/* Never back to a lower level. */
static void forbid(int level) {
    int present = atomic_load(&raw_syscalls_forbidden);
    while (present < level &&
           !atomic_compare_exchange_weak(&raw_syscalls_forbidden, &present, level))
        ;
}

bool sandbox_pledge(void) {
    atomic_fetch_add(&pledges, 1);
    if (!sandbox_is_on()) {
        raw_syscalls_pledged_here = true;
        return true;
    }
    atomic_fetch_sub(&pledges, 1);
    return false;
}

void sandbox_pledge_kept(void) {
    if (!raw_syscalls_pledged_here)
        return;
    raw_syscalls_pledged_here = false;
    atomic_fetch_sub(&pledges, 1);
}

/* A connect may take long, and the guest waits for us. */
static void wait_for_pledges(void) {
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    bool before = raw_syscalls_pledged_here;
    raw_syscalls_pledged_here = true; /* for the pause itself */
    for (int i = 0; atomic_load(&pledges) > before && i < PAUSES_MOST; i++)
        raw_syscall3(SYS_nanosleep, RAW(&pause), 0, 0);
    raw_syscalls_pledged_here = before;
}

void sandbox_begin(bool is_first, struct own_status *own) {
    const char *trace = environment_get(environ, "PORTWITNESS_TRACE");
    own->known = false;
    if (trace == NULL || trace[0] == '\0')
        return;
    unsigned filters = filter_count_and_status(is_first, own);
    struct run_variable run;
    if (filters == 0)
        return;
    bool is_below_run = run_variable_read(environment_get(environ, RUN_VARIABLE), &run);
    int outside = is_below_run ? (int)run.filters : trace_filters(trace);
    if (filters == (unsigned)outside || (filters == (unsigned)outside + 1 && notify_filter_is_on()))
        return;
    /* Where nobody has tried what the filters on us let through, we do: in the first process of a
     * run without `portwitness run`. */
    bool may_be_outside = outside < 0 || filters < (unsigned)outside;
    if (!may_be_outside || !filter_trial())
        forbid(RAW_EVERYWHERE);
}

/* Another thread's filter may keep us from asking; then one that comes later asks again. */
static void remember_program(void) {
    if (program_length != 0 || atomic_flag_test_and_set(&program_is_asked_for))
        return;
    long length =
        raw_syscall4(SYS_readlinkat, AT_FDCWD, RAW("/proc/self/exe"), RAW(program), sizeof program);
    if (length > 0)
        program_length = (size_t)length;
    else
        atomic_flag_clear(&program_is_asked_for);
}

/* Where it is not known, as it was executed. */
static const char *program_name(size_t *length) {
    *length = program_length;
    if (*length != 0)
        return program;
    const char *name = (const char *)getauxval(AT_EXECFN);
    *length = name == NULL ? 0 : strnlen(name, sizeof program);
    return name;
}

static bool has_filter(void) {
    return raw_syscalls_forbidden_here || atomic_load(&raw_syscalls_forbidden) >= RAW_ELSEWHERE;
}

/* Other threads are kept silent before the kernel may put the filter on them too. */
void sandbox_before_filter(struct sandbox_change *change, bool everywhere) {
    *change = (struct sandbox_change){.is_first = !has_filter(), .everywhere = everywhere};
    enum gate open = gate();
    if (change->is_first && open != GATE_CLOSED) {
        if (open == GATE_OPEN)
            identity_serial();
        identity_thread();
        identity_uid();
        modules_note_all();
        clock_avoid_syscalls();
        remember_program();
        environment_find_own();
        change->pid = identity_pid_now();
        recorder_make_room_ahead(ROOM_AHEAD);
        keep_expect_mute();
    }
    if (everywhere && open != GATE_VFORK && !raw_syscalls_forbidden_here) {
        forbid(RAW_ABOUT_TO);
        wait_for_pledges();
    }
    if (change->is_first)
        raw_syscalls_forbidden_here = true;
}

/* Where the kernel's own events say what the shim may not ask it is no blind spot, but its closes
 * prove nothing all the same. */
static void record_sandbox(uint32_t pid, int call, const void *site) {
    if (recorder_header() == NULL)
        return;
    struct record record;
    size_t length;
    const char *name = program_name(&length);
    unsigned units = 2 + record_text_units(length, 5);
    if (!record_begin(&record, PW_KIND_BLIND_SPOT, units, identity_serial(), -1, monotonic_ns()))
        return;
    struct pw_start *start = &record.units[0].start;
    start->thread = identity_thread();
    start->source = PW_SOURCE_SHIM;
    start->call = (uint8_t)call;
    start->flags = gate() == GATE_VFORK ? PW_FLAG_VFORK_CHILD : 0;
    if ((recorder_facts()->capture & PW_CAPTURE_KERNEL) != 0)
        start->flags |= PW_FLAG_OTHERS_SEE;
    start->site = (uint64_t)(uintptr_t)site;
    struct pw_numbers *numbers = record_numbers(&record);
    numbers->code = PW_BLIND_SANDBOXED;
    numbers->number[0] = pid;
    record_text(&record, 2, name, length);
    record_commit(&record, 0);
}

/* What another thread has made sure of meanwhile stays. */
static void refused(const struct sandbox_change *change) {
    int about_to = RAW_ABOUT_TO;
    if (change->is_first)
        raw_syscalls_forbidden_here = false;
    if (change->everywhere)
        atomic_compare_exchange_strong(&raw_syscalls_forbidden, &about_to, RAW_ALLOWED);
}

void sandbox_after_filter(const struct sandbox_change *change, bool installed, int call,
                          const void *site) {
    enum gate open = gate();
    if (!installed) {
        refused(change);
        return;
    }
    /* A vfork child's memory is its parent's, which has no filter. */
    if (open != GATE_VFORK)
        forbid(change->everywhere ? RAW_EVERYWHERE : RAW_ELSEWHERE);
    raw_syscalls_forbidden_here = true; /* whatever others may do, this thread has one */
    if (!change->is_first)
        return;
    const struct start_strings *strings = start_strings();
    if (open != GATE_VFORK)
        environment_release(strings->environment, strings->environment_end);
    if (open != GATE_CLOSED)
        record_sandbox(change->pid, call, site);
}

void sandbox_record_forked(void) {
    if (sandbox_is_on())
        record_sandbox(0, 0, NULL);
}

/* The kernel's cookies count from 1 (net/core/sock_diag.c); this one is known by its highest bit.
 */
uint64_t sandbox_cookie(void) {
    return UINT64_C(1) << 63 | (identity_serial() & 0x7fffffff) << 32 |
           (uint32_t)(1 + atomic_fetch_add(&made_up, 1));
}
