/* Who has a socket at a time: not always who bound it. */
#ifndef PORTWITNESS_CHECK_HOLDING_H
#define PORTWITNESS_CHECK_HOLDING_H

#include "harness/check/history.h"

struct holding_found {
    enum holder_how how;
    uint64_t process;  /* serial of the holder, 0: who bound it, as far as is known */
    uint64_t since_ns; /* 0: not known */
    bool is_nobody;    /* no recorded process had it then */
};

/* Who had the socket behind the binding at `ns`, as `asker` (a serial) sees it: the asker itself,
 * if it has inherited it or was sent it; else the process that bound the socket, if that has it
 * still; else whoever has. */
struct holding_found holding_find(const struct history *history, uint32_t binding, uint64_t ns,
                                  uint64_t asker);

/* Is a connection that was accepted from it open at `ns`, while no descriptor of the listener is?
 * Then also by whom. */
bool holding_is_accepted(const struct history *history, uint32_t binding, uint64_t ns,
                         struct holding_found *found);

/* When the process, whatever it executed since, had ended; 0: not known. */
uint64_t holding_ended_ns(const struct history *history, uint64_t process);

#endif
