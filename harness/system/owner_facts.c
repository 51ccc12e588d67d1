/* A process may end while it is looked at: all is read by its folder of /proc, which never shows
 * another process, and its start is read last, so that the rest belongs to one that lived then. */
#include "harness/system/owner_facts.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness/system/process_facts.h"

/* Reads a small file whole, or its beginning; its length, 0 where it cannot be read. */
static size_t read_text(int folder, const char *name, char *text, size_t size) {
    size_t used = 0;
    ssize_t got = 0;
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        while (used < size - 1 && (got = read(file, text + used, size - 1 - used)) > 0)
            used += (size_t)got;
        close(file);
    }
    text[used] = '\0';
    return used;
}

static void read_command(int folder, struct owner_facts *facts) {
    size_t length = read_text(folder, "cmdline", facts->command, sizeof facts->command);
    while (length > 0 && facts->command[length - 1] == '\0')
        length--;
    for (size_t i = 0; i < length; i++)
        if (facts->command[i] == '\0')
            facts->command[i] = ' ';
}

static void read_folder(int folder, struct owner_facts *facts) {
    ssize_t length = readlinkat(folder, "cwd", facts->folder, sizeof facts->folder - 1);
    facts->folder[length > 0 ? length : 0] = '\0';
}

static void read_control_group(int folder, struct owner_facts *facts) {
    char own[sizeof facts->control_group];
    size_t length = read_text(folder, "cgroup", facts->control_group, sizeof facts->control_group);
    size_t own_length = read_text(AT_FDCWD, "/proc/self/cgroup", own, sizeof own);
    if (length == own_length && memcmp(own, facts->control_group, length) == 0)
        facts->control_group[0] = '\0';
}

/* The user that it acts as: the second number of the line. */
static uint32_t read_user(int folder) {
    char text[2048];
    unsigned real;
    unsigned effective;
    read_text(folder, "status", text, sizeof text);
    const char *line = strstr(text, "\nUid:");
    return line != NULL && sscanf(line, "\nUid: %u %u", &real, &effective) == 2 ? effective
                                                                                : UINT32_MAX;
}

void owner_user_name(uint32_t uid, char *name, size_t size) {
    const struct passwd *entry = uid != UINT32_MAX ? getpwuid(uid) : NULL;
    snprintf(name, size, "%s", entry != NULL ? entry->pw_name : "");
}

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* Ticks since boot count the time in which the machine slept. */
static uint64_t real_time_of(uint64_t ticks) {
    uint64_t since_boot = ticks * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
    uint64_t boot = clock_ns(CLOCK_BOOTTIME);
    uint64_t now = clock_ns(CLOCK_REALTIME);
    return since_boot < boot && boot - since_boot < now ? now - (boot - since_boot) : now;
}

bool owner_facts_read(pid_t pid, int folder, struct owner_facts *facts) {
    char text[1024];
    struct process_facts process;
    *facts = (struct owner_facts){.pid = pid};
    read_command(folder, facts);
    read_folder(folder, facts);
    read_control_group(folder, facts);
    facts->uid = read_user(folder);
    if (read_text(folder, "stat", text, sizeof text) == 0 || !process_facts_parse(text, &process) ||
        process.state == 'Z' || process.state == 'X')
        return false;
    facts->parent = process.parent;
    facts->start_time = process.start_time;
    facts->started_ns = real_time_of(process.start_time);
    memcpy(facts->comm, process.comm, sizeof facts->comm);
    if (facts->command[0] == '\0')
        snprintf(facts->command, sizeof facts->command, "[%s]", process.comm);
    owner_user_name(facts->uid, facts->user, sizeof facts->user);
    return true;
}
