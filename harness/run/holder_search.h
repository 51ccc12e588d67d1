/* Names the processes outside of the run that have the ports which the run is refused. */
#ifndef PORTWITNESS_RUN_HOLDER_SEARCH_H
#define PORTWITNESS_RUN_HOLDER_SEARCH_H

#include <stdbool.h>

#include "harness/base/map.h"
#include "harness/run/cookie_set.h"
#include "harness/trace/reader.h"

struct sought_socket;

/* Zero-initialized it seeks nothing. */
struct holder_search {
    uint64_t netns;             /* SO_NETNS_COOKIE of our own namespace, 0: not known */
    struct map known;           /* cookies of sockets that were sought before */
    struct sought_socket *list; /* to be sought now */
    size_t count;
    size_t room;
    uint64_t began_ns;
    uint64_t spent_ns; /* on sockets of the trace */
    size_t recorded;   /* how many of the list are of the trace */
};

/* Learns of a record: a socket that stands in somebody's way is to be sought. One of the trace,
 * whose live sockets are `recorded`, may be held by a program that is not: it is sought as well, as
 * long as that does not take more than a small part of the time. */
void holder_search_learn(struct holder_search *search, const struct cookie_set *recorded,
                         const struct trace_record *record);

/* Goes through all processes once for all sockets that are wanted, and writes a record about each.
 * To be called as soon as the trace has been read to its present end: a holder may end at any time.
 * Those that are sockets of the trace can wait until nothing else is to be done. */
void holder_search_run(struct holder_search *search, bool is_idle);

/* Frees what is held. */
void holder_search_free(struct holder_search *search);

#endif
