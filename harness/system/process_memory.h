/* The memory of another process, for whoever has the rights of a debugger there (ptrace(2)). */
#ifndef PORTWITNESS_SYSTEM_PROCESS_MEMORY_H
#define PORTWITNESS_SYSTEM_PROCESS_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes that are read at most at a time. */
enum { PROCESS_MEMORY_MOST = 8192 };

/* Reads what can be read from that address on: how many bytes, less than `size` where a page behind
 * them is not mapped. -1 with errno: EPERM or EACCES where it may not be looked at. */
ssize_t process_memory_read(pid_t pid, uint64_t address, void *into, size_t size);

#endif
