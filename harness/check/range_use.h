/* What the ports of a range are used for, and by whom: for the report that none was left. */
#ifndef PORTWITNESS_CHECK_RANGE_USE_H
#define PORTWITNESS_CHECK_RANGE_USE_H

#include "harness/check/finding.h"
#include "harness/trace/reader.h"

enum { RANGE_USE_SOCKETS = 1 << 16, RANGE_USE_PORTS = 1 << 16 };

/* Zero-initialized nothing was seen. */
struct range_use {
    /* The sockets seen last. */
    struct {
        uint64_t cookie;
        uint16_t port;
    } sockets[RANGE_USE_SOCKETS];
    struct {
        uint64_t process;   /* that was given it last, tagged */
        uint64_t closed_ns; /* of a connection: when it was closed; 0: it is open, or is none */
        uint32_t holders;
        bool connection;
    } ports[RANGE_USE_PORTS];
    struct finding counted;    /* what was counted last, for its range, and */
    uint64_t counted_until_ns; /* ... until when that holds; 0: no more */
};

/* Takes one record of a socket: a bind, listen, connect or send that was given a port. */
void range_use_take(struct range_use *use, const struct trace_record *record);

/* Takes the close of a descriptor, or the kernel's notice. */
void range_use_release(struct range_use *use, const struct trace_record *record);

/* Fills in what the range is used for at `ns`, by *finding's range. */
void range_use_count(struct range_use *use, uint64_t ns, struct finding *finding);

#endif
