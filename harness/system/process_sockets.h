/* Which processes have which sockets, as the links below /proc/PID/fd say. */
#ifndef PORTWITNESS_SYSTEM_PROCESS_SOCKETS_H
#define PORTWITNESS_SYSTEM_PROCESS_SOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Called for each descriptor of a socket: its inode, and the process's folder of /proc, which stays
 * that process's own, whoever is given the pid later. */
typedef void process_sockets_take(void *with, pid_t pid, int folder, uint64_t inode);

/* The process's folder of /proc, opened, to be closed; -1 with errno set. */
int process_folder(pid_t pid);

/* Shows all sockets of one process. 0, or an errno: EACCES where it may not be looked at. */
int process_sockets_read(pid_t pid, int folder, process_sockets_take *take, void *with);

/* Shows all sockets of all processes of /proc. How many of these may not be looked at. */
size_t process_sockets_walk(process_sockets_take *take, void *with);

#endif
