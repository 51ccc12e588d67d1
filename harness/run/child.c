/*
 * The command shares our process group, session and terminal, so job control works as it does
 * without us: what the terminal sends reaches the command directly, and only what was sent to us
 * alone is passed on.
 */
#include "harness/run/child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "harness/base/shell_words.h"
#include "harness/base/statuses.h"
#include "harness/system/process_facts.h"
#include "harness/trace/cut_trace.h"

enum { WAKER_PAUSE_NS = 20 * 1000 * 1000 };

static sigset_t original_mask;
static struct sigaction original_child_action;

int child_take_signals(void) {
    sigset_t set;
    sigfillset(&set);
    if (pthread_sigmask(SIG_BLOCK, &set, &original_mask) != 0)
        return -1;
    /* Where our parent ignores SIGCHLD, so do we, and no child could be waited for (wait(2)). */
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &action, &original_child_action);
    int file = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    cut_trace_survive(); /* the kernel does not let a fault be blocked */
    return file;
}

static _Noreturn void become(char *const command[], char *const environment[],
                             struct child_preparation preparation, int report) {
    if (preparation.prepare != NULL)
        preparation.prepare(preparation.with);
    sigaction(SIGCHLD, &original_child_action, NULL);
    cut_trace_forget();
    pthread_sigmask(SIG_SETMASK, &original_mask, NULL);
    execvpe(command[0], command, environment);
    int error = errno;
    while (write(report, &error, sizeof error) < 0 && errno == EINTR)
        ;
    _exit(STATUS_NOT_FOUND);
}

static int fail(const char *command, int error, int status) {
    complain(NULL, "%s: %s", command, strerror(error));
    return status;
}

/* As bash reports it: a name that is too long to be that of a file was not found. */
int child_report_failure(const char *command, int error) {
    bool is_missing = error == ENOENT || (error == ENAMETOOLONG && strchr(command, '/') == NULL);
    int status = fail(command, error, is_missing ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
    if (is_missing)
        (void)shell_hint(command);
    return status;
}

int child_start(struct child *child, char *const command[], char *const environment[],
                struct child_preparation preparation) {
    int report[2];
    *child = (struct child){0};
    if (pipe2(report, O_CLOEXEC) != 0)
        return fail(command[0], errno, STATUS_FAILED);
    pid_t pid = fork();
    if (pid == 0)
        become(command, environment, preparation, report[1]);
    int fork_error = errno;
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        return fail(command[0], fork_error, STATUS_FAILED);
    }
    int error = 0;
    ssize_t got;
    while ((got = read(report[0], &error, sizeof error)) < 0 && errno == EINTR)
        ;
    close(report[0]);
    if (got == sizeof error) {
        waitpid(pid, NULL, 0);
        return child_report_failure(command[0], error);
    }
    child->pid = pid;
    child->was_pid = pid;
    return 0;
}

/* Continues us until it is killed, once the command is no longer stopped: it may come before we
 * have stopped. In a session of its own no signal to our process group reaches it. */
static _Noreturn void wake(pid_t sleeper, pid_t command) {
    const struct timespec pause = {.tv_nsec = WAKER_PAUSE_NS};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    while (getppid() == sleeper) {
        if (process_state(command) != 'T')
            kill(sleeper, SIGCONT);
        nanosleep(&pause, NULL);
    }
    _exit(0);
}

/* Stops ourselves as the command was stopped, so that the shell sees it; returns when continued.
 * Stopped we learn nothing of the command, which others may continue or kill without us. */
static void stop_as(struct child *child, int number) {
    pid_t self = getpid();
    child->waker = fork();
    if (child->waker == 0)
        wake(self, child->pid);
    if (child->waker < 0)
        return;
    sigset_t set;
    sigset_t before;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, &before);
    kill(self, number);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    kill(child->waker, SIGKILL);
    waitpid(child->waker, NULL, 0);
    child->continued_with_us = true;
}

static void look_at_child(struct child *child) {
    while (child->pid != 0) {
        siginfo_t state = {0};
        if (waitid(P_PID, (id_t)child->pid, &state, WEXITED | WSTOPPED | WNOHANG) != 0)
            return;
        if (state.si_pid == 0)
            return;
        if (state.si_code == CLD_STOPPED || state.si_code == CLD_TRAPPED) {
            stop_as(child, state.si_status);
            continue;
        }
        child->pid = 0;
        child->ended = true;
        child->signalled = state.si_code != CLD_EXITED;
        child->wait_status = child->signalled ? state.si_status : state.si_status << 8;
        child->exit_status = state.si_status + (child->signalled ? 128 : 0);
    }
}

/* After a stop of both, a shell continues the whole process group, anybody else perhaps us alone.
 */
static bool must_continue(struct child *child) {
    bool expected = child->continued_with_us;
    child->continued_with_us = false;
    return process_state(child->pid) == 'T' || !expected;
}

/* SIGPIPE where a reader of our stderr is gone, SIGXFSZ where the trace cannot grow; and the
 * waker's SIGCONT, for a command that goes on already. */
static bool is_our_own(struct child *child, const struct signalfd_siginfo *signal) {
    pid_t sender = (pid_t)signal->ssi_pid;
    if (signal->ssi_signo == SIGCONT && child->waker > 0 && sender == child->waker) {
        child->continued_with_us = false;
        return true;
    }
    return sender == getpid();
}

/* Is the signal ours to pass on? The command already has what the terminal sent to the process
 * group, and what it sent itself, as `kill 0` does, would come back to it. A hangup is sent to the
 * session's leader alone (setsid(2), credentials(7)). */
static bool must_pass_on(struct child *child, const struct signalfd_siginfo *signal) {
    if (signal->ssi_code > 0)
        return (signal->ssi_signo == SIGCONT && process_state(child->pid) == 'T') ||
               (signal->ssi_signo == SIGHUP && getsid(0) == getpid());
    if (is_our_own(child, signal) || process_descends_from((pid_t)signal->ssi_pid, child->pid))
        return false;
    return signal->ssi_signo != SIGCONT || must_continue(child);
}

static void pass_on(const struct child *child, const struct signalfd_siginfo *signal) {
    union sigval value = {.sival_ptr = (void *)(uintptr_t)signal->ssi_ptr};
    if (signal->ssi_code == SI_QUEUE)
        sigqueue(child->pid, (int)signal->ssi_signo, value);
    else
        kill(child->pid, (int)signal->ssi_signo);
}

void child_handle_signals(struct child *child, int signals) {
    struct signalfd_siginfo signal;
    while (read(signals, &signal, sizeof signal) == sizeof signal) {
        if (child->pid != 0 && must_pass_on(child, &signal))
            pass_on(child, &signal);
    }
    look_at_child(child);
}

void child_handle_bus(struct child *child) {
    struct signalfd_siginfo signal = {.ssi_signo = SIGBUS, .ssi_code = SI_USER};
    pid_t from;
    if (!cut_trace_take_signal(&from))
        return;
    signal.ssi_pid = (uint32_t)from;
    if (child->pid != 0 && must_pass_on(child, &signal))
        pass_on(child, &signal);
}
