/* Findings and limits of the evidence that one record each can tell, taken in the first reading. */
#ifndef PORTWITNESS_CHECK_PRESCAN_H
#define PORTWITNESS_CHECK_PRESCAN_H

#include "harness/check/machine.h"

enum { FIRST_LOOK_SOCKETS = 1 << 16, FIRST_LOOK_NAMESPACES = 64 };

/* A request that failed for want of ports; those alike count as one. */
struct want {
    struct finding finding;
    uint64_t key;
};

struct first_look {
    struct check *check;
    struct map want_of; /* by key: index in wants */
    struct want *wants;
    size_t want_count;
    size_t want_room;
    struct port_namespace {
        uint64_t cookie;
        uint32_t low;
        uint32_t high;
        uint32_t reserved; /* ports of the range */
    } namespaces[FIRST_LOOK_NAMESPACES];
    unsigned namespace_count;
    /* The sockets seen last, and how many hold each port: for what an exhausted range held. */
    struct {
        uint64_t cookie;
        uint16_t port;
    } sockets[FIRST_LOOK_SOCKETS];
    uint32_t holders[65536];
};

/* A new one, empty; to be freed by first_look_free. */
struct first_look *first_look_make(struct check *check);

/* Takes one tagged record. */
void first_look_note(struct first_look *look, const struct trace_record *record);

/* After the last record: adds self-connect and exhausted to the findings of the check. */
void first_look_tell(struct first_look *look);

/* Frees it. */
void first_look_free(struct first_look *look);

#endif
