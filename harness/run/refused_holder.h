/* Asks who has the port that a program was refused which the shim is not in. */
#ifndef PORTWITNESS_RUN_REFUSED_HOLDER_H
#define PORTWITNESS_RUN_REFUSED_HOLDER_H

#include <stdint.h>

#include "harness/base/map.h"
#include "harness/capture/outside_event.h"

/* Zero-initialized, but for the namespace, nobody has been refused anything. */
struct refused_holder {
    uint64_t netns;   /* SO_NETNS_COOKIE of our own namespace; 0: not known, so nothing is asked */
    struct map asked; /* how often, by the serial of the process that was refused */
};

/* A call of the process with that serial, whose record has that number. If it was refused a port by
 * number that is in use, the kernel's table is asked, and a record is written for each socket that
 * may stand in its way, or one that says that there was none, as the shim does. Not where the
 * socket is in another network namespace than we are, or the process has been refused too often. */
void refused_holder_ask(struct refused_holder *refused, const struct outside_event *event,
                        uint64_t process, uint64_t number);

/* Frees what is held. */
void refused_holder_free(struct refused_holder *refused);

#endif
