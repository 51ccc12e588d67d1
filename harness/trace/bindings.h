/* From records to bindings: which port was given to whom, from when to when, and how we know. */
#ifndef PORTWITNESS_TRACE_BINDINGS_H
#define PORTWITNESS_TRACE_BINDINGS_H

#include <stdbool.h>

#include "harness/base/certainty.h"
#include "harness/trace/events.h"
#include "harness/trace/processes.h"
#include "harness/trace/reader.h"
#include "harness/trace/trace_sockets.h"

/* One request for a port. Addresses are as in the trace: 16 bytes, IPv4 mapped. */
struct binding {
    uint64_t unit;    /* of the record */
    uint64_t process; /* serial of the one that asked */
    uint64_t netns;
    uint64_t begin_ns;
    uint64_t from_ns; /* 0: the request failed */
    uint64_t to_ns;   /* 0: no end seen */
    uint32_t scope;
    uint32_t socket;         /* index among the sockets */
    uint32_t first_accepted; /* connections accepted from it, MAP_NONE if none */
    uint16_t requested_port; /* 0: a port-0 request */
    uint16_t port;           /* 0: none was given */
    uint16_t protocol;
    uint16_t error;
    uint8_t address[16];
    uint8_t family;
    uint8_t type;
    uint8_t call;
    uint8_t source;       /* enum pw_source of the record */
    uint8_t end_known_by; /* enum end_known_by */
    bool by_number;
    bool by_policy;           /* a policy chose the port */
    enum certainty certainty; /* POSSIBLE: a torn record concerns the socket */
};

/* Zero-initialized there are none. */
struct bindings {
    struct binding *list; /* in the order of their records */
    size_t count;
    size_t room;
    struct processes processes;
    struct events events;
    struct sockets sockets;
};

/* Takes one record of the trace. */
void bindings_note(struct bindings *bindings, const struct trace_record *record);

/* After the last record: puts what happened in order and finds the end of each binding. */
void bindings_finish(struct bindings *bindings);

/* Frees all. */
void bindings_free(struct bindings *bindings);

#endif
