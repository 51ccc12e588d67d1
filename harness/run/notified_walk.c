/*
 * A notification has the program counter and the stack pointer, and no frame pointer. Go's own
 * table has the size of each frame; of other programs the nearest return address must do. Programs
 * are kept open, since one that binds in a loop comes here each time.
 */
#include "harness/run/notified_walk.h"

#include <fcntl.h>
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

static struct notified_program *known(struct notified_walk *walk, pid_t pid) {
    for (unsigned i = 0; i < NOTIFIED_PROGRAMS; i++)
        if (walk->latest[i].pid == pid)
            return &walk->latest[i];
    return NULL;
}

static struct notified_program *replace(struct notified_walk *walk, pid_t pid) {
    struct notified_program *entry = known(walk, pid);
    if (entry == NULL)
        entry = &walk->latest[walk->next++ % NOTIFIED_PROGRAMS];
    forget(entry);
    return entry;
}

static const struct remote_program *find(struct notified_walk *walk, pid_t pid) {
    struct stat status;
    struct notified_program *entry = known(walk, pid);
    if (!program_of(pid, &status))
        return NULL;
    if (entry != NULL && entry->device == status.st_dev && entry->inode == status.st_ino)
        return &entry->program;
    entry = replace(walk, pid);
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
    pthread_mutex_lock(&walk->lock);
    const struct remote_program *program = find(walk, pid);
    pthread_mutex_unlock(&walk->lock);
    if (program == NULL)
        return (unsigned)remote_walk(pid, &from, address, most);
    /* Only this thread changes what is known. */
    return (unsigned)go_walk(&walk->programs, program->file, program->bias, pid, &from, address,
                             most);
}

bool notified_walk_program(void *with, pid_t pid, struct remote_program *program) {
    struct notified_walk *walk = with;
    pthread_mutex_lock(&walk->lock);
    const struct notified_program *entry = known(walk, pid);
    if (entry != NULL)
        *program = entry->program;
    if (entry != NULL)
        program->file = fcntl(entry->program.file, F_DUPFD_CLOEXEC, 0);
    pthread_mutex_unlock(&walk->lock);
    return entry != NULL && program->file >= 0;
}

void notified_walk_close(struct notified_walk *walk) {
    for (unsigned i = 0; i < NOTIFIED_PROGRAMS; i++)
        forget(&walk->latest[i]);
    go_programs_close(&walk->programs);
}
