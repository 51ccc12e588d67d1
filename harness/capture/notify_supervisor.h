/* Sees the programs that the shim cannot enter by seccomp notifications: takes the listeners of
 * their filters, answers their calls in threads of its own and hands over what they came to.
 *
 * Not seen: the close of a socket (destroy notices, by its cookie), a UDP socket's port that a send
 * gave it until it is read, io_uring, calls of another architecture, programs whose start by
 * posix_spawn, system or popen no wrapper stands before. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_SUPERVISOR_H
#define PORTWITNESS_CAPTURE_NOTIFY_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/capture/notify_server.h"
#include "harness/capture/outside_event.h"
#include "shim/shared/notify_format.h"
#include "shim/shared/program_file.h"

struct notify_supervisor;

/* Starts the standby process, then the threads, and sets PW_CAPTURE_SECCOMP in the header of the
 * mapped trace, so that the shims below take part. While this process has one thread, with signals
 * blocked as its threads are to have them, and before the command is started. NULL with errno set,
 * ENOSYS where the kernel has no notifications. */
struct notify_supervisor *notify_open(struct pw_header *header);

/* Asks for return addresses. Before the command is started; the function is called in the thread
 * that answers. */
void notify_set_frames(struct notify_supervisor *supervisor, notify_frames *frames, void *with);

/* Somebody else reports programs and calls; only the calls that are made in a program's place are
 * reported here. Before the command is started. */
void notify_report_own(struct notify_supervisor *supervisor);

/* Readable when there is something to take. */
int notify_file(const struct notify_supervisor *supervisor);

/* Hands over the events that are there; a program's own are in their order. OUTSIDE_EXEC stands for
 * a program that was put under a filter. true if there were any. */
bool notify_take(struct notify_supervisor *supervisor, outside_take *take, void *with);

/* In the child that will execute the command: puts it under a filter, if it needs one, as
 * program_inspect has found it. */
void notify_child_before_exec(struct notify_supervisor *supervisor,
                              const struct program_facts *facts);

/* Events that were lost because nobody took them in time. */
uint64_t notify_lost(struct notify_supervisor *supervisor);

/* What became of the programs that needed a filter; see enum pw_notify_count. */
uint64_t notify_count(const struct notify_supervisor *supervisor, enum pw_notify_count what);

/* The errno that the latest of them met with, 0: none, or that is not known. */
int notify_error(const struct notify_supervisor *supervisor, enum pw_notify_count what);

/* Programs of which no descriptor may be taken, and that were seen all the same
 * (notify_table.h). */
uint64_t notify_sent(const struct notify_supervisor *supervisor);

/* false: the standby was killed again and again, and for some time there was no other one. */
bool notify_had_standby(const struct notify_supervisor *supervisor);

/* Ends the threads; programs that live on are answered by the standby process, unrecorded. There
 * may be events to take afterwards. */
void notify_stop(struct notify_supervisor *supervisor);

/* Stops, if that has not been done, and frees it. NULL is allowed. */
void notify_close(struct notify_supervisor *supervisor);

#endif
