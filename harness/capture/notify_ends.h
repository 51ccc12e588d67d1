/* Sockets that had ended before the kernel's table was asked for them: by the destroy notices,
 * which name a socket's cookie and addresses and not its inode. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_ENDS_H
#define PORTWITNESS_CAPTURE_NOTIFY_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/capture/outside_event.h"
#include "harness/system/destroy_notices.h"

enum { NOTIFY_ENDS_KEPT = 512 };

/* A notice comes so long after the end of its socket at most, but on a machine that has no time; so
 * often it is looked for. */
#define NOTIFY_END_NS (UINT64_C(50) * 1000 * 1000)
#define NOTIFY_END_STEP_NS (UINT64_C(2) * 1000 * 1000)

struct notify_ends {
    struct destroy_notices notices;
    struct destroy_notice kept[NOTIFY_ENDS_KEPT]; /* cookie 0: somebody's */
    size_t count;                                 /* ever; a ring */
    uint64_t complete_from_ns; /* since when none was lost; UINT64_MAX: there are none */
};

enum notify_end { NOTIFY_END_NONE, NOTIFY_END_ONE, NOTIFY_END_UNCLEAR };

/* Whether a socket of which nobody knows yet has the cookie. */
typedef bool notify_end_is_free(const void *with, uint64_t cookie);

void notify_ends_open(struct notify_ends *ends);
void notify_ends_close(struct notify_ends *ends);

/* Reads what has come. */
void notify_ends_read(struct notify_ends *ends);

/* The end of the socket of a bind or connect that has done what it was to do: its notice, which
 * then is nobody else's. NONE: no such socket has ended since the call began. */
enum notify_end notify_ends_find(struct notify_ends *ends, const struct outside_event *event,
                                 notify_end_is_free *is_free, const void *with,
                                 struct destroy_notice *notice);

/* The same for a socket whose cookie is known. Once. */
bool notify_ends_take(struct notify_ends *ends, uint64_t cookie, struct destroy_notice *notice);

/* Reports the end itself, since `run` may have had its notice before it knew of the socket. */
void notify_ends_report(const struct destroy_notice *notice, uint64_t netns, outside_take *take,
                        void *with);

#endif
