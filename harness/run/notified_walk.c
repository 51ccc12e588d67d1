/*
 * A notification has the program counter and the stack pointer, and no frame pointer. Go's own
 * table has the size of each frame; of other programs the nearest return address must do. Programs
 * are kept open, since one that binds in a loop comes here each time.
 */
#include "harness/run/notified_walk.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool program_of(pid_t pid, struct stat *status) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    return stat(path, status) == 0;
}

static void forget(struct notified_program *entry) {
    if (entry->pid != 0)
        close(entry->program.file);
    entry->pid = 0;
}

static const struct remote_program *find(struct notified_walk *walk, pid_t pid) {
    struct stat status;
    if (!program_of(pid, &status))
        return NULL;
    for (unsigned i = 0; i < NOTIFIED_PROGRAMS; i++)
        if (walk->latest[i].pid == pid && walk->latest[i].device == status.st_dev &&
            walk->latest[i].inode == status.st_ino)
            return &walk->latest[i].program;
    struct notified_program *entry = &walk->latest[walk->next++ % NOTIFIED_PROGRAMS];
    forget(entry);
    if (!remote_program_open(pid, &entry->program))
        return NULL;
    entry->pid = pid;
    entry->device = status.st_dev;
    entry->inode = status.st_ino;
    return &entry->program;
}

unsigned notified_walk(void *with, const struct notify_registers *registers, uint64_t *address,
                       unsigned most) {
    struct notified_walk *walk = with;
    const struct remote_registers from = {.counter = registers->instruction,
                                          .stack = registers->stack};
    pid_t pid = (pid_t)registers->process;
    const struct remote_program *program = find(walk, pid);
    if (program == NULL)
        return (unsigned)remote_walk(pid, &from, address, most);
    return (unsigned)go_walk(&walk->programs, program->file, program->bias, pid, &from, address,
                             most);
}

void notified_walk_close(struct notified_walk *walk) {
    for (unsigned i = 0; i < NOTIFIED_PROGRAMS; i++)
        forget(&walk->latest[i]);
    go_programs_close(&walk->programs);
}
