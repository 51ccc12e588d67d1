/*
 * A filter is seen when it is made, and everything that has to be known later is asked for right
 * before. Programs that are executed under it find an empty PORTWITNESS_TRACE, where they were
 * given this process's own environment, and otherwise more filters than `run` had.
 */
#include "shim/sandbox.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "shim/clock.h"
#include "shim/environment.h"
#include "shim/filter_trial.h"
#include "shim/module_map.h"
#include "shim/process.h"
#include "shim/recorder.h"
#include "shim/run_variable.h"

static char program[256];
static size_t program_length;
static _Atomic uint64_t made_up; /* cookies */

static void forbid(void) {
    atomic_store_explicit(&raw_syscalls_forbidden, true, memory_order_relaxed);
}

void sandbox_begin(void) {
    const char *trace = environment_get(environ, "PORTWITNESS_TRACE");
    if (trace == NULL || trace[0] == '\0')
        return;
    unsigned filters = filter_count();
    struct run_variable run;
    bool is_below_run = run_variable_read(environment_get(environ, RUN_VARIABLE), &run);
    if (filters == 0 || (is_below_run && filters == run.filters))
        return;
    /* Where nobody has tried what our surroundings let through, we do. */
    bool from_outside = !is_below_run || filters < run.filters;
    if (!from_outside || !filter_trial())
        forbid();
}

static void remember_program(void) {
    long length =
        raw_syscall4(SYS_readlinkat, AT_FDCWD, RAW("/proc/self/exe"), RAW(program), sizeof program);
    program_length = length > 0 ? (size_t)length : 0;
}

/* Other threads are kept silent before the kernel may put the filter on them too. */
void sandbox_before_filter(struct sandbox_change *change, bool everywhere) {
    *change = (struct sandbox_change){.is_first = !sandbox_is_on()};
    if (!change->is_first)
        return;
    enum gate open = gate();
    if (open != GATE_CLOSED) {
        process_thread();
        process_uid();
        modules_note_all();
        clock_avoid_syscalls();
        remember_program();
        change->pid = (uint32_t)raw_syscall3(SYS_getpid, 0, 0, 0);
    }
    raw_syscalls_forbidden_here = true;
    if (everywhere && open != GATE_VFORK)
        change->was_early = !atomic_exchange(&raw_syscalls_forbidden, true);
}

static void tell(uint32_t pid, int call, const void *site) {
    struct record record;
    unsigned units = 2 + record_text_units(program_length, 5);
    if (!record_begin(&record, PW_KIND_BLIND_SPOT, units, process_serial(), -1, monotonic_ns()))
        return;
    struct pw_start *start = &record.units[0].start;
    start->thread = process_thread();
    start->source = PW_SOURCE_SHIM;
    start->call = (uint8_t)call;
    start->site = (uint64_t)(uintptr_t)site;
    struct pw_numbers *numbers = record_numbers(&record);
    numbers->code = PW_BLIND_SANDBOXED;
    numbers->number[0] = pid;
    record_text(&record, 2, program, program_length);
    record_commit(&record, 0);
}

/* What is executed from here is to do nothing at all. The string is ours, and the program's own
 * code has no use for it. */
static void empty_trace_variable(void) {
    char *trace = (char *)(uintptr_t)environment_get(environ, "PORTWITNESS_TRACE");
    if (trace != NULL)
        *trace = '\0';
}

void sandbox_after_filter(const struct sandbox_change *change, bool installed, int call,
                          const void *site) {
    if (!change->is_first)
        return;
    enum gate open = gate();
    if (!installed) {
        raw_syscalls_forbidden_here = false;
        if (change->was_early)
            atomic_store(&raw_syscalls_forbidden, false);
        return;
    }
    if (open != GATE_VFORK) { /* a vfork child's memory is its parent's, which has no filter */
        forbid();
        raw_syscalls_forbidden_here = false;
        empty_trace_variable();
    }
    if (open != GATE_CLOSED)
        tell(change->pid, call, site);
}

void sandbox_tell_forked(void) {
    if (sandbox_is_on())
        tell(0, 0, NULL);
}

/* The kernel's cookies count from 1 (net/core/sock_diag.c); this one is told by its highest bit. */
uint64_t sandbox_cookie(void) {
    return UINT64_C(1) << 63 | (process_serial() & 0x7fffffff) << 32 |
           (uint32_t)(1 + atomic_fetch_add(&made_up, 1));
}
