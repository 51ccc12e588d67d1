/* What the relatives of a process did with one port, found without a look at what all others did.
 */
#ifndef PORTWITNESS_CHECK_RELATIVES_H
#define PORTWITNESS_CHECK_RELATIVES_H

#include "harness/base/map.h"
#include "harness/check/history.h"

struct relatives_node;

/* Zero-initialized, but for the machine, it knows of nothing. */
struct relatives {
    const struct machine *machine;
    bool only_first;   /* keeps the first number of each process alone */
    struct map own;    /* by process: the latest node of what it did itself */
    struct map below;  /* ... of what it did, or a descendant of it */
    struct map family; /* ... of what somebody did of whom it is an ancestor, in few generations */
    struct relatives_node *nodes;
    size_t count, room;
    uint32_t *heads; /* of the present search */
    size_t head_count, head_room;
};

/* Notes that `process` did what has this number; numbers never fall. */
void relatives_note(struct relatives *relatives, uint64_t process, uint32_t number);

/* Notes all connections to the port by their places in history->connections. */
void relatives_note_connections(struct relatives *relatives, const struct history *history,
                                unsigned port);

/* Begins a search for what `process` did itself, by whatever image. */
void relatives_seek_own(struct relatives *relatives, uint64_t process);

/* ... for what it did, or a relative in the sense of ancestry_is_related. */
void relatives_seek_related(struct relatives *relatives, uint64_t process);

/* ... or a sibling in that of ancestry_is_sibling. Some may be neither: they are to be asked. */
void relatives_seek_family(struct relatives *relatives, uint64_t process);

/* The next number, the highest first, each once; MAP_NONE: there is no other. */
uint32_t relatives_next(struct relatives *relatives);

/* Forgets all, for the next port; relatives_free also gives the memory back. */
void relatives_clear(struct relatives *relatives);
void relatives_free(struct relatives *relatives);

#endif
