/*
 * Runs a command under the supervisor of seccomp notifications, without the rest of `run`, and
 * prints on stderr what it reports: so tests can compare that with what the guest itself says.
 *
 *   notify_driver TRACE SHIM COMMAND...   SHIM: what is to be preloaded, "" for none
 *
 * A line an event: "bind PID ERROR REQUESTED LOCAL PEER COOKIE", and at the end the counts.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/capture/notify_supervisor.h"
#include "shim/shared/filter_trial.h"
#include "shim/shared/program_file.h"
#include "shim/shared/recorder.h"
#include "shim/shared/trace_file.h"

static void print(void *with, const struct outside_event *event) {
    static const char *const names[] = {
        [OUTSIDE_EXEC] = "exec",       [OUTSIDE_BIND] = "bind", [OUTSIDE_LISTEN] = "listen",
        [OUTSIDE_CONNECT] = "connect", [OUTSIDE_READ] = "read", [OUTSIDE_PROCESS] = "process",
        [OUTSIDE_CLOSED] = "closed"};
    (void)with;
    fprintf(stderr, "%s %u %u %u %u %u %llu\n", names[event->kind], event->pid, event->error,
            event->requested_port, event->local_port, event->peer_port,
            (unsigned long long)event->cookie);
}

static pid_t start(struct notify_supervisor *supervisor, char *const command[], const char *shim,
                   const char *trace) {
    struct program_facts facts;
    program_inspect(command[0], getenv("PATH"), &facts);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    if (shim[0] != '\0') {
        setenv("LD_PRELOAD", shim, 1);
        setenv("PORTWITNESS_TRACE", trace, 1);
    }
    notify_child_before_exec(supervisor, &facts);
    execvp(command[0], command);
    _exit(127);
}

static int follow(struct notify_supervisor *supervisor, pid_t pid) {
    struct pollfd file = {.fd = notify_file(supervisor), .events = POLLIN};
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        poll(&file, 1, 20);
        notify_take(supervisor, print, NULL);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void print_counts(struct notify_supervisor *supervisor) {
    static const char *const names[] = {"installed",   "privileges", "not-taken",  "watched",
                                        "refused",     "full",       "unanswered", "abandoned",
                                        "foreign",     "other-user", "other-pids", "no-proc",
                                        "no-room-left"};
    for (unsigned i = 0; i < PW_NOTIFY_COUNTS; i++)
        fprintf(stderr, "%s %llu\n", names[i],
                (unsigned long long)notify_count(supervisor, (enum pw_notify_count)i));
    fprintf(stderr, "lost %llu\n", (unsigned long long)notify_lost(supervisor));
}

int main(int count, char **arguments) {
    struct trace_map map;
    struct trace_problem problem;
    const struct trace_plan plan = {.supervisor_pid = (unsigned)getpid(),
                                    .filters = filter_count()};
    if (count < 4)
        return 2;
    if (!trace_create(arguments[1], &plan, &problem) || !trace_open(arguments[1], &map, &problem)) {
        fprintf(stderr, "%s %s\n", arguments[1], problem.what);
        return 2;
    }
    recorder_attach(&map);
    struct notify_supervisor *supervisor = notify_open(recorder_header());
    if (supervisor == NULL) {
        perror("notify_open");
        return 2;
    }
    int status = follow(supervisor, start(supervisor, arguments + 3, arguments[2], arguments[1]));
    notify_stop(supervisor);
    notify_take(supervisor, print, NULL);
    print_counts(supervisor);
    notify_close(supervisor);
    return status;
}
