/* Findings and limits of the evidence that a single record shows, taken in the first reading. */
#ifndef PORTWITNESS_CHECK_PRESCAN_H
#define PORTWITNESS_CHECK_PRESCAN_H

#include "harness/check/machine.h"

enum { PRESCAN_SOCKETS = 1 << 16, PRESCAN_NAMESPACES = 64 };

/* A request that failed for want of ports; those alike count as one. */
struct want {
    struct finding finding;
    uint64_t key;
};

struct prescan {
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
    } namespaces[PRESCAN_NAMESPACES];
    unsigned namespace_count;
    /* The sockets seen last, and how many hold each port: for what an exhausted range held. */
    struct {
        uint64_t cookie;
        uint16_t port;
    } sockets[PRESCAN_SOCKETS];
    uint32_t holders[65536];
};

/* A new one, empty; to be freed by prescan_free. */
struct prescan *prescan_make(struct check *check);

/* Takes one tagged record. */
void prescan_note(struct prescan *look, const struct trace_record *record);

/* After the last record: adds self-connect and exhausted to the findings of the check. */
void prescan_report(struct prescan *look);

/* Frees it. */
void prescan_free(struct prescan *look);

#endif
