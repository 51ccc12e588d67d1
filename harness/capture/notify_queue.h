/* Events between the thread that answers programs and the one that writes the trace. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_QUEUE_H
#define PORTWITNESS_CAPTURE_NOTIFY_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/capture/outside_event.h"

enum { NOTIFY_QUEUE_MOST = 32768 };

struct notify_queue {
    pthread_mutex_t lock;
    struct outside_event *event; /* a ring of NOTIFY_QUEUE_MOST */
    size_t first;
    size_t count;
    uint64_t lost; /* events that found it full */
    int file;      /* eventfd(2): readable when there are events */
};

/* false with errno set. */
bool notify_queue_open(struct notify_queue *queue);
void notify_queue_close(struct notify_queue *queue);

/* Keeps a copy, also of what it points to. */
void notify_queue_put(struct notify_queue *queue, const struct outside_event *event);

/* Hands over all that are there. true if there were any. */
bool notify_queue_take(struct notify_queue *queue, outside_take *take, void *with);

#endif
