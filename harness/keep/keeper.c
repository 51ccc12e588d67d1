/*
 * The guest only asks; the second socket is made here. So a guest has no descriptor more than
 * without us, a process that it forks in the middle takes no copy of the kept socket with it, and
 * whoever is killed leaves no gap.
 */
#include "harness/keep/keeper.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/capture/notify_answer.h"
#include "harness/capture/notify_socket.h"
#include "harness/keep/kept_sockets.h"
#include "harness/system/network.h"
#include "harness/system/process_title.h"
#include "shim/shared/policy_space.h"
#include "shim/shared/port_table.h"
#include "shim/shared/raw_syscall.h"
#include "shim/shared/recorder.h"

enum { KEEPER_NICE = -15 };

#define IDLE_NS UINT64_C(100000000)   /* a guest that rings no bell is heard at last then */
#define MUTE_NS UINT64_C(2000000)     /* ... and then where there are such */
#define SWEEP_NS UINT64_C(2000000000) /* a slot that nobody has touched for so long is free */

static struct pw_keep_area *area;

/* What the slots' words were when they were last swept, and when. */
static uint32_t swept_word[PW_KEEP_SLOTS];
static uint64_t swept_ns;

static void sleep_for(uint32_t bell, uint64_t ns) {
    const struct timespec pause = {.tv_sec = (time_t)(ns / 1000000000),
                                   .tv_nsec = (long)(ns % 1000000000)};
    raw_syscall4(SYS_futex, RAW(&area->bell), FUTEX_WAIT, (long)bell, RAW(&pause));
}

static enum pw_keep_answer look(const struct keep_question *question) {
    static _Alignas(8) char reply[PORT_TABLE_BYTES];
    const struct port_question asked = {.cookie = question->scope,
                                        .netns = area->netns,
                                        .address = question->address,
                                        .device = question->device,
                                        .port = question->port,
                                        .type = question->is_udp ? SOCK_DGRAM : SOCK_STREAM,
                                        .only_v6 = question->only_v6};
    switch (port_table_look(&asked, keep_cookie(question->is_udp, question->port), reply)) {
    case PORT_WAY_FREE:
        return PW_KEEP_YES;
    case PORT_WAY_OTHERS:
        return PW_KEEP_OTHERS;
    default:
        return PW_KEEP_NO;
    }
}

static enum pw_keep_answer yes_if(bool good) { return good ? PW_KEEP_YES : PW_KEEP_NO; }

static enum pw_keep_answer answer(const struct keep_question *question) {
    switch (question->what) {
    case PW_KEEP_TAKE:
        return yes_if(kept_take(question));
    case PW_KEEP_CLOSE:
        return yes_if(kept_close(question));
    case PW_KEEP_SHARE:
        return yes_if(kept_share(question, true));
    case PW_KEEP_ALONE:
        return yes_if(kept_share(question, false));
    case PW_KEEP_MAKE_ROOM:
        return yes_if(kept_make_room(question));
    case PW_KEEP_LOOK:
        return look(question);
    default:
        return PW_KEEP_NO;
    }
}

/* false where it was not filled by one thread alone. */
static bool read_question(struct pw_keep_slot *slot, uint32_t word,
                          struct keep_question *question) {
    uint64_t address[2] = {atomic_load(&slot->address[0]), atomic_load(&slot->address[1])};
    uint32_t what = atomic_load(&slot->what);
    *question = (struct keep_question){.what = (enum pw_keep_what)(what & 0xff),
                                       .family = (uint16_t)(what >> 8 & 0xff),
                                       .is_udp = (what >> 16 & 1) != 0,
                                       .only_v6 = (what >> 17 & 1) != 0,
                                       .may_join = (what >> 18 & 1) != 0,
                                       .port = (uint16_t)atomic_load(&slot->port),
                                       .scope = atomic_load(&slot->scope),
                                       .device = atomic_load(&slot->device)};
    memcpy(question->address, address, sizeof address);
    return atomic_load(&slot->check) == keep_check(slot, word);
}

static void serve(struct pw_keep_slot *slot) {
    struct keep_question question;
    uint32_t word = atomic_load(&slot->word);
    uint32_t working = PW_KEEP_AT(word, PW_KEEP_WORKING);
    if (PW_KEEP_STAGE(word) != PW_KEEP_ASKED ||
        !atomic_compare_exchange_strong(&slot->word, &word, working))
        return;
    bool good = read_question(slot, word, &question);
    atomic_store(&slot->answer, good ? answer(&question) : PW_KEEP_NO);
    if (atomic_compare_exchange_strong(&slot->word, &working, PW_KEEP_AT(word, PW_KEEP_ANSWERED))) {
        raw_syscall3(SYS_futex, RAW(&slot->word), FUTEX_WAKE, 1);
        return;
    }
    atomic_store(&slot->word, PW_KEEP_AT(word, PW_KEEP_FREE));
}

static void serve_all(void) {
    for (unsigned i = 0; i < PW_KEEP_WORDS; i++) {
        uint64_t asked =
            atomic_load(&area->asked[i]) != 0 ? atomic_exchange(&area->asked[i], 0) : 0;
        for (; asked != 0; asked &= asked - 1)
            serve(&area->slot[i * 64 + (unsigned)__builtin_ctzll(asked)]);
    }
}

/* Whoever was killed, or stopped for long, does not come back for its slot. */
static void sweep(uint64_t now) {
    if (now - swept_ns < SWEEP_NS)
        return;
    swept_ns = now;
    for (unsigned i = 0; i < PW_KEEP_SLOTS; i++) {
        uint32_t word = atomic_load(&area->slot[i].word);
        bool is_stale = word == swept_word[i] && PW_KEEP_STAGE(word) != PW_KEEP_FREE;
        swept_word[i] = word;
        if (is_stale)
            atomic_compare_exchange_strong(&area->slot[i].word, &word,
                                           PW_KEEP_AT(word + 0x100, PW_KEEP_FREE));
    }
}

/* The state is set again each time: somebody may have waited in vain while we stood still. */
static _Noreturn void work(void) {
    for (;;) {
        uint32_t bell = atomic_load(&area->bell);
        uint32_t silent = PW_KEEP_SILENT;
        atomic_compare_exchange_strong(&area->state, &silent, PW_KEEP_WORKS);
        serve_all();
        uint64_t next = kept_expire();
        uint64_t most = atomic_load(&area->mute) != 0 ? MUTE_NS : IDLE_NS;
        sweep(monotonic_ns());
        sleep_for(bell, next < most ? next : most);
    }
}

static void raise_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Who is waited for by everybody comes first, but not where the run was told to stand back. */
static void come_first(void) {
    int own = getpriority(PRIO_PROCESS, 0);
    notify_ask_for_short_slices();
    if (own <= 0 && own > KEEPER_NICE)
        (void)setpriority(PRIO_PROCESS, 0, KEEPER_NICE);
}

static _Noreturn void be_keeper(pid_t run, uint16_t low, uint16_t high) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != run)
        _exit(0);
    setpgid(0, 0);
    prctl(PR_SET_NAME, "pw-keeper");
    process_title_set("pw-keeper");
    raise_limit();
    come_first();
    close_range(0, ~0U, 0);
    kept_begin(area, (uint64_t)policy_config()->for_ms * 1000000, low, high);
    work();
}

bool keeper_start(struct keeper *keeper) {
    const struct pw_policy_config *config = policy_config();
    static struct port_range range;
    sigset_t all, before;
    keeper->pid = 0;
    area = keep_area();
    if (area == NULL)
        return true;
    if (!port_range_read(&range))
        return false;
    if (config->low != 0) {
        range.low = config->low;
        range.high = config->high;
    }
    area->netns = notify_own_netns();
    area->uid = (uint32_t)geteuid();
    atomic_store(&area->state, PW_KEEP_WORKS);
    pid_t run = getpid();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before); /* it has no signal to take */
    /* Without an exit signal: whoever waits for the command does not see it (clone(2)). */
    keeper->pid = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (keeper->pid == 0)
        be_keeper(run, range.low, range.high);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (keeper->pid > 0)
        return true;
    atomic_store(&area->state, PW_KEEP_GONE);
    keeper->pid = 0;
    return false;
}

static void say_gone(struct keeper *keeper) {
    keeper->pid = 0;
    atomic_store(&area->state, PW_KEEP_GONE);
}

void keeper_look(struct keeper *keeper) {
    if (keeper->pid == 0 || waitpid(keeper->pid, NULL, __WALL | WNOHANG) != keeper->pid)
        return;
    say_gone(keeper);
    atomic_fetch_add(&area->count[PW_KEEP_ENDED], 1);
}

void keeper_stop(struct keeper *keeper) {
    if (keeper->pid == 0)
        return;
    kill(keeper->pid, SIGKILL);
    waitpid(keeper->pid, NULL, __WALL);
    say_gone(keeper);
}
