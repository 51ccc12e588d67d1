/* What one look at /proc/self/fd says. */
#ifndef PORTWITNESS_SHARED_PROC_MOUNT_H
#define PORTWITNESS_SHARED_PROC_MOUNT_H

#include <stdint.h>

struct proc_mount {
    uint64_t device;      /* of the mounted /proc, which belongs to one pid namespace; 0: none */
    uint64_t descriptors; /* how many are open; 0 where the kernel does not say, before Linux 6.2 */
};

struct proc_mount proc_mount_look(void);

/* The inode of this process's pid namespace (/proc/self/ns/pid), 0: not known. */
uint64_t proc_pid_namespace(void);

#endif
