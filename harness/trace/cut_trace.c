/* The kernel raises SIGBUS where a mapped file has become shorter (mmap(2)). There is nothing to go
 * back to, so the access is made to succeed, and whoever reads the file itself reports the cut. */
#include "harness/trace/cut_trace.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

#include "shim/shared/recorder.h"

static _Atomic bool seen;
static _Atomic pid_t sender;
static struct sigaction before;

/* By default again: the access, made once more, ends us. */
static void give_up(int number) {
    const struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(number, &action, NULL);
}

static void take(int number, siginfo_t *info, void *context) {
    (void)context;
    if (info->si_code <= 0)
        atomic_store(&sender, info->si_pid);
    else if (recorder_abandon(info->si_addr))
        atomic_store(&seen, true);
    else
        give_up(number);
}

void cut_trace_survive(void) {
    const struct sigaction action = {.sa_sigaction = take, .sa_flags = SA_SIGINFO};
    sigset_t set;
    sigaction(SIGBUS, &action, &before);
    sigemptyset(&set);
    sigaddset(&set, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void cut_trace_forget(void) { sigaction(SIGBUS, &before, NULL); }

bool cut_trace_seen(void) { return atomic_load(&seen); }

bool cut_trace_take_signal(pid_t *from) {
    *from = atomic_exchange(&sender, 0);
    return *from != 0;
}
