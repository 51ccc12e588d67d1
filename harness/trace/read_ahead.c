/* To copy a trace out of the page cache takes as long as to look at it. A thread does no more than
 * that: records are taken from the windows in their order by one thread, so that nothing that comes
 * of them depends on which was faster. */
#include "harness/trace/read_ahead.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

enum { RING = 8, WAKE_AT = RING / 2, WINDOWS_MANY = 64 };

struct read_ahead {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t room;  /* for the thread: there is */
    pthread_cond_t ready; /* for the other: a window is, or none will be */
    int file;
    off_t offset;
    uint64_t next; /* where the next window begins */
    uint64_t to;
    struct trace_window *ring[RING];
    unsigned first;
    unsigned count;
    unsigned turn; /* counted up where `next` is set anew: what is being copied then is stale */
    bool ended;    /* all is in the ring */
    bool stop;
};

/* The next window begins before the end of this one, since a record may lie across it. */
static uint64_t behind(const struct read_ahead *ahead, const struct trace_window *window) {
    return window->to >= ahead->to ? ahead->to : window->to - PW_RECORD_UNITS_MAX;
}

static void copy_next(struct read_ahead *ahead) {
    struct trace_window *window = ahead->ring[(ahead->first + ahead->count) % RING];
    unsigned turn = ahead->turn;
    uint64_t from = ahead->next;
    uint64_t count = ahead->to - from < WINDOW_UNITS ? ahead->to - from : WINDOW_UNITS;

    pthread_mutex_unlock(&ahead->lock);
    window_read(window, ahead->file, ahead->offset, from, count);
    pthread_mutex_lock(&ahead->lock);
    if (turn != ahead->turn)
        return;
    /* A file that has become shorter is left to the other, who counts what is missing. */
    ahead->next = window->to < from + count ? ahead->to : behind(ahead, window);
    ahead->ended = ahead->next == ahead->to;
    ahead->count++;
    pthread_cond_signal(&ahead->ready);
}

static void *run(void *with) {
    struct read_ahead *ahead = with;

    pthread_mutex_lock(&ahead->lock);
    while (!ahead->stop)
        if (ahead->ended || ahead->count == RING)
            pthread_cond_wait(&ahead->room, &ahead->lock);
        else
            copy_next(ahead);
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

static void free_all(struct read_ahead *ahead) {
    for (unsigned i = 0; i < RING; i++)
        window_free(ahead->ring[i]);
    pthread_mutex_destroy(&ahead->lock);
    pthread_cond_destroy(&ahead->room);
    pthread_cond_destroy(&ahead->ready);
    free(ahead);
}

/* Signals are the other thread's. */
static bool start_thread(struct read_ahead *ahead) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&ahead->thread, NULL, run, ahead);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0;
}

static bool has_processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) > 1;
}

struct read_ahead *read_ahead_start(int file, off_t offset, uint64_t from, uint64_t to) {
    if (to < from + (uint64_t)WINDOWS_MANY * WINDOW_UNITS || !has_processors())
        return NULL;
    struct read_ahead *ahead = calloc(1, sizeof *ahead);
    if (ahead == NULL)
        return NULL;
    ahead->file = file;
    ahead->offset = offset;
    ahead->next = from;
    ahead->to = to;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->room, NULL);
    pthread_cond_init(&ahead->ready, NULL);
    bool good = true;
    for (unsigned i = 0; i < RING; i++)
        good = (ahead->ring[i] = window_make()) != NULL && good;
    if (good && start_thread(ahead))
        return ahead;
    free_all(ahead);
    return NULL;
}

/* The thread sleeps while the ring is full, and is not woken for each window. */
static void drop_first(struct read_ahead *ahead) {
    ahead->first = (ahead->first + 1) % RING;
    ahead->count--;
    if (ahead->count <= WAKE_AT)
        pthread_cond_signal(&ahead->room);
}

/* A hole was passed: what lies in it need not be copied. */
static void go_on_at(struct read_ahead *ahead, uint64_t from) {
    ahead->next = from;
    ahead->first = (ahead->first + ahead->count) % RING;
    ahead->count = 0;
    ahead->turn++;
    pthread_cond_signal(&ahead->room);
}

bool read_ahead_take(struct read_ahead *ahead, struct trace_window **window, uint64_t from,
                     uint64_t count) {
    bool taken = false;

    pthread_mutex_lock(&ahead->lock);
    if (!ahead->ended && from > ahead->next + (uint64_t)RING * WINDOW_UNITS)
        go_on_at(ahead, from);
    while (!taken && (ahead->count > 0 || !ahead->ended)) {
        if (ahead->count == 0) {
            pthread_cond_signal(&ahead->room);
            pthread_cond_wait(&ahead->ready, &ahead->lock);
            continue;
        }
        struct trace_window **first = &ahead->ring[ahead->first];
        if ((*first)->from > from)
            break;
        taken = from + count <= (*first)->to;
        if (taken) {
            struct trace_window *other = *window;
            *window = *first;
            *first = other;
        }
        drop_first(ahead);
    }
    pthread_mutex_unlock(&ahead->lock);
    return taken;
}

void read_ahead_stop(struct read_ahead *ahead) {
    if (ahead == NULL)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->stop = true;
    pthread_cond_signal(&ahead->room);
    pthread_mutex_unlock(&ahead->lock);
    pthread_join(ahead->thread, NULL);
    free_all(ahead);
}
