/*
 * A program that asks gets its filter only where we can take a descriptor from it: that needs the
 * rights of a debugger (ptrace(2)), and that its pid is the one that we see. What stands in the
 * mailbox may be anybody's, so a descriptor is kept only if it is a listener, and its process has
 * one filter more than when it asked: else a guest could have us answer in the place of whoever has
 * a filter of its own, a browser or the runtime of a container. Where descriptors can be taken from
 * nobody, the program sends it, and it gets its filter if we may read its memory.
 */
#include "harness/capture/notify_mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harness/capture/notify_answer.h"
#include "harness/capture/notify_entry.h"
#include "harness/capture/notify_table.h"
#include "harness/system/process_facts.h"
#include "shim/shared/raw_file.h"
#include "shim/shared/recorder.h"

enum {
    DESCRIPTORS_SPARE = 12,
    DESCRIPTORS_PLENTY = 16384, /* more than all that a run keeps open */
    TAKE_ROUNDS = 500,
    TAKE_PAUSE_NS = 2 * 1000 * 1000
};

#define LEFT_NS (UINT64_C(60) * 1000 * 1000 * 1000)

/* High in the address space, since ThreadSanitizer wants it there, and nobody else is. */
#define REGION_BASE UINT64_C(0x7e0000000000)

void notify_mailbox_open(struct pw_notify_area *area) {
    uint64_t random[3] = {0};
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return;
    if (area->token[0] == 0) { /* else those of the eBPF programs */
        area->token[0] = random[0] | 1;
        area->token[1] = random[1] | 1;
    }
    area->region = REGION_BASE | (random[2] & UINT64_C(0xffffff0000));
    atomic_store(&area->open, PW_NOTIFY_OPEN);
}

void notify_mailbox_close(struct pw_notify_area *area) {
    atomic_store(&area->open, PW_NOTIFY_CLOSED);
    atomic_fetch_add(&area->bell, 1);
    syscall(SYS_futex, &area->bell, FUTEX_WAKE, INT_MAX);
}

bool notify_mailbox_wait(struct pw_notify_area *area, uint32_t *bell) {
    const struct timespec second = {.tv_sec = 1};
    if (atomic_load(&area->open) == PW_NOTIFY_OPEN && atomic_load(&area->bell) == *bell)
        syscall(SYS_futex, &area->bell, FUTEX_WAIT, *bell, &second);
    *bell = atomic_load(&area->bell);
    return atomic_load(&area->open) == PW_NOTIFY_OPEN;
}

static void move(struct pw_notify_slot *slot, uint32_t from, uint32_t to) {
    if (atomic_compare_exchange_strong(&slot->state, &from, to))
        syscall(SYS_futex, &slot->state, FUTEX_WAKE, INT_MAX);
}

/* Is the process that we know by that number the one that wrote it? 0, or an errno: EPERM where it
 * may not be looked at. */
static int check_process(const struct pw_notify_slot *slot) {
    char path[40];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%u/ns/pid", atomic_load(&slot->pid));
    if (stat(path, &status) != 0)
        return errno == EACCES || errno == EPERM ? EPERM : ESRCH;
    return status.st_ino == atomic_load(&slot->pid_namespace) ? 0 : ESRCH;
}

/* In another PID namespace the number is that of somebody else or of nobody. */
static bool is_ours(const struct pw_notify_slot *slot) {
    static uint64_t own;
    if (own == 0)
        own = process_own_namespace();
    return atomic_load(&slot->pid_namespace) == own;
}

/* The number in that line of a thread's status, "\nNAME:"; UINT64_MAX: not known. */
static uint64_t status_of(uint32_t pid, uint32_t thread, const char *name) {
    char path[64];
    static char status[65536]; /* one thread does this; there may be many groups */
    snprintf(path, sizeof path, "/proc/%u/task/%u/status", pid, thread);
    raw_file_read_text(path, status, sizeof status);
    const char *line = strstr(status, name);
    return line != NULL ? strtoull(line + strlen(name), NULL, 10) : UINT64_MAX;
}

/* How many filters a thread is under (Linux 5.9). */
static uint64_t count_filters(uint32_t pid, uint32_t thread) {
    return status_of(pid, thread, "\nSeccomp_filters:");
}

static void note_asked(const struct pw_notify_slot *slot, struct notify_asked *asked) {
    uint32_t pid = atomic_load(&slot->pid);
    uint32_t thread = atomic_load(&slot->thread);
    uint64_t filters = count_filters(pid, thread);
    atomic_store(&asked->thread, thread);
    atomic_store(&asked->filters, filters);
    atomic_store(&asked->pid, filters != UINT64_MAX ? pid : 0);
}

/* Once: the next has to ask again. */
static bool has_installed(const struct pw_notify_slot *slot, struct notify_asked *asked) {
    uint32_t pid = atomic_exchange(&asked->pid, 0);
    uint32_t thread = atomic_load(&asked->thread);
    return pid != 0 && pid == atomic_load(&slot->pid) &&
           count_filters(pid, thread) == atomic_load(&asked->filters) + 1;
}

/* What keeps us from taking a descriptor: an errno, 0 for nothing. The process has no such one:
 * EBADF shows that we may take others (kernel/pid.c). */
static int try_to_take(const struct pw_notify_slot *slot, struct notify_asked *asked) {
    note_asked(slot, asked);
    int pidfd = notify_process_open((pid_t)atomic_load(&slot->pid));
    int error = pidfd < 0 || notify_duplicate(pidfd, INT_MAX) < 0 ? errno : EBADF;
    if (pidfd >= 0)
        close(pidfd);
    if (error != EBADF)
        return error;
    return atomic_load(&asked->pid) != 0 ? check_process(slot) : ESRCH;
}

static int try_to_look(const struct pw_notify_slot *slot) {
    int error = check_process(slot);
    if (error != 0)
        return error;
    return notify_table_may_look((pid_t)atomic_load(&slot->pid)) ? 0 : EPERM;
}

static bool is_other_users(const struct pw_notify_slot *slot) {
    uint32_t pid = atomic_load(&slot->pid);
    uint64_t user = status_of(pid, pid, "\nUid:");
    return user != UINT64_MAX && user != getuid();
}

/* The pid that a program in another PID namespace names is nobody's here, or somebody else's. */
static enum pw_notify_count why_not(const struct pw_notify_slot *slot, int error) {
    if (atomic_load(&slot->pid_namespace) == 0)
        return PW_NOTIFY_NO_PROC;
    if (!is_ours(slot))
        return PW_NOTIFY_OTHER_PIDS;
    if (error == EMFILE || error == ENFILE)
        return PW_NOTIFY_NO_ROOM_LEFT;
    return error == EPERM && is_other_users(slot) ? PW_NOTIFY_OTHER_USER : PW_NOTIFY_NOT_TAKEN;
}

static uint32_t refuse(struct pw_notify_slot *slot, enum pw_notify_count why, int error) {
    atomic_store(&slot->why, why);
    atomic_store(&slot->error, error);
    return PW_NOTIFY_REFUSED;
}

/* What it is to do next. */
static uint32_t verdict(struct pw_notify_slot *slot, struct notify_asked *asked, int entry) {
    int error = entry < 0 ? try_to_take(slot, asked) : try_to_look(slot);
    if (error != 0)
        return refuse(slot, why_not(slot, error), error);
    return entry < 0 ? PW_NOTIFY_GO : PW_NOTIFY_GO_SEND;
}

/* Is there room for so many listeners, and for what is open with each for a moment? The lowest free
 * number is given out (open(2)), so where one near the limit is free, those behind it are too. A
 * program that is under its filter when its listener cannot be taken would get ENOSYS for good. */
static bool has_descriptors(unsigned listeners) {
    struct rlimit limit;
    rlim_t wanted = (rlim_t)listeners * 2 + DESCRIPTORS_SPARE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > DESCRIPTORS_PLENTY)
        return true;
    if (limit.rlim_cur <= wanted)
        return false;
    int from = (int)(limit.rlim_cur - wanted);
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int high = file >= 0 ? fcntl(file, F_DUPFD_CLOEXEC, from) : -1;
    if (file >= 0)
        close(file);
    if (high >= 0)
        close(high);
    return high == from;
}

static int take_once(const struct pw_notify_slot *slot) {
    int pidfd = notify_process_open((pid_t)atomic_load(&slot->pid));
    int listener = pidfd >= 0 ? notify_duplicate(pidfd, atomic_load(&slot->listener)) : -1;
    int error = errno;
    if (pidfd >= 0)
        close(pidfd);
    errno = error;
    if (listener < 0 || notify_is_listener(listener))
        return listener;
    close(listener);
    return -1;
}

/* Others of our threads may have the last descriptors for a moment. */
static int take(struct pw_notify_area *area, const struct pw_notify_slot *slot,
                struct notify_asked *asked, int entry) {
    const struct timespec pause = {.tv_nsec = TAKE_PAUSE_NS};
    if (entry >= 0)
        return notify_entry_take(entry, atomic_load(&slot->pid));
    if (!has_installed(slot, asked)) {
        atomic_fetch_add(&area->count[PW_NOTIFY_FOREIGN], 1);
        return -1;
    }
    int listener = take_once(slot);
    for (unsigned i = 0; listener < 0 && errno == EMFILE && i < TAKE_ROUNDS; i++) {
        nanosleep(&pause, NULL);
        listener = take_once(slot);
    }
    return listener;
}

static bool has_ended(const struct pw_notify_slot *slot) {
    pid_t pid = (pid_t)atomic_load(&slot->pid);
    return pid > 0 && is_ours(slot) && kill(pid, 0) != 0 && errno == ESRCH;
}

/* Who waits for us does so for some seconds. In a slot that nothing moves for much longer somebody
 * was killed whom we cannot know. */
static bool is_left(struct notify_asked *asked, uint32_t state) {
    uint64_t now = monotonic_ns();
    if (atomic_exchange(&asked->state, state) != state)
        atomic_store(&asked->since_ns, now);
    return now - atomic_load(&asked->since_ns) > LEFT_NS;
}

/* Killed while it had the slot. */
static void free_if_dead(struct pw_notify_slot *slot, struct notify_asked *asked, uint32_t state) {
    bool left = is_left(asked, state);
    if (state == PW_NOTIFY_FREE || (!has_ended(slot) && !left))
        return;
    atomic_store(&slot->pid, 0);
    move(slot, state, PW_NOTIFY_FREE);
}

/* Programs that may install their filter, or have. */
static unsigned count_granted(struct pw_notify_area *area) {
    unsigned granted = 0;
    for (unsigned i = 0; i < PW_NOTIFY_SLOTS; i++) {
        uint32_t state = atomic_load(&area->slot[i].state);
        granted += state == PW_NOTIFY_GO || state == PW_NOTIFY_GO_SEND || state == PW_NOTIFY_POSTED;
    }
    return granted;
}

void notify_mailbox_serve(struct pw_notify_area *area, struct notify_journal *journal, int entry,
                          bool full, notify_keep *keep, void *with) {
    for (unsigned i = 0; i < PW_NOTIFY_SLOTS; i++) {
        struct pw_notify_slot *slot = &area->slot[i];
        struct notify_asked *asked = &journal->asked[i];
        uint32_t state = atomic_load(&slot->state);
        if (state == PW_NOTIFY_ASKED && full) {
            move(slot, state, PW_NOTIFY_NO_ROOM);
        } else if (state == PW_NOTIFY_ASKED && !has_descriptors(count_granted(area) + 1)) {
            move(slot, state, refuse(slot, PW_NOTIFY_NO_ROOM_LEFT, EMFILE));
        } else if (state == PW_NOTIFY_ASKED) {
            move(slot, state, verdict(slot, asked, entry));
        } else if (state == PW_NOTIFY_POSTED) {
            int listener = take(area, slot, asked, entry);
            bool kept = listener >= 0 && keep(with, listener, slot);
            move(slot, state, kept ? PW_NOTIFY_TAKEN : PW_NOTIFY_LOST);
        } else {
            free_if_dead(slot, asked, state);
        }
    }
}

/* What was sent to it, `run` may have received before it was killed. */
static uint32_t without(int entry) { return entry >= 0 ? PW_NOTIFY_GO_SEND : PW_NOTIFY_LOST; }

int notify_mailbox_take_left(struct pw_notify_area *area, struct notify_journal *journal,
                             int entry) {
    for (unsigned i = 0; i < PW_NOTIFY_SLOTS; i++) {
        struct pw_notify_slot *slot = &area->slot[i];
        struct notify_asked *asked = &journal->asked[i];
        uint32_t state = atomic_load(&slot->state);
        if (state == PW_NOTIFY_POSTED) {
            int listener = take(area, slot, asked, entry);
            move(slot, state, listener >= 0 ? PW_NOTIFY_TAKEN : without(entry));
            return listener;
        }
        if (state == PW_NOTIFY_ASKED)
            move(slot, state, refuse(slot, PW_NOTIFY_UNANSWERED, 0));
        else
            free_if_dead(slot, asked, state);
    }
    return -1;
}

bool notify_mailbox_is_used(struct pw_notify_area *area) {
    for (unsigned i = 0; i < PW_NOTIFY_SLOTS; i++)
        if (atomic_load(&area->slot[i].state) != PW_NOTIFY_FREE)
            return true;
    return false;
}
