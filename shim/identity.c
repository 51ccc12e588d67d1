/*
 * Pids repeat and forks can happen inside libc, so a process is a serial from the trace's counter.
 * It lives in a page that the kernel wipes at fork (MADV_WIPEONFORK): a child that finds none
 * enters itself, however it came about. Most programs of a test run record their start and their
 * end alone, and have no such page.
 */
#include "shim/identity.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "shim/process/sandbox.h"
#include "shim/shared/raw_syscall.h"
#include "shim/shared/recorder.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

enum { UID_UNKNOWN = -1, CHILD_LOOKS = 64 };

struct identity {
    _Atomic uint64_t serial; /* 0 in a child that nobody has entered yet */
    _Atomic uint32_t pid;
};

static struct identity unwiped;
static struct {
    uint64_t serial;
    uint32_t pid;
} first; /* as this program began */
static struct identity *_Atomic identity = &unwiped;
static _Atomic uint64_t latest_serial; /* survives a fork: there it is the parent's */
static _Atomic uint64_t ended_serial;  /* a forked child has another */
static uint64_t (*enter_child)(void);
static _Atomic int64_t cached_uid = UID_UNKNOWN;
static _Atomic bool uid_per_thread;

static _Thread_local uint32_t thread_id;
static _Thread_local uint64_t thread_serial;

static struct identity *who(void) { return atomic_load_explicit(&identity, memory_order_relaxed); }

uint32_t identity_pid_now(void) {
    long pid = raw_syscall3(SYS_getpid, 0, 0, 0);
    return pid > 0 ? (uint32_t)pid : 0;
}

uint32_t identity_pid(void) { return atomic_load_explicit(&who()->pid, memory_order_relaxed); }

uint64_t identity_latest_serial(void) {
    return atomic_load_explicit(&latest_serial, memory_order_relaxed);
}

bool identity_is_other_process(void) {
    return atomic_load_explicit(&who()->serial, memory_order_relaxed) != 0 &&
           identity_pid_now() != identity_pid();
}

/* Once a process, and only in one that records more than its start and its end: until then its pid
 * tells it from what it forks. */
static void make_wiped_identity(void) {
    static _Atomic bool is_tried;
    if (atomic_exchange(&is_tried, true))
        return;
    long page =
        raw_syscall6(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page < 0 && page > -4096)
        return; /* the pid is asked for at each look */
    if (raw_syscall3(SYS_madvise, page, 4096, MADV_WIPEONFORK) < 0) {
        raw_syscall3(SYS_munmap, page, 4096, 0);
        return;
    }
    struct identity *wiped = (struct identity *)page;
    atomic_store(&wiped->pid, atomic_load(&unwiped.pid));
    atomic_store(&wiped->serial, atomic_load(&unwiped.serial));
    atomic_store(&identity, wiped);
}

/* Nobody has wiped anything. A child of a clone that shares our memory enters itself there in our
 * place, and then this process finds that it is the first one again. */
static uint64_t look_at_pid(void) {
    uint32_t pid = identity_pid_now();
    uint64_t serial = atomic_load_explicit(&unwiped.serial, memory_order_relaxed);
    if (pid == identity_pid() || serial == 0)
        return serial;
    bool is_first = pid == first.pid;
    serial = is_first ? first.serial : 0;
    if (is_first) {
        atomic_store_explicit(&unwiped.pid, pid, memory_order_relaxed);
        atomic_store_explicit(&latest_serial, serial, memory_order_relaxed);
    }
    atomic_store_explicit(&unwiped.serial, serial, memory_order_relaxed);
    return serial;
}

/* Is the memory surely not that of the process before, which waits until we execute a program? Such
 * a child does little until then. */
static bool is_alone_here(uint64_t serial) {
    static _Atomic unsigned looks;
    return serial == first.serial || atomic_fetch_add(&looks, 1) >= CHILD_LOOKS;
}

static uint64_t look(bool ends) {
    struct identity *self = who();
    uint64_t serial = atomic_load_explicit(&self->serial, memory_order_relaxed);
    if (self == &unwiped && serial != 0 && !sandbox_is_on()) {
        serial = look_at_pid();
        if (serial != 0 && !ends && is_alone_here(serial))
            make_wiped_identity();
    }
    if (serial != 0 || recorder_header() == NULL || enter_child == NULL)
        return serial;
    return enter_child();
}

uint64_t identity_serial(void) { return look(false); }

uint64_t identity_serial_at_end(void) { return look(true); }

bool identity_take(uint64_t *serial) {
    uint64_t none = 0;
    atomic_store_explicit(&who()->pid, identity_pid_now(), memory_order_relaxed);
    if (!atomic_compare_exchange_strong(&who()->serial, &none, *serial)) {
        *serial = none;
        return false;
    }
    atomic_store_explicit(&latest_serial, *serial, memory_order_relaxed);
    return true;
}

bool identity_ends(void) {
    uint64_t serial = atomic_load_explicit(&who()->serial, memory_order_relaxed);
    return atomic_exchange(&ended_serial, serial) != serial;
}

/* An id for this thread where the kernel may not be asked for it: no thread id of the kernel's is
 * as high (PID_MAX_LIMIT is 4,194,304, proc(5)). */
static uint32_t unasked_thread(void) {
    return UINT32_C(1) << 31 | (uint32_t)((uintptr_t)pthread_self() >> 6);
}

uint32_t identity_thread(void) {
    uint64_t serial = atomic_load_explicit(&who()->serial, memory_order_relaxed);
    if (thread_id == 0 || thread_serial != serial) {
        long id = raw_syscall3(SYS_gettid, 0, 0, 0);
        thread_id = id > 0 ? (uint32_t)id : unasked_thread();
        thread_serial = serial;
    }
    return thread_id;
}

uint32_t identity_uid(void) {
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

void identity_uid_changed(bool per_thread) {
    if (per_thread)
        atomic_store_explicit(&uid_per_thread, true, memory_order_relaxed);
    atomic_store_explicit(&cached_uid, UID_UNKNOWN, memory_order_relaxed);
}

void identity_begin(uint64_t serial, uint64_t (*enter)(void), const struct own_status *own) {
    uint32_t pid = own->known ? own->pid : identity_pid_now();
    enter_child = enter;
    first.serial = serial;
    first.pid = pid;
    atomic_store(&unwiped.pid, pid);
    atomic_store(&unwiped.serial, serial);
    atomic_store(&latest_serial, serial);
    if (own->known) {
        thread_id = pid;
        thread_serial = serial;
        int64_t unknown = UID_UNKNOWN;
        atomic_compare_exchange_strong(&cached_uid, &unknown, own->uid);
    }
    if (pid <= 1)
        make_wiped_identity(); /* the first process of a new pid namespace has the same pid */
}
