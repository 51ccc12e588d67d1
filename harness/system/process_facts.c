/* Reading /proc for `run`, with nothing kept: each answer is as old as the call. */
#include "harness/system/process_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANCESTORS_MAX = 64, START_TIME_FIELD = 22, FIRST_NUMBER_FIELD = 4 };

bool process_facts_parse(const char *text, struct process_facts *facts) {
    /* The name may hold spaces and parentheses, so it ends at the last one. */
    const char *open = strchr(text, '(');
    const char *close = strrchr(text, ')');
    if (open == NULL || close == NULL || close < open || close[1] != ' ' || close[2] == '\0')
        return false;
    size_t length = (size_t)(close - open) - 1;
    if (length >= sizeof facts->comm)
        length = sizeof facts->comm - 1;
    memcpy(facts->comm, open + 1, length);
    facts->comm[length] = '\0';
    facts->state = close[2];
    const char *at = close + 3;
    for (int field = FIRST_NUMBER_FIELD; field <= START_TIME_FIELD; field++) {
        char *end;
        unsigned long long number = strtoull(at, &end, 10);
        if (end == at)
            return false;
        if (field == FIRST_NUMBER_FIELD)
            facts->parent = (pid_t)number;
        facts->start_time = number;
        at = end;
    }
    return true;
}

bool process_facts_read(pid_t pid, struct process_facts *facts) {
    char path[64];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t length = read(file, text, sizeof text - 1);
    int error = errno;
    close(file);
    errno = error;
    if (length <= 0)
        return false;
    text[length] = '\0';
    return process_facts_parse(text, facts);
}

char process_state(pid_t pid) {
    struct process_facts facts;
    return process_facts_read(pid, &facts) ? facts.state : '\0';
}

bool process_descends_from(pid_t pid, pid_t ancestor) {
    struct process_facts facts;
    for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
        if (pid == ancestor)
            return true;
        if (!process_facts_read(pid, &facts))
            return false;
        pid = facts.parent;
    }
    return false;
}

bool process_shares_namespace(pid_t pid, const char *kind) {
    char path[64];
    struct stat own;
    struct stat other;
    snprintf(path, sizeof path, "/proc/self/ns/%s", kind);
    if (stat(path, &own) != 0)
        return false;
    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, kind);
    return stat(path, &other) == 0 && own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

uint64_t process_own_namespace(void) {
    struct stat status;
    return stat("/proc/self/ns/pid", &status) == 0 ? (uint64_t)status.st_ino : 0;
}

/* As in linux/pidfd.h, which this C library's headers may not have yet. */
struct pidfd_info {
    uint64_t mask;
    uint64_t cgroup;
    uint32_t ids[11]; /* pid, tgid, ppid, then users and groups */
    int32_t exit_code;
};

_Static_assert(sizeof(struct pidfd_info) == 64, "the first published size");

#define PIDFD_GET_INFO_FIRST _IOWR(0xff, 11, struct pidfd_info)
#define PIDFD_INFO_EXIT_BIT (UINT64_C(1) << 3)

bool process_exit_status(int pidfd, int *status) {
    struct pidfd_info info = {.mask = PIDFD_INFO_EXIT_BIT};
    if (ioctl(pidfd, PIDFD_GET_INFO_FIRST, &info) != 0 || (info.mask & PIDFD_INFO_EXIT_BIT) == 0)
        return false;
    *status = info.exit_code;
    return true;
}
