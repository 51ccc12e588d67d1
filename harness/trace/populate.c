/*
 * How much is used the header says, which others may write to. It is believed as far as records
 * bear it out: the room goes on from where somebody has written.
 *
 * Populating can stall its caller for a fifth of a second, so a thread of its own does it. On a
 * full disk it stops without a word: the writers find out for themselves, and count what they lose.
 */
#include "harness/trace/populate.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

#include "shim/shared/recorder.h"

#define AHEAD (UINT64_C(4) << 20)
#define FIRST_AHEAD (UINT64_C(1) << 20)
#define AHEAD_MOST (UINT64_C(64) << 20)
#define STEP (UINT64_C(256) << 10)

enum {
    INTERVALS_AHEAD = 8,
    BUSY_MS = 5,
    IDLE_MS = 50,
    BLANK_MOST = 1024 /* units that are taken and not yet written, the last of all */
};

static pthread_t thread;
static bool running;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake;
static bool stopping;
static uint64_t made; /* bytes from the file's start that surely have room */

uint64_t populate_goal(uint64_t used, uint64_t last, uint64_t capacity) {
    uint64_t ahead = last > AHEAD / INTERVALS_AHEAD ? last * INTERVALS_AHEAD : AHEAD;
    if (ahead > AHEAD_MOST)
        ahead = AHEAD_MOST;
    if (used >= capacity || ahead >= capacity - used)
        return capacity;
    uint64_t goal = (used + ahead + STEP - 1) / STEP * STEP;
    return goal < capacity ? goal : capacity;
}

uint64_t populate_used(uint64_t known, uint64_t room) {
    uint64_t said = PW_UNITS_OFFSET + recorder_units_taken() * PW_UNIT_SIZE;
    uint64_t end = said < room ? said : room;
    return end > known && recorder_is_written(end, BLANK_MOST) ? end : known;
}

/* Makes room up to byte `to`. The word that informs the writers is ours alone: what anybody else
 * wrote there does not last. */
static bool make_room(uint64_t to) {
    struct pw_header *header = recorder_header();
    if (to > recorder_facts()->capacity)
        to = recorder_facts()->capacity;
    while (made < to) {
        uint64_t end = to - made > STEP ? made + STEP : to;
        if (recorder_populate(made, end) != 0)
            return false;
        made = end;
        atomic_store_explicit(&header->populated_to, made, memory_order_release);
    }
    if (atomic_load_explicit(&header->populated_to, memory_order_relaxed) != made)
        atomic_store_explicit(&header->populated_to, made, memory_order_release);
    return true;
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
    const uint64_t capacity = recorder_facts()->capacity;
    uint64_t used = PW_UNITS_OFFSET;
    uint64_t last = 0;
    do {
        uint64_t before = used;
        used = populate_used(before, made);
        last = used - before > last / 2 ? used - before : last / 2; /* bursts come back */
    } while (make_room(populate_goal(used, last, capacity)) &&
             pause_for(last > 0 ? BUSY_MS : IDLE_MS));
    return NULL;
}

void populate_start(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&wake, &attributes);
    pthread_condattr_destroy(&attributes);
    made = PW_UNITS_OFFSET & ~UINT64_C(0xffff); /* a boundary for every page size */
    if (!make_room(PW_UNITS_OFFSET + FIRST_AHEAD))
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
