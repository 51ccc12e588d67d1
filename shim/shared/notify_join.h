/* Puts the calling process under the filter of notify_filter.h, right before it executes a program,
 * and hands the listener to `run`. Used by the shim and by the child of `run`. */
#ifndef PORTWITNESS_SHARED_NOTIFY_JOIN_H
#define PORTWITNESS_SHARED_NOTIFY_JOIN_H

#include <stdbool.h>

#include "shim/shared/notify_format.h"
#include "shim/shared/program_file.h"

/* The mailbox of a mapped trace; NULL where the header does not say PW_CAPTURE_SECCOMP. */
struct pw_notify_area *notify_area(struct pw_header *header);

/* What lets a call of the shim's pass: by the filter, and unsaid by the eBPF programs. Both 0 where
 * there are none. The first sets them. */
void notify_set_tokens(struct pw_header *header, const uint64_t token[2]);
void notify_tokens(struct pw_header *header, uint64_t token[2]);

/* Whether a filter would show what a program does that the shim cannot enter. */
bool notify_is_needed(const struct program_facts *facts);

/* true where the calling thread is under the filter and somebody answers; where not, the area
 * counts why, and nothing has changed, but for PW_NOTIFY_ABANDONED. Sets no_new_privs where the
 * filter takes that. Async-signal-safe, fit for a vfork child; waits for `run` for 5 s at most. */
bool notify_join(struct pw_notify_area *area);

#endif
