/* The command runs under `portwitness run` itself, so that a round is what its user would run. */
#include "harness/stress/round.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "harness/base/statuses.h"
#include "harness/check/check.h"
#include "shim/shared/recorder.h"

enum { ARGUMENTS_BEFORE = 16, WORDS_MAX = 16384, LAST_BYTES = 512 };

volatile sig_atomic_t round_interrupted;

static bool own_path(char *path, size_t size) {
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length < 0)
        return false;
    path[length] = '\0';
    return true;
}

static _Noreturn void become_run(const struct round_plan *plan, const char *self,
                                 const char *trace) {
    char copies[16], timeout[16];
    size_t count = 0;
    while (plan->command[count] != NULL)
        count++;
    const char **arguments = calloc(ARGUMENTS_BEFORE + count + 1, sizeof *arguments);
    if (arguments == NULL)
        _exit(STATUS_FAILED);
    snprintf(copies, sizeof copies, "%u", plan->copies);
    snprintf(timeout, sizeof timeout, "%u", plan->timeout_seconds);
    const char *before[ARGUMENTS_BEFORE] = {
        self,         "run",      "-q",         "-o",
        trace,        "--policy", plan->policy, plan->pytest ? "--pytest=marks" : "-q",
        "--",         self,       "stress",     COPIES_ARGUMENT,
        plan->folder, copies,     timeout,      plan->isolate ? "1" : "0"};
    size_t used = 0;
    while (before[used] != NULL) {
        arguments[used] = before[used];
        used++;
    }
    memcpy(arguments + used, plan->command, count * sizeof *arguments);
    execv(self, (char *const *)(uintptr_t)arguments);
    complain("stress", "%s: %s", self, strerror(errno));
    _exit(STATUS_FAILED);
}

/* Passes on what `portwitness run` has said; its last line is left in `last`, "" for none. */
static void pass_on(int words, char last[LAST_BYTES]) {
    char text[WORDS_MAX + 1];
    ssize_t length = pread(words, text, WORDS_MAX, 0);
    last[0] = '\0';
    if (length <= 0)
        return;
    fwrite(text, 1, (size_t)length, stderr);
    while (length > 0 && text[length - 1] == '\n')
        length--;
    text[length] = '\0';
    const char *line = strrchr(text, '\n');
    snprintf(last, LAST_BYTES, "%.500s", line != NULL ? line + 1 : text);
}

/* Always false. */
static bool say_failed(int status, const char *last) {
    const char *before = last[0] != '\0' ? ": " : "";
    const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;
    if (status < 0)
        return complain("stress", "portwitness run could not be waited for: %s", strerror(errno));
    if (!WIFSIGNALED(status))
        return complain("stress", "portwitness run ended with status %d%s%s", WEXITSTATUS(status),
                        before, last);
    return complain("stress", "portwitness run was ended by SIG%s%s%s", name != NULL ? name : "?",
                    before, last);
}

/* A signal to us alone is passed on to `portwitness run`, and by that to the command; one from the
 * terminal reaches it as well. */
static int await(pid_t pid) {
    int status;
    bool passed_on = false;
    while (waitpid(pid, &status, 0) != pid) {
        if (errno != EINTR)
            return -1;
        if (round_interrupted && !passed_on)
            passed_on = kill(pid, SIGTERM) == 0;
    }
    return status;
}

static bool read_statuses(const struct round_plan *plan, struct round_result *result) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/statuses", plan->folder);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    size_t got = fread(result->statuses, sizeof *result->statuses, plan->copies, file);
    fclose(file);
    return got == plan->copies;
}

static bool count_failures(const struct round_plan *plan, struct round_result *result) {
    for (unsigned i = 0; i < plan->copies; i++) {
        const struct copy_status *status = &result->statuses[i];
        if (plan->isolate && status->not_isolated != 0)
            return complain("stress", "no network namespace for a copy: %s",
                            strerror(status->not_isolated));
        if (status->ended == 0)
            return complain("stress", "a copy could not be started");
        result->failed += status->wait_status != 0 || status->timed_out != 0;
    }
    return true;
}

static void count_finding(const struct finding *finding, struct round_result *result) {
    switch (finding->kind) {
    case FINDING_LOST_RACE:
        result->lost_races++;
        break;
    case FINDING_DOUBLE_HAND_OUT:
        result->double_hand_outs++;
        break;
    case FINDING_RACE_WINDOW:
        result->race_windows++;
        break;
    case FINDING_ADDRESS_IN_USE:
        result->address_in_use++;
        break;
    default:
        break;
    }
    result->errors += finding->severity == SEVERITY_ERROR;
}

/* Others are of a call, or of a program of which all else is seen, or was until then. */
static bool is_of_program(unsigned reason) {
    return reason != PW_BLIND_CONTAINER && reason != PW_BLIND_NAMESPACE &&
           reason != PW_BLIND_SANDBOXED && reason != PW_BLIND_DEPARTED;
}

/* Programs that were seen beside the shim, or not at all. */
static void count_unreached(const struct check_trace *trace, struct round_result *result) {
    char name[PROCESS_NAME_BYTES];
    if (trace->policy.config.kind == PW_POLICY_KERNEL)
        return;
    for (size_t i = 0; i < trace->processes.count; i++) {
        const struct process *process = &trace->processes.list[i];
        if (!process->passed_policy)
            continue;
        result->programs_unreached++;
        first_names_add(&result->unreached_names, process_name(&trace->processes, process, name));
    }
    for (size_t i = 0; i < trace->blind_spot_count; i++) {
        const struct check_blind_spot *spot = &trace->blind_spots[i];
        if (!is_of_program(spot->reason))
            continue;
        result->programs_unreached += spot->count;
        for (size_t j = 0; j < spot->program_count; j++)
            first_names_add(&result->unreached_names, spot->programs[j]);
    }
}

static bool check_trace(const char *trace, struct round_result *result) {
    struct check check = {0};
    bool good = check_run(&check, &trace, 1, NULL, NULL);
    for (size_t i = 0; good && i < check.findings.count; i++)
        count_finding(&check.findings.list[i], result);
    result->incomplete = good && check_is_incomplete(&check);
    result->unreached = good ? check.traces[0].policy.count[PW_POLICY_NO_ROOM] : 0;
    if (good)
        count_unreached(&check.traces[0], result);
    check_free(&check);
    return good;
}

bool round_run(const struct round_plan *plan, struct round_result *result) {
    char self[PATH_MAX];
    char trace[PATH_MAX];
    char last[LAST_BYTES];
    uint64_t begin = monotonic_ns();
    *result = (struct round_result){.statuses = calloc(plan->copies, sizeof *result->statuses)};
    if (result->statuses == NULL || !own_path(self, sizeof self))
        return complain("stress", "round: %s", strerror(errno));
    snprintf(trace, sizeof trace, "%s/trace", plan->folder);
    int words = memfd_create("portwitness-run", MFD_CLOEXEC);
    pid_t pid = words >= 0 ? fork() : -1;
    if (pid < 0) {
        complain("stress", "round: %s", strerror(errno));
        if (words >= 0)
            close(words);
        return false;
    }
    if (pid == 0 && dup2(words, STDERR_FILENO) >= 0)
        become_run(plan, self, trace);
    if (pid == 0)
        _exit(STATUS_FAILED);
    int status = await(pid);
    pass_on(words, last);
    close(words);
    result->ns = monotonic_ns() - begin;
    if (round_interrupted)
        return false;
    if (status != 0)
        return say_failed(status, last);
    return (read_statuses(plan, result) || complain("stress", "the copies left no statuses")) &&
           count_failures(plan, result) && check_trace(trace, result);
}

bool round_is_bad(const struct round_result *result) {
    return result->failed > 0 || result->errors > 0;
}

void round_result_free(struct round_result *result) {
    free(result->statuses);
    result->statuses = NULL;
}

void round_remove(const struct round_plan *plan) {
    char path[PATH_MAX];
    for (unsigned i = 0; i < plan->copies; i++) {
        snprintf(path, sizeof path, "%s/copy-%u.out", plan->folder, i + 1);
        (void)unlink(path);
    }
    snprintf(path, sizeof path, "%s/statuses", plan->folder);
    (void)unlink(path);
    snprintf(path, sizeof path, "%s/trace", plan->folder);
    (void)unlink(path);
    (void)rmdir(plan->folder);
}
