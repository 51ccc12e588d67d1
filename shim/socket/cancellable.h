/* Calls that a thread can leave without returning, while a record of them is open: it may be
 * cancelled in them (pthreads(7)), or a signal handler may jump out of them. */
#ifndef PORTWITNESS_SOCKET_CANCELLABLE_H
#define PORTWITNESS_SOCKET_CANCELLABLE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "shim/shared/recorder.h"

/* A call under way, its open record, and what is still to be asked should its call be left. */
struct open_call {
    struct record *record;      /* NULL: none */
    int fd;                     /* whose address is then asked for, -1: nobody's */
    bool unbound;               /* the call was a port-0 request */
    bool by_policy;             /* its socket's port range may be narrowed */
    const _Atomic bool *shared; /* its socket has SO_REUSEADDR by us; NULL: it has not */
};

/* Runs call(arguments); should the thread leave it, the record is committed with PW_FLAG_CANCELLED
 * and the address that the socket has by then, instead of being left torn. */
long cancellable(const struct open_call *open, long (*call)(const void *arguments),
                 const void *arguments);

#endif
