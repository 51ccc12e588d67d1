/* Answers the calls that a filter notifies of, and reports them as events. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_SERVER_H
#define PORTWITNESS_CAPTURE_NOTIFY_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/capture/notify_images.h"
#include "harness/capture/notify_journal.h"
#include "harness/capture/notify_late.h"
#include "harness/capture/notify_looks.h"
#include "harness/capture/notify_table.h"

/* Where a thread stands that waits for its answer. */
struct notify_registers {
    uint32_t process;
    uint32_t thread;
    uint64_t instruction; /* behind the system call */
    uint64_t stack;       /* 0: not known */
};

/* Finds the return addresses of the call, the innermost first; how many. The thread is stopped in
 * the call as long as this takes. */
typedef unsigned notify_frames(void *with, const struct notify_registers *registers,
                               uint64_t *address, unsigned most);

struct notify_server {
    struct notify_journal *journal;
    size_t bytes; /* of a notification */
    outside_take *take;
    void *with;
    bool reports_own;      /* only calls that are made here: somebody else sees the others */
    notify_frames *frames; /* NULL: none */
    void *frames_with;
    struct notify_images images;
    struct notify_looks looks;
    struct notify_late late;
    struct notify_table *table; /* NULL: descriptors may be taken */
};

/* Takes one call from the listener, which has one, and answers it. */
void notify_serve(struct notify_server *server, uint32_t row, int listener);

#endif
