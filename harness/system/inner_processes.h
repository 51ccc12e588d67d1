/* Which processes here are those that another PID namespace knows by other numbers. */
#ifndef PORTWITNESS_SYSTEM_INNER_PROCESSES_H
#define PORTWITNESS_SYSTEM_INNER_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct inner_process {
    uint64_t pid_namespace; /* its inode */
    uint64_t start_time;    /* clock ticks since boot */
    uint32_t inner_pid;     /* what the process is called there */
    pid_t pid;              /* out: what it is called here; 0: it was not found */
};

/* Looks for all of them in one walk through /proc. A process whose namespace may not be looked at
 * is known by its pid there and its start time. false where /proc cannot be read, so that nothing
 * follows of who was not found; else he has ended. */
bool inner_processes_find(struct inner_process *list, size_t count);

#endif
