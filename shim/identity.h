/* Who this process and thread are, in the trace and for the kernel. Reads of memory, but for the
 * first question of a thread and of a forked child. Async-signal-safe; errno is left alone. */
#ifndef PORTWITNESS_IDENTITY_H
#define PORTWITNESS_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/own_status.h"

/* The serial of this process, 0 where nothing is recorded. A forked child that has none yet gets
 * it here, by the function that identity_begin was given. */
uint64_t identity_serial(void);

/* The same for a process that ends: nothing more is made ready for forks. */
uint64_t identity_serial_at_end(void);

/* The serial as the parent of such a child had it; else this process's own. */
uint64_t identity_latest_serial(void);

/* The kernel's id of this process: as of its start, and as asked now (0 where that is barred). */
uint32_t identity_pid(void);
uint32_t identity_pid_now(void);

/* Is this, by its id, a process that shares the memory of the one with the serial: a vfork child?
 * Asks the kernel. */
bool identity_is_other_process(void);

/* The kernel's id of the calling thread, cached. */
uint32_t identity_thread(void);

/* The effective (file system) user, cached until a call changes it. */
uint32_t identity_uid(void);
void identity_uid_changed(bool per_thread);

/* A new program image has this serial; `own` is what is known of it. `enter` is what a forked child
 * calls that finds none: it enters itself in the trace and answers its serial. */
void identity_begin(uint64_t serial, uint64_t (*enter)(void), const struct own_status *own);

/* Gives a forked child its serial; of two threads the first does. false, with *serial the other's,
 * where there is one already. */
bool identity_take(uint64_t *serial);

/* true for the first caller in this process. */
bool identity_ends(void);

#endif
