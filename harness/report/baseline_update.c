/* A run that broke off has few findings, and would empty a good baseline: then the next run, which
 * does not, fails by what everybody knew. So entries are removed on evidence alone. */
#include "harness/report/baseline_update.h"

#include <stdlib.h>

#include "harness/base/message.h"
#include "harness/base/text_file.h"
#include "harness/report/known_findings.h"

/* The first program of a trace is the command of `run`. */
enum { COMMAND_SERIAL = 1 };

/* As of waitpid(2), also of a program that the command executed in its own place; -1: not known. */
static int status_of_command(const struct processes *processes) {
    const struct process *command = processes_find(processes, COMMAND_SERIAL);
    if (command == NULL || command->status >= 0)
        return command != NULL ? command->status : -1;
    for (size_t i = 0; command->start_time != 0 && i < processes->count; i++) {
        const struct process *other = &processes->list[i];
        if (other->pid == command->pid && other->start_time == command->start_time &&
            other->pid_namespace == command->pid_namespace && other->status >= 0)
            return other->status;
    }
    return -1;
}

/* Was any port asked for at all? */
static bool saw_anything(const char *path) {
    struct trace_reader_problem problem;
    struct trace_record record;
    struct trace_reader *reader = trace_reader_open(path, &problem);
    bool saw = false;
    while (reader != NULL && !saw && trace_reader_next(reader, &record) == TRACE_NEXT_RECORD)
        saw = record.kind == PW_KIND_BIND || record.kind == PW_KIND_LISTEN ||
              record.kind == PW_KIND_CONNECT || record.kind == PW_KIND_AUTOBIND;
    trace_reader_close(reader);
    return saw;
}

/* Why what was not seen may be there all the same; NULL: it is not. */
static const char *why_keep(const struct check *check) {
    for (size_t i = 0; i < check->trace_count; i++) {
        int status = status_of_command(&check->traces[i].processes);
        if (status != 0)
            return status > 0 ? "the command failed" : "how the command ended is not known";
        if (!saw_anything(check->traces[i].path))
            return "the command asked for no port";
    }
    return check_is_incomplete(check) ? "the evidence is incomplete" : NULL;
}

static void forget(struct check *check) {
    for (size_t i = 0; i < check->findings.count; i++)
        check->findings.list[i].known = false;
}

bool baseline_update(struct baseline *baseline, struct check *check, const char *path) {
    size_t length;
    const char *keep = why_keep(check);
    known_findings_add(baseline, check);
    size_t unseen = baseline_unseen(baseline);
    char *text = baseline_text(baseline, keep != NULL, &length);
    bool good = text_file_replace(path, text, length);
    free(text);
    if (!good) {
        forget(check);
        return false;
    }
    message_write(stderr, "portwitness: baseline %s: %zu written, %zu added, %zu %s%s%s", path,
                  baseline->count - (keep != NULL ? 0 : unseen), baseline_added(baseline), unseen,
                  keep != NULL ? "kept" : "removed", keep != NULL && unseen > 0 ? ": " : "",
                  keep != NULL && unseen > 0 ? keep : "");
    return true;
}
