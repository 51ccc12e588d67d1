/* Which ports and sockets of a long trace can be part of a finding at all. */
#ifndef PORTWITNESS_CHECK_SELECTION_H
#define PORTWITNESS_CHECK_SELECTION_H

#include "harness/check/machine.h"

enum { SELECTION_PORTS = 65536, SELECTION_ASSIGNERS = 4, SELECTION_MARKS = 1 << 23 };

/* By how much programs count up from a number to get a second one: by 10000 for the cluster bus of
 * Redis. */
enum { SELECTION_DISTANCES = 11 };
extern const int selection_distances[SELECTION_DISTANCES];

struct selection {
    /* Until when what happens to the port can matter; 0: it never does. Bound by number: until the
     * last time; announced, or bound twice as it seems: always. */
    uint64_t wanted_to_ns[SELECTION_PORTS];
    bool connected[SELECTION_PORTS];   /* connections to it may have met a stranger */
    uint64_t refused[SELECTION_PORTS]; /* tagged: who was refused it last */
    uint64_t assigners[SELECTION_PORTS][SELECTION_ASSIGNERS]; /* tagged, the latest first */
    uint64_t last_bound[SELECTION_PORTS];                     /* cookie of the latest TCP socket */
    uint64_t sharers[SELECTION_PORTS][2]; /* tagged: two who bound it with SO_REUSEPORT, the latest
                                             first */
    uint64_t last_udp[SELECTION_PORTS];   /* cookie of the latest UDP socket with a reuse option */
    uint64_t marks[SELECTION_MARKS / 64]; /* a bit for each cookie: most are not in the map */
    struct map cookies;                   /* of the sockets to follow */
    bool any;
};

/* A new selection, empty; to be freed by selection_free. */
struct selection *selection_make(void);

/* First reading: which ports. */
void selection_note_ports(struct selection *selection, const struct machine *machine,
                          const struct trace_record *record);

/* Second reading: which sockets had them. */
void selection_note_sockets(struct selection *selection, const struct trace_record *record);

/* Third reading: does this record bear on one of the sockets, or on processes? */
bool selection_has(const struct selection *selection, const struct trace_record *record);

/* Frees it. */
void selection_free(struct selection *selection);

#endif
