/*
 * All copies of a round are children of one recorded process, so that one trace has them all and a
 * policy hands what one releases to another. No copy outlives its round.
 */
#include "harness/stress/copies.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "harness/base/statuses.h"
#include "harness/run/child.h"
#include "harness/system/network.h"
#include "shim/shared/recorder.h"

enum { GRACE_SECONDS = 2 };

#define SECOND_NS UINT64_C(1000000000)

struct copies {
    const char *folder;
    unsigned count;
    unsigned timeout_seconds;
    bool isolate;
    char **command;
    pid_t *pids; /* 0: ended */
    struct copy_status *statuses;
    unsigned living;
};

static bool send_output_to(const char *folder, unsigned number) {
    char path[4096];
    snprintf(path, sizeof path, "%s/copy-%u.out", folder, number);
    int null = open("/dev/null", O_RDONLY);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    bool good = null >= 0 && file >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
                dup2(file, STDOUT_FILENO) >= 0 && dup2(file, STDERR_FILENO) >= 0;
    if (null > STDERR_FILENO)
        close(null);
    if (file > STDERR_FILENO)
        close(file);
    return good;
}

static _Noreturn void become(const struct copies *copies, unsigned index, const sigset_t *mask,
                             int report) {
    char number[16];
    int error = 0;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(number, sizeof number, "%u", index + 1);
    if (!send_output_to(copies->folder, index + 1) || setenv("PORTWITNESS_COPY", number, 1) != 0)
        _exit(STATUS_FAILED);
    if (copies->isolate && network_make_private(0, 0) != NULL)
        error = errno != 0 ? errno : EPERM;
    if (write(report, &error, sizeof error) != sizeof error || error != 0)
        _exit(STATUS_FAILED);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(copies->command[0], copies->command);
    _exit(child_report_failure(copies->command[0], errno));
}

/* What the copy says of its network namespace; the pipe is closed as the command is executed. */
static int read_report(int report) {
    int error = EIO;
    ssize_t got;
    while ((got = read(report, &error, sizeof error)) < 0 && errno == EINTR)
        ;
    return got == sizeof error ? error : EIO;
}

static void start_all(struct copies *copies, const sigset_t *mask) {
    for (unsigned i = 0; i < copies->count; i++) {
        int report[2];
        if (pipe2(report, O_CLOEXEC) != 0)
            return;
        pid_t pid = fork();
        if (pid == 0)
            become(copies, i, mask, report[1]);
        close(report[1]);
        if (pid > 0) {
            setpgid(pid, pid); /* whoever comes first */
            copies->pids[i] = pid;
            copies->living++;
            copies->statuses[i].not_isolated = read_report(report[0]);
        }
        close(report[0]);
    }
}

static void signal_all(const struct copies *copies, int number) {
    for (unsigned i = 0; i < copies->count; i++)
        if (copies->pids[i] != 0)
            kill(-copies->pids[i], number);
}

static void reap(struct copies *copies, bool timed_out) {
    for (unsigned i = 0; i < copies->count; i++) {
        int status;
        if (copies->pids[i] == 0 || waitpid(copies->pids[i], &status, WNOHANG) != copies->pids[i])
            continue;
        kill(-copies->pids[i], SIGKILL); /* what it left behind */
        copies->pids[i] = 0;
        copies->living--;
        copies->statuses[i].wait_status = status;
        copies->statuses[i].ended = 1;
        copies->statuses[i].timed_out = timed_out;
    }
}

/* Waits for the copies until a time (0: for ever); the signal that came in between, or 0. */
static int wait_until(struct copies *copies, const sigset_t *signals, uint64_t end_ns,
                      bool timed_out) {
    for (;;) {
        reap(copies, timed_out);
        uint64_t now = monotonic_ns();
        if (copies->living == 0 || (end_ns != 0 && now >= end_ns))
            return 0;
        uint64_t rest = end_ns != 0 ? end_ns - now : SECOND_NS;
        const struct timespec time = {(time_t)(rest / SECOND_NS), (long)(rest % SECOND_NS)};
        int number = sigtimedwait(signals, NULL, &time);
        if (number > 0 && number != SIGCHLD)
            return number;
    }
}

static void end_all(struct copies *copies, const sigset_t *signals, bool timed_out) {
    signal_all(copies, SIGTERM);
    signal_all(copies, SIGCONT);
    while (copies->living > 0) {
        uint64_t end = monotonic_ns() + GRACE_SECONDS * SECOND_NS;
        (void)wait_until(copies, signals, end, timed_out);
        signal_all(copies, SIGKILL);
    }
}

static bool write_statuses(const struct copies *copies) {
    char path[4096];
    snprintf(path, sizeof path, "%s/statuses", copies->folder);
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return complain("stress", "%s: %s", path, strerror(errno));
    size_t written = fwrite(copies->statuses, sizeof *copies->statuses, copies->count, file);
    return ((fclose(file) == 0) & (written == copies->count)) ||
           complain("stress", "%s: %s", path, strerror(errno));
}

static int run_all(struct copies *copies) {
    sigset_t signals;
    sigset_t before;
    sigemptyset(&signals);
    const int taken[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        sigaddset(&signals, taken[i]);
    sigprocmask(SIG_BLOCK, &signals, &before);
    start_all(copies, &before);
    uint64_t end =
        copies->timeout_seconds != 0 ? monotonic_ns() + copies->timeout_seconds * SECOND_NS : 0;
    int number = wait_until(copies, &signals, end, false);
    end_all(copies, &signals, number == 0);
    return write_statuses(copies) ? 0 : STATUS_FAILED;
}

int copies_main(int argc, char **argv) {
    if (argc < 5)
        return STATUS_FAILED;
    struct copies copies = {.folder = argv[0],
                            .count = (unsigned)atoi(argv[1]),
                            .timeout_seconds = (unsigned)atoi(argv[2]),
                            .isolate = atoi(argv[3]) != 0,
                            .command = argv + 4};
    copies.pids = calloc(copies.count, sizeof *copies.pids);
    copies.statuses = calloc(copies.count, sizeof *copies.statuses);
    bool good = copies.pids != NULL && copies.statuses != NULL;
    if (!good)
        complain("stress", "copies: %s", strerror(errno));
    int status = good ? run_all(&copies) : STATUS_FAILED;
    free(copies.pids);
    free(copies.statuses);
    return status;
}
