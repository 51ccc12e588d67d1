/* A process that left is named by its program's path, which it may take with it when it ends. */
#include "harness/run/departed.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/run/blind_spot.h"

enum { NAME_BYTES = 1024, COMM_BYTES = 16 };

struct departed_process {
    uint32_t pid;
    uint64_t ns;
    char *name;
};

/* The path, unless the process runs another program by now; what the kernel called it is cut. */
static char *name_of(const struct outside_event *event) {
    char comm[COMM_BYTES + 1] = "";
    char link[64];
    char path[NAME_BYTES];
    if (event->process != NULL)
        memcpy(comm, event->process->comm, COMM_BYTES);
    snprintf(link, sizeof link, "/proc/%u/exe", (unsigned)event->pid);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    const char *slash = strrchr(path, '/');
    bool is_same = slash != NULL && strncmp(slash + 1, comm, strlen(comm)) == 0;
    const char *name = is_same ? path : comm;
    return memory_copy(name, strlen(name));
}

void departed_add(struct departed *departed, const struct outside_event *event) {
    departed->list =
        memory_grow(departed->list, &departed->room, departed->count + 1, sizeof *departed->list);
    departed->list[departed->count++] =
        (struct departed_process){.pid = event->pid, .ns = event->begin_ns, .name = name_of(event)};
}

void departed_seen(struct departed *departed, uint32_t pid, uint64_t begin_ns) {
    size_t kept = 0;
    for (size_t i = 0; i < departed->count; i++) {
        const struct departed_process *process = &departed->list[i];
        if (process->pid == pid && begin_ns <= process->ns)
            free(process->name);
        else
            departed->list[kept++] = *process;
    }
    departed->count = kept;
}

void departed_record(const struct departed *departed) {
    for (size_t i = 0; i < departed->count; i++)
        blind_spot_record(PW_BLIND_DEPARTED, 0, departed->list[i].pid, departed->list[i].name);
}

void departed_free(struct departed *departed) {
    for (size_t i = 0; i < departed->count; i++)
        free(departed->list[i].name);
    free(departed->list);
    *departed = (struct departed){0};
}
