/*
 * Cancellation unwinds the thread from within the real call. A cleanup handler of the plain pthread
 * kind needs no unwinder of our own, so the shim goes on depending on libc alone.
 */
#include "shim/cancellable.h"

#include <pthread.h>

static void commit_cancelled(void *argument) {
    struct record *record = argument;
    record->units[0].start.flags |= PW_FLAG_CANCELLED;
    record_commit(record, 0);
}

long cancellable(struct record *record, long (*call)(const void *), const void *arguments) {
    long result;
    pthread_cleanup_push(commit_cancelled, record);
    result = call(arguments);
    pthread_cleanup_pop(0);
    return result;
}
