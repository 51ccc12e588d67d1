/* Each cause has another remedy, so none may stand for another. */
#include "harness/run/unnotified.h"

#include <errno.h>
#include <inttypes.h>

#include "harness/base/message.h"
#include "harness/base/names.h"
#include "harness/base/remedies.h"

/* PW_NOTIFY_WATCHED is not among them: most are under our own filter already. */
static const struct {
    enum pw_notify_count what;
    const char *one, *many;
    const char *call; /* whose errno is known */
    int usual;        /* ... which need not be said */
} causes[] = {
    {PW_NOTIFY_NOT_TAKEN, "no descriptor may be taken from it",
     "no descriptor may be taken from them", "pidfd_getfd", EPERM},
    {PW_NOTIFY_OTHER_USER, "it is another user's, from whom no descriptor may be taken",
     "they are another user's, from whom no descriptor may be taken", "pidfd_getfd", EPERM},
    {PW_NOTIFY_OTHER_PIDS, "it is in another PID namespace", "they are in another PID namespace",
     NULL, 0},
    {PW_NOTIFY_NO_PROC, "it has no /proc", "they have no /proc", NULL, 0},
    {PW_NOTIFY_NO_ROOM_LEFT, "there was no descriptor left for it",
     "there was no descriptor left for them", "EMFILE", EMFILE},
    {PW_NOTIFY_FULL, "too many others were watched", "too many others were watched", NULL, 0},
    {PW_NOTIFY_NOT_ALLOWED, "it was refused the filter", "they were refused the filter", "seccomp",
     0},
    {PW_NOTIFY_UNANSWERED, "it was not answered in time", "they were not answered in time", NULL,
     0},
    {PW_NOTIFY_ABANDONED, "its filter was left without anybody who answers, so its binds fail",
     "their filters were left without anybody who answers, so their binds fail", NULL, 0},
};

enum { CAUSES = sizeof causes / sizeof *causes };

void unnotified_read(struct unnotified *unnotified, const struct notify_supervisor *supervisor) {
    *unnotified = (struct unnotified){0};
    for (unsigned i = 0; supervisor != NULL && i < PW_NOTIFY_COUNTS; i++) {
        unnotified->count[i] = notify_count(supervisor, (enum pw_notify_count)i);
        unnotified->error[i] = notify_error(supervisor, (enum pw_notify_count)i);
    }
}

uint64_t unnotified_sum(const struct unnotified *unnotified) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < CAUSES; i++)
        sum += unnotified->count[causes[i].what];
    return sum;
}

static void print_call(const char *call, int error, int usual, FILE *out) {
    const char *name = error != 0 && error != usual ? name_of_error(error) : NULL;
    if (call != NULL)
        fprintf(out, name != NULL ? " (%s: %s)" : " (%s)", call, name);
}

static void print_cause(const struct unnotified *unnotified, unsigned cause, FILE *out) {
    unsigned what = causes[cause].what;
    uint64_t count = unnotified->count[what];
    const char *remedy = remedy_of_refusal(what);
    fprintf(out, "portwitness: %" PRIu64 " program%s not seen: %s", count, plural(count),
            count == 1 ? causes[cause].one : causes[cause].many);
    print_call(causes[cause].call, unnotified->error[what], causes[cause].usual, out);
    if (remedy != NULL)
        fprintf(out, "; %s", remedy);
    fputc('\n', out);
}

void unnotified_print(const struct unnotified *unnotified, FILE *out) {
    uint64_t foreign = unnotified->count[PW_NOTIFY_FOREIGN];
    for (unsigned i = 0; i < CAUSES; i++)
        if (unnotified->count[causes[i].what] > 0)
            print_cause(unnotified, i, out);
    if (foreign > 0)
        fprintf(out,
                "portwitness: %" PRIu64 " listener%s of a filter not taken: named by a program "
                "that had not just installed it\n",
                foreign, plural(foreign));
}
