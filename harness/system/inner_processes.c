/* A process in a PID namespace has a number in each of those around it (pid_namespaces(7)), and who
 * is in there knows the innermost alone. From outside /proc/PID/status has them all, as NSpid. */
#include "harness/system/inner_processes.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/base/text_file.h"
#include "harness/system/process_facts.h"

enum { STATUS_MOST = 1 << 16 };

/* The last number of NSpid; 0: there is none. */
static uint32_t innermost(pid_t pid) {
    char path[64];
    size_t length;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    char *status = text_file_read(path, STATUS_MOST, &length);
    const char *line = status != NULL ? strstr(status, "\nNSpid:") : NULL;
    uint32_t number = 0;
    if (line != NULL) {
        const char *end = strchr(line + 1, '\n');
        const char *last = line;
        for (const char *at = line + 1; at != end && *at != '\0'; at++)
            if (*at == '\t' || *at == ' ')
                last = at;
        number = (uint32_t)strtoul(last, NULL, 10);
    }
    free(status);
    return number;
}

static bool is_in(pid_t pid, uint64_t pid_namespace) {
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
    return stat(path, &status) != 0 || status.st_ino == pid_namespace;
}

static void compare(struct inner_process *list, size_t count, pid_t pid) {
    struct process_facts facts;
    if (!process_facts_read(pid, &facts))
        return;
    for (size_t i = 0; i < count; i++)
        if (list[i].pid == 0 && list[i].start_time == facts.start_time &&
            innermost(pid) == list[i].inner_pid && is_in(pid, list[i].pid_namespace))
            list[i].pid = pid;
}

bool inner_processes_find(struct inner_process *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        list[i].pid = 0;
    DIR *proc = opendir("/proc");
    if (proc == NULL)
        return false;
    for (const struct dirent *entry = readdir(proc); entry != NULL; entry = readdir(proc)) {
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid > 0)
            compare(list, count, (pid_t)pid);
    }
    closedir(proc);
    return true;
}
