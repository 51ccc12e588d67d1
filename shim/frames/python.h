/*
 * Frames of CPython. Where the interpreter reports a call ahead (an audit event, PEP 578), its
 * stack is walked then, and the frames are left for the call; for calls without an event, and for
 * extension modules, the stack is walked at the call if the thread holds the interpreter's lock.
 */
#ifndef PORTWITNESS_FRAMES_PYTHON_H
#define PORTWITNESS_FRAMES_PYTHON_H

#include <stdatomic.h>
#include <stdbool.h>

#include "shim/frames/languages.h"

/* Looks for an interpreter: once, when the shim has started. */
void python_begin(void);

/* There is an interpreter, and our hook is not in it. For python_meet alone. */
extern _Atomic bool python_is_awaited;

enum python_at { PYTHON_AT_SOCKET, PYTHON_AT_CLOSE };

void python_install(enum python_at at);

/* From calls that a Python program makes before its first bind: sees to the hook. One load
 * otherwise. */
static inline void python_meet(enum python_at at) {
    if (__builtin_expect(atomic_load_explicit(&python_is_awaited, memory_order_relaxed), 0))
        python_install(at);
}

/* Adds the frames of the running Python code; the thread must hold the interpreter's lock, and no
 * exception be set. */
void python_add_frames(struct frames *frames);

/* See languages.h. */
frames_walk python_walk;

#endif
