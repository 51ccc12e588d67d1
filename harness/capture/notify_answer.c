/* The system calls and ioctls alone, for `run` and for the standby process. */
#include "harness/capture/notify_answer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/capture/acting.h"
#include "harness/capture/notify_journal.h"
#include "harness/capture/unrecorded.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */
#endif

#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

#define SLICE_NS 100000u

/* As sched_setattr(2) has it; libc has no declaration before 2.41. */
struct scheduling {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

void notify_ask_for_short_slices(void) {
    struct scheduling own = {.size = sizeof own};
    if (syscall(SYS_sched_getattr, 0, &own, sizeof own, 0) != 0 || own.policy != 0)
        return;
    own.runtime = SLICE_NS;
    syscall(SYS_sched_setattr, 0, &own, 0);
}

/* Named by the process, as the thread has no room for more (prctl(2)). */
void notify_act_for(pid_t process) {
    static pid_t named = -1;
    char name[ACTING_NAME_BYTES];
    if (process == named)
        return;
    snprintf(name, sizeof name, process > 0 ? ACTING_FOR "%d" : ACTING_FOR, (int)process);
    raw_syscall3(SYS_prctl, PR_SET_NAME, RAW(name), 0);
    named = process;
}

void notify_take_turns(int listener) {
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}

size_t notify_bytes(void) {
    struct seccomp_notif_sizes sizes = {0};
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0 ||
        sizes.seccomp_notif < sizeof(struct seccomp_notif) || sizes.seccomp_notif > NOTIFY_BYTES)
        return 0;
    return sizes.seccomp_notif;
}

/* The number of a line of /proc/PID/status (proc(5)). */
static pid_t group_of(pid_t thread) {
    char path[40];
    char text[512];
    snprintf(path, sizeof path, "/proc/%d/status", (int)thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    const char *line = strstr(text, "\nTgid:");
    return line != NULL ? (pid_t)strtol(line + 6, NULL, 10) : thread;
}

int notify_process_open(pid_t pid) {
    int pidfd = (int)syscall(SYS_pidfd_open, pid, PIDFD_THREAD);
    if (pidfd < 0 && errno == EINVAL)
        pidfd = (int)syscall(SYS_pidfd_open, group_of(pid), 0);
    return pidfd;
}

int notify_duplicate(int pidfd, int fd) { return unrecorded_duplicate(pidfd, fd); }

/* A descriptor that we do not have: EBADF shows that we may take others (kernel/pid.c). */
bool notify_may_never_duplicate(void) {
    int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (pidfd < 0)
        return true;
    bool never = notify_duplicate(pidfd, INT_MAX) < 0 && errno != EBADF;
    close(pidfd);
    return never;
}

bool notify_is_listener(int fd) {
    static const char name[] = "anon_inode:seccomp notify";
    char path[40];
    char target[sizeof name + 8];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, target, sizeof target);
    return length == (ssize_t)sizeof name - 1 && memcmp(target, name, sizeof name - 1) == 0;
}

int notify_receive(int listener, struct seccomp_notif *into) {
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, into);
}

bool notify_is_valid(int listener, uint64_t id) {
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* A newer kernel's structure may be larger; what is behind ours is 0 (no flag). */
static bool send_answer(int listener, const struct seccomp_notif_resp *answer) {
    union {
        struct seccomp_notif_resp answer;
        unsigned char bytes[NOTIFY_BYTES];
    } room;
    memset(&room, 0, sizeof room);
    room.answer = *answer;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &room) == 0;
}

bool notify_answer(int listener, uint64_t id, int error) {
    return send_answer(listener, &(struct seccomp_notif_resp){.id = id, .error = -error});
}

bool notify_continue(int listener, uint64_t id) {
    return send_answer(listener, &(struct seccomp_notif_resp){
                                     .id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE});
}
