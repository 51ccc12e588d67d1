/* A vfork child runs on its parent's stack and memory, and nothing there tells the two apart but
 * the thread's own mark and the kernel's process id. */
#include "shim/gate.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "shim/identity.h"
#include "shim/process/sandbox.h"
#include "shim/shared/raw_syscall.h"

static _Atomic bool is_open;

static _Thread_local bool vfork_mark;
static _Thread_local bool vfork_filter; /* the child that left had put a filter on itself */
static _Thread_local struct {
    void *space;
    size_t size;
} vfork_left;

void gate_open(void) { atomic_store_explicit(&is_open, true, memory_order_release); }

bool gate_is_open(void) { return atomic_load_explicit(&is_open, memory_order_acquire); }

void gate_mark_vfork(void) { vfork_mark = true; }

void gate_vfork_leaves(void *space, size_t size) {
    vfork_left.space = space;
    vfork_left.size = size;
}

/* The mark outlives the child: the pid shows that this is the parent again, and the wiped page that
 * it is a child which libc has forked since. */
static bool still_in_vfork_child(void) {
    if (sandbox_is_on())
        return true; /* the child takes its mark back itself, gate_leave_vfork */
    if (identity_is_other_process())
        return true;
    vfork_mark = false;
    if (vfork_left.space != NULL)
        raw_syscall3(SYS_munmap, RAW(vfork_left.space), (long)vfork_left.size, 0);
    vfork_left.space = NULL;
    return false;
}

bool gate_leave_vfork(void) {
    if (!sandbox_is_on() || !vfork_mark)
        return false;
    vfork_mark = false;
    /* Where the process as a whole has none, it was the child that put it on. */
    vfork_filter = raw_syscalls_forbidden_here && raw_syscalls_forbidden == RAW_ALLOWED;
    if (vfork_filter)
        raw_syscalls_forbidden_here = false;
    return true;
}

void gate_return_to_vfork(void) {
    vfork_mark = true;
    raw_syscalls_forbidden_here = raw_syscalls_forbidden_here || vfork_filter;
}

enum gate gate(void) {
    if (!gate_is_open())
        return GATE_CLOSED;
    if (vfork_mark && still_in_vfork_child())
        return GATE_VFORK;
    return GATE_OPEN;
}
