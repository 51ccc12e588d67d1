/*
 * `run` itself does this, and no process beside it: only an ancestor may look into the programs
 * where Yama restricts ptrace(2). Two threads, since a futex cannot be waited for together with
 * descriptors; the main one goes on reading the trace.
 */
#include "harness/capture/notify_supervisor.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/capture/notify_answer.h"
#include "harness/capture/notify_entry.h"
#include "harness/capture/notify_mailbox.h"
#include "harness/capture/notify_policy.h"
#include "harness/capture/notify_queue.h"
#include "harness/capture/notify_standby.h"
#include "shim/shared/notify_join.h"
#include "shim/shared/recorder.h"

/* Whoever ends the standby more often than that does not want it. */
enum { EVENTS_AT_ONCE = 32, STANDBYS_MOST = 8 };

#define ROW_STOP UINT32_MAX
#define ROW_STANDBY (UINT32_MAX - 1)

struct notify_supervisor {
    struct pw_notify_area *area;
    struct notify_standby standby;
    int standby_end;        /* pidfd of it; -1: nobody watches it */
    unsigned standbys;      /* that were started */
    _Atomic bool was_alone; /* none was left */
    struct notify_queue queue;
    struct notify_server server;
    struct notify_table table;            /* the server's, where no descriptor may be taken */
    int entry;                            /* where listeners are sent to then, else -1 */
    pthread_mutex_t lock;                 /* of the table: one thread adds, the other removes */
    int listener[NOTIFY_LISTENERS_MOST];  /* -1: none */
    bool given_up[NOTIFY_LISTENERS_MOST]; /* the standby answers */
    _Atomic unsigned count;
    unsigned most;
    int epoll;
    int stop; /* eventfd(2) */
    pthread_t server_thread;
    pthread_t mailbox_thread;
    bool runs;
};

static void put(void *with, const struct outside_event *event) {
    notify_policy_note(event);
    notify_queue_put(with, event);
}

static void announce(struct notify_supervisor *supervisor, uint32_t pid) {
    const struct outside_event event = {.kind = OUTSIDE_EXEC,
                                        .source = PW_SOURCE_SUPERVISOR,
                                        .begin_ns = monotonic_ns(),
                                        .end_ns = monotonic_ns(),
                                        .pid = pid,
                                        .thread = pid,
                                        .uid = UINT32_MAX,
                                        .descriptor = -1};
    notify_queue_put(&supervisor->queue, &event);
}

static uint32_t enter(struct notify_supervisor *supervisor, int listener, bool restricted) {
    uint32_t row = 0;
    pthread_mutex_lock(&supervisor->lock);
    while (row < NOTIFY_LISTENERS_MOST && supervisor->listener[row] >= 0)
        row++;
    if (row < NOTIFY_LISTENERS_MOST) {
        supervisor->listener[row] = listener;
        atomic_store(&supervisor->standby.journal->restricted[row], restricted);
        supervisor->count++;
    }
    pthread_mutex_unlock(&supervisor->lock);
    return row;
}

static void leave(struct notify_supervisor *supervisor, uint32_t row) {
    pthread_mutex_lock(&supervisor->lock);
    /* The standby's duplicate would keep it there (epoll(7)). */
    epoll_ctl(supervisor->epoll, EPOLL_CTL_DEL, supervisor->listener[row], NULL);
    close(supervisor->listener[row]);
    supervisor->listener[row] = -1;
    supervisor->count--;
    notify_standby_drop(&supervisor->standby, row); /* before anybody else is given the row */
    pthread_mutex_unlock(&supervisor->lock);
}

/* The standby answers for it as long as it lives: unseen, but as it would alone. The row stays
 * taken, since the standby has it. */
static bool give_up(struct notify_supervisor *supervisor, uint32_t row) {
    atomic_fetch_add(&supervisor->area->count[PW_NOTIFY_FULL], 1);
    pthread_mutex_lock(&supervisor->lock);
    bool answers = notify_standby_answer(&supervisor->standby, row);
    supervisor->given_up[row] = answers;
    pthread_mutex_unlock(&supervisor->lock);
    return answers;
}

/* In the table already, so that a standby that is started meanwhile is given it, too. */
static bool hold(struct notify_supervisor *supervisor, uint32_t row, int listener) {
    pthread_mutex_lock(&supervisor->lock);
    bool held = notify_standby_hold(&supervisor->standby, row, listener);
    pthread_mutex_unlock(&supervisor->lock);
    return held;
}

/* In the hands of both before the program goes on. */
static bool keep(void *with, int listener, const struct pw_notify_slot *slot) {
    struct notify_supervisor *supervisor = with;
    uint32_t row = enter(supervisor, listener, atomic_load(&slot->restricted) != 0);
    if (row == NOTIFY_LISTENERS_MOST) {
        close(listener);
        return false;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = row};
    notify_take_turns(listener);
    bool held = hold(supervisor, row, listener);
    if (epoll_ctl(supervisor->epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        return held && give_up(supervisor, row); /* ENOSPC: fs.epoll.max_user_watches */
    if (!supervisor->server.reports_own)
        announce(supervisor, atomic_load(&slot->pid));
    return true;
}

static void *mailbox_main(void *with) {
    struct notify_supervisor *supervisor = with;
    uint32_t bell = 0;
    while (notify_mailbox_wait(supervisor->area, &bell))
        notify_mailbox_serve(supervisor->area, supervisor->standby.journal, supervisor->entry,
                             supervisor->count >= supervisor->most, keep, supervisor);
    return NULL;
}

static bool start_standby(struct notify_supervisor *supervisor) {
    supervisor->standbys++;
    return notify_standby_start(&supervisor->standby, supervisor->area, supervisor->entry);
}

static void watch_standby(struct notify_supervisor *supervisor) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = ROW_STANDBY};
    supervisor->standby_end = (int)syscall(SYS_pidfd_open, supervisor->standby.pid, 0);
    if (supervisor->standby_end >= 0)
        epoll_ctl(supervisor->epoll, EPOLL_CTL_ADD, supervisor->standby_end, &event);
}

static void forget_standby(struct notify_supervisor *supervisor) {
    close(supervisor->standby_end); /* nobody else has it, so epoll(7) forgets it too */
    supervisor->standby_end = -1;
    notify_standby_forget(&supervisor->standby);
}

/* It was killed. The next one is given all listeners again. */
static void replace_standby(struct notify_supervisor *supervisor) {
    pthread_mutex_lock(&supervisor->lock);
    if (supervisor->standby_end >= 0)
        forget_standby(supervisor);
    if (supervisor->standbys < STANDBYS_MOST && start_standby(supervisor)) {
        watch_standby(supervisor);
        for (uint32_t row = 0; row < NOTIFY_LISTENERS_MOST; row++) {
            if (supervisor->listener[row] < 0)
                continue;
            notify_standby_hold(&supervisor->standby, row, supervisor->listener[row]);
            if (supervisor->given_up[row])
                notify_standby_answer(&supervisor->standby, row);
        }
    } else {
        atomic_store(&supervisor->was_alone, true);
    }
    pthread_mutex_unlock(&supervisor->lock);
}

/* false when it is time to stop. */
static bool serve(struct notify_supervisor *supervisor, const struct epoll_event *event) {
    uint32_t row = event->data.u32;
    if (row == ROW_STOP)
        return false;
    if (row == ROW_STANDBY)
        replace_standby(supervisor);
    else if ((event->events & EPOLLIN) != 0)
        notify_serve(&supervisor->server, row, supervisor->listener[row]);
    else if ((event->events & (EPOLLHUP | EPOLLERR)) != 0)
        leave(supervisor, row); /* the last program under this filter has ended */
    return true;
}

/* epoll_wait counts in milliseconds, by which a program that connects has long gone on. */
static int wait_for_calls(int epoll, struct epoll_event *events, int64_t timeout_ns) {
    const struct timespec until = {.tv_nsec = (long)timeout_ns};
    int count = (int)syscall(SYS_epoll_pwait2, epoll, events, EVENTS_AT_ONCE,
                             timeout_ns >= 0 ? &until : NULL, NULL, 0);
    if (count >= 0 || errno != ENOSYS) /* before Linux 5.11 */
        return count;
    return epoll_wait(epoll, events, EVENTS_AT_ONCE, timeout_ns >= 0 ? 1 : -1);
}

static void *server_main(void *with) {
    struct notify_supervisor *supervisor = with;
    struct epoll_event events[EVENTS_AT_ONCE];
    notify_ask_for_short_slices();
    notify_act_for(0);
    for (;;) {
        int64_t next_ns = supervisor->server.table != NULL
                              ? notify_table_run(&supervisor->table)
                              : notify_looks_run(&supervisor->server.looks);
        int count = wait_for_calls(supervisor->epoll, events, next_ns);
        for (int i = 0; i < count; i++)
            if (!serve(supervisor, &events[i]))
                return NULL;
    }
}

static void stop_server(struct notify_supervisor *supervisor) {
    const uint64_t one = 1;
    if (write(supervisor->stop, &one, sizeof one) == sizeof one)
        pthread_join(supervisor->server_thread, NULL);
}

/* A listener each for us; the rest is for what `run` does beside. */
static unsigned listeners_most(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / 2 > NOTIFY_LISTENERS_MOST)
        return NOTIFY_LISTENERS_MOST;
    return (unsigned)(limit.rlim_cur / 2);
}

static bool start_threads(struct notify_supervisor *supervisor) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = ROW_STOP};
    sigset_t all;
    sigset_t before;
    if (epoll_ctl(supervisor->epoll, EPOLL_CTL_ADD, supervisor->stop, &event) != 0)
        return false;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* a trace that is cut */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&supervisor->server_thread, NULL, server_main, supervisor);
    if (error == 0) {
        error = pthread_create(&supervisor->mailbox_thread, NULL, mailbox_main, supervisor);
        if (error != 0)
            stop_server(supervisor);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return error == 0;
}

static bool prepare(struct notify_supervisor *supervisor) {
    supervisor->server.bytes = notify_bytes();
    if (supervisor->server.bytes == 0) {
        errno = ENOSYS;
        return false;
    }
    for (unsigned row = 0; row < NOTIFY_LISTENERS_MOST; row++)
        supervisor->listener[row] = -1;
    if (notify_may_never_duplicate())
        supervisor->entry = notify_entry_open(supervisor->area);
    if (supervisor->entry >= 0) {
        supervisor->server.table = &supervisor->table;
        notify_table_open(&supervisor->table);
    }
    if (!start_standby(supervisor))
        return false;
    supervisor->most = listeners_most();
    supervisor->epoll = epoll_create1(EPOLL_CLOEXEC);
    supervisor->stop = eventfd(0, EFD_CLOEXEC);
    watch_standby(supervisor);
    supervisor->server.journal = supervisor->standby.journal;
    supervisor->server.take = supervisor->server.looks.take = supervisor->table.take = put;
    supervisor->server.with = supervisor->server.looks.with = supervisor->table.with =
        &supervisor->queue;
    return supervisor->epoll >= 0 && supervisor->stop >= 0 &&
           pthread_mutex_init(&supervisor->lock, NULL) == 0 &&
           notify_queue_open(&supervisor->queue);
}

struct notify_supervisor *notify_open(struct pw_header *header) {
    struct notify_supervisor *supervisor = memory_zeroed(1, sizeof *supervisor);
    supervisor->area = (struct pw_notify_area *)(void *)((char *)header + PW_NOTIFY_OFFSET);
    supervisor->epoll = supervisor->stop = supervisor->queue.file = supervisor->entry = -1;
    supervisor->standby_end = -1;
    supervisor->standby.link = -1;
    bool good = prepare(supervisor);
    if (good) {
        notify_mailbox_open(supervisor->area);
        good = start_threads(supervisor);
    }
    if (!good) {
        int error = errno;
        notify_close(supervisor);
        errno = error;
        return NULL;
    }
    supervisor->runs = true;
    header->capture |= PW_CAPTURE_SECCOMP;
    return supervisor;
}

void notify_set_frames(struct notify_supervisor *supervisor, notify_frames *frames, void *with) {
    supervisor->server.frames_with = with;
    supervisor->server.frames = frames;
}

void notify_report_own(struct notify_supervisor *supervisor) {
    supervisor->server.reports_own = true;
}

int notify_file(const struct notify_supervisor *supervisor) { return supervisor->queue.file; }

bool notify_take(struct notify_supervisor *supervisor, outside_take *take, void *with) {
    return notify_queue_take(&supervisor->queue, take, with);
}

void notify_child_before_exec(struct notify_supervisor *supervisor,
                              const struct program_facts *facts) {
    if (notify_is_needed(facts))
        (void)notify_join(supervisor->area);
}

uint64_t notify_lost(struct notify_supervisor *supervisor) {
    pthread_mutex_lock(&supervisor->queue.lock);
    uint64_t lost = supervisor->queue.lost;
    pthread_mutex_unlock(&supervisor->queue.lock);
    return lost;
}

uint64_t notify_sent(const struct notify_supervisor *supervisor) {
    return atomic_load(&supervisor->area->sent);
}

uint64_t notify_count(const struct notify_supervisor *supervisor, enum pw_notify_count what) {
    return atomic_load(&supervisor->area->count[what]);
}

int notify_error(const struct notify_supervisor *supervisor, enum pw_notify_count what) {
    return atomic_load(&supervisor->area->error[what]);
}

bool notify_had_standby(const struct notify_supervisor *supervisor) {
    return !atomic_load(&supervisor->was_alone);
}

void notify_stop(struct notify_supervisor *supervisor) {
    if (!supervisor->runs)
        return;
    supervisor->runs = false;
    notify_mailbox_close(supervisor->area);
    pthread_join(supervisor->mailbox_thread, NULL);
    stop_server(supervisor);
    if (supervisor->standby.link < 0 && supervisor->count > 0) {
        supervisor->standbys = STANDBYS_MOST - 1; /* once more, for the programs that live on */
        replace_standby(supervisor);
    }
    notify_looks_end(&supervisor->server.looks);
    if (supervisor->server.table != NULL)
        notify_table_end(&supervisor->table);
    notify_standby_leave(&supervisor->standby);
}

void notify_close(struct notify_supervisor *supervisor) {
    if (supervisor == NULL)
        return;
    notify_stop(supervisor);
    notify_standby_leave(&supervisor->standby);
    for (unsigned row = 0; row < NOTIFY_LISTENERS_MOST; row++)
        if (supervisor->listener[row] > 0)
            close(supervisor->listener[row]);
    if (supervisor->epoll >= 0)
        close(supervisor->epoll);
    if (supervisor->stop >= 0)
        close(supervisor->stop);
    if (supervisor->standby_end >= 0)
        close(supervisor->standby_end);
    if (supervisor->entry >= 0)
        close(supervisor->entry);
    notify_images_free(&supervisor->server.images);
    notify_queue_close(&supervisor->queue);
    if (supervisor->standby.journal != NULL && supervisor->standby.journal != MAP_FAILED)
        munmap(supervisor->standby.journal, sizeof *supervisor->standby.journal);
    free(supervisor);
}
