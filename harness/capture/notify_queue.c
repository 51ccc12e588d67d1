/* A program waits for its answer and must not wait for the writing of the trace as well. The memory
 * has a bound: what finds it full is counted. */
#include "harness/capture/notify_queue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "harness/base/memory.h"

enum { BATCH = 32 };

static const struct outside_process *copy_process(const struct outside_process *process) {
    if (process == NULL)
        return NULL;
    struct outside_process *copy = memory_zeroed(1, sizeof *copy);
    *copy = *process;
    return copy;
}

static void forget_process(const struct outside_event *event) {
    free((struct outside_process *)(uintptr_t)event->process);
}

bool notify_queue_open(struct notify_queue *queue) {
    memset(queue, 0, sizeof *queue);
    queue->file = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue->file < 0 || pthread_mutex_init(&queue->lock, NULL) != 0)
        return false;
    queue->event = memory_zeroed(NOTIFY_QUEUE_MOST, sizeof *queue->event);
    return true;
}

void notify_queue_close(struct notify_queue *queue) {
    if (queue->event == NULL)
        return;
    for (size_t i = 0; i < queue->count; i++)
        forget_process(&queue->event[(queue->first + i) % NOTIFY_QUEUE_MOST]);
    free(queue->event);
    queue->event = NULL;
    close(queue->file);
    pthread_mutex_destroy(&queue->lock);
}

void notify_queue_put(struct notify_queue *queue, const struct outside_event *event) {
    const uint64_t one = 1;
    struct outside_event kept = *event;
    kept.process = copy_process(event->process);
    pthread_mutex_lock(&queue->lock);
    bool was_empty = queue->count == 0;
    bool is_full = queue->count == NOTIFY_QUEUE_MOST;
    if (is_full)
        queue->lost++;
    else
        queue->event[(queue->first + queue->count++) % NOTIFY_QUEUE_MOST] = kept;
    pthread_mutex_unlock(&queue->lock);
    if (is_full)
        forget_process(&kept);
    if (was_empty && write(queue->file, &one, sizeof one) < 0)
        return; /* it is readable already */
}

static size_t take_batch(struct notify_queue *queue, struct outside_event into[BATCH]) {
    pthread_mutex_lock(&queue->lock);
    size_t count = queue->count < BATCH ? queue->count : BATCH;
    for (size_t i = 0; i < count; i++)
        into[i] = queue->event[(queue->first + i) % NOTIFY_QUEUE_MOST];
    queue->first = (queue->first + count) % NOTIFY_QUEUE_MOST;
    queue->count -= count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}

bool notify_queue_take(struct notify_queue *queue, outside_take *take, void *with) {
    struct outside_event batch[BATCH];
    uint64_t rings;
    size_t count;
    bool any = false;
    if (read(queue->file, &rings, sizeof rings) < 0)
        rings = 0; /* it may have been taken before it rang */
    while ((count = take_batch(queue, batch)) > 0) {
        any = true;
        for (size_t i = 0; i < count; i++) {
            take(with, &batch[i]);
            forget_process(&batch[i]);
        }
    }
    return any;
}
