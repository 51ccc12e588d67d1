/* Who had a port when somebody was refused it. */
#ifndef PORTWITNESS_CHECK_HOLDERS_H
#define PORTWITNESS_CHECK_HOLDERS_H

#include "harness/check/history.h"

struct holder_found {
    enum holder_source source;
    uint32_t binding; /* of HOLDER_TRACE and, where it is known, HOLDER_TIME_WAIT; else MAP_NONE */
    const struct table_answer *answer; /* of HOLDER_TABLE */
    enum certainty certainty; /* CERTAIN: it had the port before the refused call began, and nothing
                                 says that it was released */
};

/* Looks for what stood in the way of the socket whose binding is `asker` when it was refused, from
 * begin_ns to end_ns, at a bind or, with `listening`, at a listen. `unit` is the tagged number of
 * the record. Sockets of the trace come first, then what the kernel's table said. */
struct holder_found holders_find(const struct history *history, uint32_t asker, uint64_t unit,
                                 uint64_t begin_ns, uint64_t end_ns, bool listening);

/* Writes what was found into a finding. */
void holders_fill_in(const struct history *history, const struct holder_found *found,
                     struct finding *finding);

#endif
