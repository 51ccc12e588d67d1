/* Listeners of seccomp notifications (seccomp_unotify(2)): taking one from a process, receiving,
 * answering. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_ANSWER_H
#define PORTWITNESS_CAPTURE_NOTIFY_ANSWER_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes of the kernel's struct seccomp_notif; 0 where there are none (Linux 5.0) or more than a
 * journal has room for. */
size_t notify_bytes(void);

/* A pidfd of the process with that pid; of a thread, where the kernel has such. -1 with errno. */
int notify_process_open(pid_t pid);

/* A duplicate of a descriptor of that process, close-on-exec. -1 with errno: EPERM where we may not
 * look into it (ptrace(2), "access mode checking") or a filter on us forbids pidfd_getfd. */
int notify_duplicate(int pidfd, int fd);

/* Whether a filter on us, or the kernel, forbids that for every process, even our own. */
bool notify_may_never_duplicate(void);

/* Is this descriptor the listener of a filter? */
bool notify_is_listener(int fd);

/* Says that the calling thread acts for that process, 0: for some, so that the eBPF programs of
 * another run take its calls for theirs (acting.h). For one thread of a process. */
void notify_act_for(pid_t process);

/* Tells the scheduler that the calling thread's work comes in very short pieces, so that it is
 * woken at once where others compute (sched_setattr(2), EEVDF's slice since Linux 6.12); and that
 * who waits for this listener and who answers take turns (Linux 6.6). Where the kernel has neither,
 * nothing changes. */
void notify_ask_for_short_slices(void);
void notify_take_turns(int listener);

/* Takes the program's calls out of `into`, which must be `notify_bytes` zero bytes. -1 with errno.
 */
int notify_receive(int listener, struct seccomp_notif *into);

/* false where nobody waits any more: the thread has ended, or a signal came (ENOENT). */
bool notify_is_valid(int listener, uint64_t id);
bool notify_answer(int listener, uint64_t id, int error);
bool notify_continue(int listener, uint64_t id);

#endif
