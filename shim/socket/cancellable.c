/*
 * Cancellation and siglongjmp leave a call from within. The handlers that C's pthread_cleanup_push
 * makes survive a jump and point at a dead frame; those of the functions below are in the list that
 * longjmp itself unwinds and calls, and need no unwinder of our own.
 */
#include "shim/socket/cancellable.h"

#include <pthread.h>
#include <stdint.h>

#include "shim/policy/policy.h"
#include "shim/shared/keep_socket.h"
#include "shim/socket/sockets.h"

/* Exported by glibc for code that was compiled before the macros; no header declares them. */
void _pthread_cleanup_push(struct _pthread_cleanup_buffer *buffer, void (*routine)(void *),
                           void *argument);
void _pthread_cleanup_pop(struct _pthread_cleanup_buffer *buffer, int execute);

static void leave(void *argument) {
    const struct open_call *open = argument;
    if (open->by_policy)
        policy_abandon(open->fd);
    if (open->shared != NULL && *open->shared)
        keep_restore(open->fd);
    if (open->record == NULL)
        return;
    struct pw_start *start = &open->record->units[0].start;
    start->flags |= PW_FLAG_CANCELLED;
    if (open->fd >= 0) {
        struct ip_endpoint local = socket_local(open->fd);
        start->flags |= open->unbound ? PW_FLAG_PORT_ZERO : 0;
        if (local.port != 0)
            record_assigned(open->record, &local);
    }
    record_commit(open->record, 0);
}

long cancellable(const struct open_call *open, long (*call)(const void *), const void *arguments) {
    struct _pthread_cleanup_buffer buffer;
    _pthread_cleanup_push(&buffer, leave, (void *)(uintptr_t)open);
    long result = call(arguments);
    _pthread_cleanup_pop(&buffer, 0);
    return result;
}
