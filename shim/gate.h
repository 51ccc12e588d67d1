/* What every wrapped call passes first: is anything recorded, and may this process's memory
 * change? */
#ifndef PORTWITNESS_GATE_H
#define PORTWITNESS_GATE_H

#include <stdbool.h>
#include <stddef.h>

enum gate {
    GATE_CLOSED, /* nothing is recorded: call the real function and no more */
    GATE_OPEN,
    GATE_VFORK /* in a vfork child: memory is the parent's, so tables must not change */
};

enum gate gate(void);

/* From start.c, once the trace is attached. */
void gate_open(void);

/* Whether it is open for the program as a whole. */
bool gate_is_open(void);

/* In a parent right before vfork: what this thread does from now on is the child's. */
void gate_mark_vfork(void);

/* A vfork child reports a mapping that it leaves in its parent's memory when it executes a
 * program; the parent, which goes on in the same thread, gives it back. NULL: nothing any more. */
void gate_vfork_leaves(void *space, size_t size);

/* Under a filter of the guest's own nobody can be asked whether this still is the vfork child, so
 * the child itself says when it leaves its parent's memory: before it executes a program or ends.
 * true where that had to be said; gate_return_to_vfork takes it back when the exec has failed. */
bool gate_leave_vfork(void);
void gate_return_to_vfork(void);

#endif
