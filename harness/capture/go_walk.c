/*
 * A notification of seccomp has no frame pointer, and /proc/PID/syscall neither. Go's runtime walks
 * stacks without one as well (src/runtime/traceback.go): by the distance of the stack pointer from
 * the return address, which its table has for each program counter.
 */
#include "harness/capture/go_walk.h"

/* Of values that one walk may need read. */
enum { BUDGET_BYTES = 1 << 20, WORD_BYTES = 8 };

#if defined(__x86_64__)
/* A call has put the return address onto the stack. */
static bool step(pid_t pid, const struct remote_registers *registers, uint64_t bytes,
                 bool is_innermost, uint64_t *stack, uint64_t *back) {
    (void)registers;
    (void)is_innermost;
    if (!remote_read_word(pid, *stack + bytes, back))
        return false;
    *stack += bytes + WORD_BYTES;
    return true;
}
#else
/* The function has stored it at the end of its frame, if it has one. */
static bool step(pid_t pid, const struct remote_registers *registers, uint64_t bytes,
                 bool is_innermost, uint64_t *stack, uint64_t *back) {
    if (bytes == 0 && !is_innermost)
        return false;
    if (bytes == 0)
        *back = registers->link;
    else if (!remote_read_word(pid, *stack, back))
        return false;
    *stack += bytes;
    return true;
}
#endif

size_t go_walk(struct go_programs *programs, int file, uint64_t bias, pid_t pid,
               const struct remote_registers *registers, uint64_t *address, size_t room) {
    struct go_program *program = go_programs_find(programs, file);
    uint64_t counter = registers->counter;
    uint64_t stack = registers->stack;
    uint64_t bytes;
    bool is_outermost;
    size_t count = 0;
    if (program != NULL)
        program->table.budget = BUDGET_BYTES;
    if (program == NULL || counter < bias ||
        !go_lines_frame_bytes(&program->table, counter - bias, &bytes, &is_outermost))
        return remote_walk(pid, registers, address, room);
    while (count < room) {
        address[count++] = counter;
        if (counter < bias ||
            !go_lines_frame_bytes(&program->table, counter - bias, &bytes, &is_outermost) ||
            is_outermost || !step(pid, registers, bytes, count == 1, &stack, &counter) ||
            counter == 0)
            break;
    }
    return count;
}
