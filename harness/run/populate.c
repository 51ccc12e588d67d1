/*
 * Populating can stall its caller for a fifth of a second, so a thread of its own does it. On a
 * full disk it stops without a word: the writers find out for themselves, and count what they lose.
 */
#include "harness/run/populate.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

#include "shim/recorder.h"

#define AHEAD (UINT64_C(4) << 20)
#define FIRST_AHEAD (UINT64_C(1) << 20)
#define STEP (UINT64_C(256) << 10)

enum { INTERVALS_AHEAD = 8, BUSY_MS = 5, IDLE_MS = 50 };

static pthread_t thread;
static bool running;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake;
static bool stopping;

uint64_t populate_goal(uint64_t used, uint64_t last, uint64_t capacity) {
    uint64_t ahead = last > AHEAD / INTERVALS_AHEAD ? last * INTERVALS_AHEAD : AHEAD;
    if (used >= capacity || ahead >= capacity - used)
        return capacity;
    uint64_t goal = (used + ahead + STEP - 1) / STEP * STEP;
    return goal < capacity ? goal : capacity;
}

static uint64_t bytes_used(const struct pw_header *header) {
    uint64_t units = atomic_load_explicit(&header->next_unit, memory_order_relaxed);
    return PW_UNITS_OFFSET + units * PW_UNIT_SIZE;
}

/* false when it is time to end. */
static bool pause_for(long milliseconds) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += milliseconds * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&lock);
    while (!stopping && pthread_cond_timedwait(&wake, &lock, &until) == 0)
        ;
    bool go_on = !stopping;
    pthread_mutex_unlock(&lock);
    return go_on;
}

static void *keep_ahead(void *unused) {
    (void)unused;
    const struct pw_header *header = recorder_header();
    uint64_t before = bytes_used(header);
    uint64_t last = 0;
    for (;;) {
        uint64_t used = bytes_used(header);
        last = used - before > last / 2 ? used - before : last / 2; /* bursts come back */
        before = used;
        if (recorder_populate(populate_goal(used, last, header->capacity), STEP) != 0)
            return NULL;
        if (!pause_for(last > 0 ? BUSY_MS : IDLE_MS))
            return NULL;
    }
}

void populate_start(void) {
    const struct pw_header *header = recorder_header();
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (recorder_populate(PW_UNITS_OFFSET + FIRST_AHEAD, 0) != 0 || header->capacity == 0)
        return;
    running = pthread_create(&thread, NULL, keep_ahead, NULL) == 0;
}

void populate_stop(void) {
    if (!running)
        return;
    pthread_mutex_lock(&lock);
    stopping = true;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&wake);
    running = false;
}
