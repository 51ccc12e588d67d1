/* The program that a notification came from: which process it is, what stands in its memory, whose
 * rights it has. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_GUEST_H
#define PORTWITNESS_CAPTURE_NOTIFY_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct notify_guest {
    pid_t thread;
    pid_t process; /* thread group */
    int pidfd;     /* of the thread or of the process; -1: it may not be opened */
};

/* Until notify_guest_leave. The notification must still be valid afterwards for the guest to be the
 * one that it came from. */
void notify_guest_enter(struct notify_guest *guest, pid_t thread);
void notify_guest_leave(struct notify_guest *guest);

/* Copies from its memory; false where not all can be read. */
bool notify_guest_copy(const struct notify_guest *guest, void *into, uint64_t from, size_t size);

/* Its effective user, UINT32_MAX where that is not known. */
uint32_t notify_guest_user(const struct notify_guest *guest);

/* The name of its program, as in /proc/PID/comm. */
void notify_guest_name(const struct notify_guest *guest, char name[16]);

/* Whether a call that security modules decide on is decided for it as for us: it has our label
 * (/proc/PID/attr/current), or there are no labels here. */
bool notify_guest_has_our_label(const struct notify_guest *guest);

/* Whether it may bind a privileged port exactly where we may: the same user, user namespace, and
 * CAP_NET_BIND_SERVICE or not. */
bool notify_guest_has_our_rights(const struct notify_guest *guest);

#endif
