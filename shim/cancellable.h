/* Calls that a thread can be cancelled in (pthreads(7)), while a record of them is open. */
#ifndef PORTWITNESS_CANCELLABLE_H
#define PORTWITNESS_CANCELLABLE_H

#include "shim/recorder.h"

/* Runs call(arguments); should the thread be cancelled in it, the record is committed with
 * PW_FLAG_CANCELLED on the way out, instead of being left torn. */
long cancellable(struct record *record, long (*call)(const void *arguments), const void *arguments);

#endif
