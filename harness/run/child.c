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
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/run/process_facts.h"

enum { STATUS_FAILED = 125, STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

static const int passed_on[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1,   SIGUSR2,
                                SIGALRM, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU,   SIGWINCH,
                                SIGPROF, SIGIO,   SIGPWR,  SIGURG,  SIGVTALRM, SIGXCPU};

static sigset_t original_mask;
static struct sigaction original_child_action;

int child_take_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    for (unsigned i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++)
        sigaddset(&set, passed_on[i]);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        sigaddset(&set, number);
    sigaddset(&set, SIGCHLD);
    sigset_t blocked = set;
    sigaddset(&blocked, SIGPIPE); /* a reader of our stderr may be gone */
    if (pthread_sigmask(SIG_BLOCK, &blocked, &original_mask) != 0)
        return -1;
    /* Where our parent ignores SIGCHLD, so do we, and no child could be waited for (wait(2)). */
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &action, &original_child_action);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static _Noreturn void become(char *const command[], char *const environment[], int report) {
    sigaction(SIGCHLD, &original_child_action, NULL);
    pthread_sigmask(SIG_SETMASK, &original_mask, NULL);
    execvpe(command[0], command, environment);
    int error = errno;
    while (write(report, &error, sizeof error) < 0 && errno == EINTR)
        ;
    _exit(STATUS_NOT_FOUND);
}

static int complain(const char *command, int error, int status) {
    fprintf(stderr, "portwitness: %s: %s\n", command, strerror(error));
    return status;
}

int child_start(struct child *child, char *const command[], char *const environment[]) {
    int report[2];
    *child = (struct child){0};
    if (pipe2(report, O_CLOEXEC) != 0)
        return complain(command[0], errno, STATUS_FAILED);
    pid_t pid = fork();
    if (pid == 0)
        become(command, environment, report[1]);
    int fork_error = errno;
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        return complain(command[0], fork_error, STATUS_FAILED);
    }
    int error = 0;
    ssize_t got;
    while ((got = read(report[0], &error, sizeof error)) < 0 && errno == EINTR)
        ;
    close(report[0]);
    if (got == sizeof error) {
        waitpid(pid, NULL, 0);
        return complain(command[0], error,
                        error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
    }
    child->pid = pid;
    child->was_pid = pid;
    return 0;
}

/* Stops ourselves as the command was stopped, so that the shell sees it; returns when continued. */
static void stop_as(int number) {
    sigset_t set;
    sigset_t before;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, &before);
    kill(getpid(), number);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void look_at_child(struct child *child) {
    while (child->pid != 0) {
        siginfo_t state = {0};
        if (waitid(P_PID, (id_t)child->pid, &state, WEXITED | WSTOPPED | WNOHANG) != 0)
            return;
        if (state.si_pid == 0)
            return;
        if (state.si_code == CLD_STOPPED || state.si_code == CLD_TRAPPED) {
            stop_as(state.si_status);
            child->continued_with_us = true;
            continue;
        }
        child->pid = 0;
        child->ended = true;
        child->signalled = state.si_code != CLD_EXITED;
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

/* Is the signal ours to pass on? The command already has what the terminal sent to the process
 * group, and what it sent itself, as `kill 0` does, would come back to it. A hangup is sent to the
 * session's leader alone (setsid(2), credentials(7)). */
static bool must_pass_on(struct child *child, const struct signalfd_siginfo *signal) {
    if (signal->ssi_code == SI_KERNEL)
        return (signal->ssi_signo == SIGCONT && process_state(child->pid) == 'T') ||
               (signal->ssi_signo == SIGHUP && getsid(0) == getpid());
    if (process_descends_from((pid_t)signal->ssi_pid, child->pid))
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
        if (signal.ssi_signo == SIGCHLD || child->pid == 0)
            continue;
        if (must_pass_on(child, &signal))
            pass_on(child, &signal);
    }
    look_at_child(child);
}
