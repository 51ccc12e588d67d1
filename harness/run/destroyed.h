/* Writes the destroy notices that concern the trace into it. */
#ifndef PORTWITNESS_RUN_DESTROYED_H
#define PORTWITNESS_RUN_DESTROYED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/run/cookie_set.h"
#include "harness/system/destroy_notices.h"
#include "harness/trace/reader.h"

enum { DESTROYED_KEPT = 4096, DESTROYED_GONE = 1024 };

struct destroyed {
    struct destroy_notices notices;
    struct cookie_set sockets;     /* those that the trace knows and that live */
    struct cookie_set marks;       /* our own, see destroyed_mark */
    struct destroy_notice *kept;   /* the last ones that nobody knew when they came */
    size_t kept_count;             /* ever; a ring of DESTROYED_KEPT */
    size_t late_from;              /* the first of them that may still become known soon */
    uint64_t gone[DESTROYED_GONE]; /* the cookies that were taken out of `sockets` last, a ring */
    size_t gone_count;
    bool namespace_recorded;
    uint32_t releases[2]; /* that the policy had seen before the last reading: TCP, UDP */
};

/* Subscribes to the notices, unless others report the ends of sockets. Never fails: without them
 * there are none. */
void destroyed_start(struct destroyed *destroyed, bool subscribe);

/* Learns a socket or a network namespace from a record of the trace. */
void destroyed_learn(struct destroyed *destroyed, const struct trace_record *record);

/* The end of one socket, known by other means than a notice. */
void destroyed_note(struct destroyed *destroyed, const struct destroy_notice *notice,
                    uint64_t netns);

/* Was the end of that socket seen a short while ago? */
bool destroyed_has_gone(const struct destroyed *destroyed, uint64_t cookie);

/* Reads all notices that wait and writes a record for each socket that the trace knows. To be
 * called after the trace has been read to its end: a notice may come before the record that makes
 * its socket known is read. true if there were any. */
bool destroyed_take(struct destroyed *destroyed);

/* The same for the notices that nobody knew when they came; at the end. */
void destroyed_take_kept(struct destroyed *destroyed);

/* Closes sockets of our own. When destroyed_take has seen the notices of all of them, so that
 * marks.used is 0 again, those of all sockets that had ended before have come too. */
void destroyed_mark(struct destroyed *destroyed);

/* Ends the subscription and frees what is held. */
void destroyed_stop(struct destroyed *destroyed);

#endif
