/* What a program may do is asked anew at each call that depends on it: it may change its user at
 * any time, and nobody is notified of that. */
#include "harness/capture/notify_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/capture/notify_answer.h"
#include "harness/system/process_facts.h"
#include "harness/system/process_memory.h"
#include "shim/shared/raw_file.h"

enum { GROUPS_KEPT = 256, NET_BIND_SERVICE = 10 /* linux/capability.h */ };

/* Which process a thread belongs to, as asked last. */
static struct {
    pid_t thread;
    pid_t process;
} groups[GROUPS_KEPT];

/* The value of a line of /proc/PID/status: a number in that base. */
static uint64_t status_number(const char *status, const char *name, unsigned column, int base) {
    const char *at = strstr(status, name);
    if (at == NULL)
        return UINT64_MAX;
    char *end = NULL;
    uint64_t value = UINT64_MAX;
    at += strlen(name);
    for (unsigned i = 0; i <= column; i++, at = end)
        value = strtoull(at, &end, base);
    return value;
}

static bool read_status(pid_t pid, char *text, size_t room) {
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    return raw_file_read_text(path, text, room) > 0;
}

static bool is_thread_of(pid_t thread, pid_t process) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d", (int)process, (int)thread);
    return access(path, F_OK) == 0;
}

static pid_t process_of(pid_t thread) {
    char status[2048];
    unsigned row = (unsigned)thread % GROUPS_KEPT;
    if (groups[row].thread == thread && is_thread_of(thread, groups[row].process))
        return groups[row].process;
    if (!read_status(thread, status, sizeof status))
        return thread;
    groups[row].thread = thread;
    groups[row].process = (pid_t)status_number(status, "\nTgid:", 0, 10);
    return groups[row].process;
}

void notify_guest_enter(struct notify_guest *guest, pid_t thread) {
    guest->thread = thread;
    guest->process = process_of(thread);
    guest->pidfd = notify_process_open(thread);
}

void notify_guest_leave(struct notify_guest *guest) {
    if (guest->pidfd >= 0)
        close(guest->pidfd);
    guest->pidfd = -1;
}

bool notify_guest_copy(const struct notify_guest *guest, void *into, uint64_t from, size_t size) {
    return process_memory_read(guest->thread, from, into, size) == (ssize_t)size;
}

uint32_t notify_guest_user(const struct notify_guest *guest) {
    char path[40];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%d", (int)guest->thread);
    return stat(path, &status) == 0 ? status.st_uid : UINT32_MAX;
}

void notify_guest_name(const struct notify_guest *guest, char name[16]) {
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/comm", (int)guest->thread);
    memset(name, 0, 16);
    size_t length = raw_file_read_text(path, name, 16);
    if (length > 0 && name[length - 1] == '\n')
        name[length - 1] = '\0';
}

/* "" where there are no labels. */
static void read_label(const char *process, char *label, size_t room) {
    char path[48];
    snprintf(path, sizeof path, "/proc/%s/attr/current", process);
    memset(label, 0, room);
    raw_file_read_text(path, label, room);
}

bool notify_guest_has_our_label(const struct notify_guest *guest) {
    static char own[256];
    static bool is_read;
    char process[16];
    char label[sizeof own];
    if (!is_read)
        read_label("self", own, sizeof own);
    is_read = true;
    if (own[0] == '\0')
        return true;
    snprintf(process, sizeof process, "%d", (int)guest->thread);
    read_label(process, label, sizeof label);
    return strcmp(own, label) == 0;
}

/* Behind a long list of groups the rights may not have been read; then the kernel decides. */
static bool is_whole(const char *status) { return strstr(status, "\nCapBnd:") != NULL; }

static bool may_bind_privileged(const char *status) {
    uint64_t effective = status_number(status, "\nCapEff:", 0, 16);
    return (effective >> NET_BIND_SERVICE & 1) != 0;
}

bool notify_guest_has_our_rights(const struct notify_guest *guest) {
    char own[2048];
    char other[2048];
    return process_shares_namespace(guest->thread, "user") &&
           read_status(getpid(), own, sizeof own) &&
           read_status(guest->thread, other, sizeof other) && is_whole(own) && is_whole(other) &&
           status_number(own, "\nUid:", 1, 10) == status_number(other, "\nUid:", 1, 10) &&
           may_bind_privileged(own) == may_bind_privileged(other);
}
