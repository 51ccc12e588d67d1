/*
 * A filter that nobody answers for refuses every bind of the program (ENOSYS), and no filter can be
 * taken off again. So `run` is asked first whether it can take a descriptor from this very process;
 * only then is the filter installed, and the program waits until its listener is in other hands.
 */
#include "shim/shared/notify_join.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

#include "shim/shared/notify_door.h"
#include "shim/shared/notify_filter.h"
#include "shim/shared/raw_syscall.h"

enum { ROUNDS = 50, ROUND_NS = 100 * 1000 * 1000, CLAIM_ROUNDS = 500, CLAIM_NS = 10 * 1000 * 1000 };

struct pw_notify_area *notify_area(struct pw_header *header) {
    if (header == NULL || (header->capture & PW_CAPTURE_SECCOMP) == 0)
        return NULL;
    return (struct pw_notify_area *)(void *)((char *)header + PW_NOTIFY_OFFSET);
}

void notify_set_tokens(struct pw_header *header, const uint64_t token[2]) {
    struct pw_notify_area *area =
        (struct pw_notify_area *)(void *)((char *)header + PW_NOTIFY_OFFSET);
    area->token[0] = token[0];
    area->token[1] = token[1];
}

void notify_tokens(struct pw_header *header, uint64_t token[2]) {
    const struct pw_notify_area *area =
        (const struct pw_notify_area *)(const void *)((const char *)header + PW_NOTIFY_OFFSET);
    token[0] = area->token[0];
    token[1] = area->token[1];
}

bool notify_is_needed(const struct program_facts *facts) {
    int obstacle = facts->is_foreign ? 0 : facts->obstacle;
    return obstacle == PW_BLIND_STATIC || obstacle == PW_BLIND_OWN_CALLS ||
           obstacle == PW_BLIND_ARCHITECTURE || obstacle == PW_BLIND_UNREACHABLE;
}

static void count(struct pw_notify_area *area, enum pw_notify_count what) {
    atomic_fetch_add_explicit(&area->count[what], 1, memory_order_relaxed);
}

static void count_error(struct pw_notify_area *area, enum pw_notify_count what, int error) {
    atomic_store_explicit(&area->error[what], error, memory_order_relaxed);
    count(area, what);
}

/* What stands in the slot may be anybody's. GO_SEND: the door could not be reached. */
static void count_refusal(struct pw_notify_area *area, struct pw_notify_slot *slot,
                          uint32_t answer) {
    uint32_t why = atomic_load(&slot->why);
    if (answer == PW_NOTIFY_NO_ROOM)
        count(area, PW_NOTIFY_FULL);
    else if (answer == PW_NOTIFY_REFUSED && why < PW_NOTIFY_COUNTS)
        count_error(area, (enum pw_notify_count)why, atomic_load(&slot->error));
    else
        count_error(area, PW_NOTIFY_NOT_TAKEN, 0);
}

static struct pw_notify_slot *claim_free(struct pw_notify_area *area) {
    for (unsigned i = 0; i < PW_NOTIFY_SLOTS; i++) {
        uint32_t free = PW_NOTIFY_FREE;
        if (atomic_compare_exchange_strong(&area->slot[i].state, &free, PW_NOTIFY_CLAIMED))
            return &area->slot[i];
    }
    return NULL;
}

/* Where many programs start at a time, others have them all for a moment. */
static struct pw_notify_slot *claim(struct pw_notify_area *area) {
    const struct timespec pause = {.tv_nsec = CLAIM_NS};
    struct pw_notify_slot *slot = claim_free(area);
    for (int i = 0; slot == NULL && i < CLAIM_ROUNDS; i++) {
        raw_syscall4(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, RAW(&pause), 0);
        slot = claim_free(area);
    }
    return slot;
}

static uint64_t pid_namespace(void) {
    struct stat status;
    if (raw_syscall4(SYS_newfstatat, AT_FDCWD, RAW("/proc/self/ns/pid"), RAW(&status), 0) < 0)
        return 0;
    return status.st_ino;
}

/* Says something to `run` and waits for what it makes of it; `state` again where it is silent. */
static uint32_t say(struct pw_notify_area *area, struct pw_notify_slot *slot, uint32_t state) {
    const struct timespec pause = {.tv_nsec = ROUND_NS};
    atomic_store(&slot->state, state);
    atomic_fetch_add(&area->bell, 1);
    raw_syscall3(SYS_futex, RAW(&area->bell), FUTEX_WAKE, 1);
    for (int i = 0; i < ROUNDS && atomic_load(&slot->state) == state; i++)
        raw_syscall4(SYS_futex, RAW(&slot->state), FUTEX_WAIT, (long)state, RAW(&pause));
    return atomic_load(&slot->state);
}

/* "/proc/PID/ns/user" */
static void path_of_namespace(uint32_t pid, char path[40]) {
    static const char before[] = "/proc/";
    static const char behind[] = "/ns/user";
    char digits[10];
    size_t count = 0;
    for (; pid != 0; pid /= 10)
        digits[count++] = (char)('0' + pid % 10);
    char *at = path + sizeof before - 1;
    memcpy(path, before, sizeof before - 1);
    while (count > 0)
        *at++ = digits[--count];
    memcpy(at, behind, sizeof behind);
}

/* Landlock lets nobody look at a process that is not under all of its rules: who may look at `run`
 * is under none but those of `run`. No other question tells, and a program that has changed its
 * user or its capabilities gets the same answer as a restricted one. */
static bool may_be_restricted(const struct pw_notify_area *area) {
    const struct pw_header *header =
        (const struct pw_header *)(const void *)((const char *)area - PW_NOTIFY_OFFSET);
    char path[40];
    struct stat status;
    if (header->supervisor_pid == 0)
        return true;
    path_of_namespace(header->supervisor_pid, path);
    return raw_syscall4(SYS_newfstatat, AT_FDCWD, RAW(path), RAW(&status), 0) < 0;
}

/* Where the listener is to be sent, `door` is connected to that place. */
static bool may_install(struct pw_notify_area *area, struct pw_notify_slot *slot, long *door) {
    atomic_store(&slot->pid_namespace, pid_namespace());
    atomic_store(&slot->thread, (uint32_t)raw_syscall3(SYS_gettid, 0, 0, 0));
    atomic_store(&slot->pid, (uint32_t)raw_syscall3(SYS_getpid, 0, 0, 0));
    atomic_store(&slot->restricted, may_be_restricted(area) ? 1 : 0);
    uint32_t answer = say(area, slot, PW_NOTIFY_ASKED);
    if (answer == PW_NOTIFY_ASKED &&
        atomic_compare_exchange_strong(&slot->state, &answer, PW_NOTIFY_CLAIMED)) {
        count(area, PW_NOTIFY_UNANSWERED);
        return false;
    }
    if (answer == PW_NOTIFY_GO)
        return true;
    if (answer == PW_NOTIFY_GO_SEND && (*door = notify_door_connect(area->door)) >= 0)
        return true;
    count_refusal(area, slot, answer);
    return false;
}

static long install(struct pw_notify_area *area) {
    const struct notify_pass pass = {{area->token[0], area->token[1]}, area->region};
    long listener = notify_filter_install(&pass);
    if (listener == -EACCES && raw_syscall6(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0) == 0) {
        listener = notify_filter_install(&pass);
        if (listener >= 0)
            count(area, PW_NOTIFY_PRIVILEGES);
    }
    if (listener < 0)
        count_error(area, listener == -EBUSY ? PW_NOTIFY_WATCHED : PW_NOTIFY_NOT_ALLOWED,
                    (int)-listener);
    return listener;
}

/* Who takes it may be killed with it in his hands. Our own is kept until it is taken. */
static uint32_t post_by_door(struct pw_notify_area *area, struct pw_notify_slot *slot, long door,
                             int listener) {
    uint32_t answer = PW_NOTIFY_GO_SEND;
    for (int i = 0; i < ROUNDS && answer == PW_NOTIFY_GO_SEND; i++) {
        if (notify_door_send(door, listener) < 0)
            return PW_NOTIFY_LOST;
        answer = say(area, slot, PW_NOTIFY_POSTED);
    }
    if (answer == PW_NOTIFY_TAKEN)
        atomic_fetch_add_explicit(&area->sent, 1, memory_order_relaxed);
    return answer;
}

static bool install_and_post(struct pw_notify_area *area, struct pw_notify_slot *slot, long door) {
    long listener = install(area);
    if (listener < 0)
        return false;
    atomic_store(&slot->listener, (int32_t)listener);
    uint32_t answer = door >= 0 ? post_by_door(area, slot, door, (int)listener)
                                : say(area, slot, PW_NOTIFY_POSTED);
    raw_syscall3(SYS_close, listener, 0, 0);
    count(area, answer == PW_NOTIFY_TAKEN ? PW_NOTIFY_INSTALLED : PW_NOTIFY_ABANDONED);
    return answer == PW_NOTIFY_TAKEN;
}

static bool join(struct pw_notify_area *area, struct pw_notify_slot *slot) {
    long door = -1;
    if (!may_install(area, slot, &door))
        return false;
    bool joined = install_and_post(area, slot, door);
    if (door >= 0)
        raw_syscall3(SYS_close, door, 0, 0);
    return joined;
}

bool notify_join(struct pw_notify_area *area) {
    if (atomic_load(&area->open) != PW_NOTIFY_OPEN)
        return false;
    if (notify_filter_is_on()) {
        count(area, PW_NOTIFY_WATCHED);
        return false;
    }
    struct pw_notify_slot *slot = claim(area);
    if (slot == NULL) {
        count(area, PW_NOTIFY_FULL);
        return false;
    }
    bool joined = join(area, slot);
    atomic_store(&slot->pid, 0); /* whoever claims it next is not us */
    atomic_store(&slot->state, PW_NOTIFY_FREE);
    return joined;
}
