/* The stack of another process's thread that has stopped in a system call, along its frame
 * pointers. */
#ifndef PORTWITNESS_CAPTURE_REMOTE_WALK_H
#define PORTWITNESS_CAPTURE_REMOTE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* On x86-64 rip, rsp and rbp, on aarch64 pc, sp, x29 and x30. */
struct remote_registers {
    uint64_t counter;
    uint64_t stack;
    uint64_t frame; /* 0: not known */
    uint64_t link;  /* aarch64 */
};

/* Puts the program counter and then return addresses, the innermost first, into `address`, which
 * has room for that many; how many these are. The function that makes the system call may be one
 * without a frame, as libc's and Go's are: its return address is then where the call put it. Reads
 * as process_memory_read does, at most a few KB at a time. What is not a chain of frames, which a
 * program without frame pointers has not, ends the walk. */
size_t remote_walk(pid_t pid, const struct remote_registers *registers, uint64_t *address,
                   size_t room);

/* The word of eight bytes at an address of the process; false where none can be read. */
bool remote_read_word(pid_t pid, uint64_t address, uint64_t *word);

#endif
