/*
 * Pids repeat and forks can happen inside libc, so a process is a serial from the trace's counter.
 * It lives in a page that the kernel wipes at fork (MADV_WIPEONFORK): a child that finds none
 * enters itself, however it came about.
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

enum { UID_UNKNOWN = -1 };

struct identity {
    _Atomic uint64_t serial; /* 0 in a child that nobody has entered yet */
    _Atomic uint32_t pid;
    _Atomic uint32_t ended;
};

static struct identity unwiped;
static struct identity *_Atomic identity = &unwiped;
static _Atomic uint64_t latest_serial; /* survives a fork: there it is the parent's */
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

uint64_t identity_serial(void) {
    struct identity *self = who();
    uint64_t serial = atomic_load_explicit(&self->serial, memory_order_relaxed);
    if (self == &unwiped && serial != 0 && !sandbox_is_on() && identity_is_other_process()) {
        atomic_store_explicit(&self->ended, 0, memory_order_relaxed);
        atomic_store_explicit(&self->serial, 0, memory_order_relaxed);
        serial = 0;
    }
    if (serial != 0 || recorder_header() == NULL || enter_child == NULL)
        return serial;
    return enter_child();
}

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

bool identity_ends(void) { return atomic_exchange(&who()->ended, 1) == 0; }

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

void identity_begin(uint64_t serial, uint64_t (*enter)(void)) {
    make_wiped_identity();
    enter_child = enter;
    atomic_store(&who()->pid, identity_pid_now());
    atomic_store(&who()->serial, serial);
    atomic_store(&latest_serial, serial);
}
