/* Findings and limits of the evidence that a single record shows, taken in the first reading. */
#ifndef PORTWITNESS_CHECK_PRESCAN_H
#define PORTWITNESS_CHECK_PRESCAN_H

#include "harness/check/machine.h"
#include "harness/check/range_use.h"

enum { PRESCAN_NAMESPACES = 64 };

/* A request that failed for want of ports; those alike count as one. */
struct want {
    struct finding finding;
    uint64_t failed_ns; /* when the latest of them had failed */
    uint32_t thread;
};

/* Who was connected to itself, and may yet find who was meant. */
struct self_waiting {
    uint32_t finding;
    uint32_t before; /* another one of the same thread and port, plus 1; 0 or MAP_NONE: none */
};

struct prescan {
    struct check *check;
    struct map want_of; /* by process, namespace and kind: index in wants */
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
    struct range_use use;
    struct map self_of; /* by process, thread and peer's port: the latest, plus 1; 0: none waits */
    struct self_waiting *selves;
    size_t self_count;
    size_t self_room;
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
