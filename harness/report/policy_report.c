/* A report that did not say that the ports were chosen would be taken for what the kernel does. */
#include "harness/report/policy_report.h"

#include <inttypes.h>
#include <string.h>

#include "harness/base/json_line.h"
#include "harness/base/message.h"
#include "shim/shared/keep_ask.h"
#include "shim/shared/policy_space.h"

struct row {
    unsigned what; /* enum pw_policy_count; of those of `keep`, enum pw_keep_count */
    const char *key;
    const char *text; /* behind the number */
    const char *one;  /* behind the number 1, where that differs */
    uint64_t unit;    /* the text's, where it is not that of the JSON */
};

static const struct row rows[] = {
    {PW_POLICY_CHOSEN, "chosen", "ports chosen", "port chosen", 1},
    {PW_POLICY_LEFT, "left", "left to the kernel (no port to give)", NULL, 1},
    {PW_POLICY_MET, "met", "met another or a taken port", NULL, 1},
    {PW_POLICY_RECYCLED, "recycled", "given again whose number had not been read", NULL, 1},
    {PW_POLICY_EARLY, "early", "given before their time, the oldest first", NULL, 1},
    {PW_POLICY_REFUSED, "refused", "numbers refused by the kernel", "number refused by the kernel",
     1},
    {PW_POLICY_BY_NUMBER, "by_number", "bound by number (SOCK_BINDPORT_LOCK)", NULL, 1},
    {PW_POLICY_OUTSIDE, "outside", "outside the range, which was full", NULL, 1},
    {PW_POLICY_OWN_RANGE, "own_range", "with a range of the program's own left alone", NULL, 1},
    {PW_POLICY_NO_ROOM, "no_room", "in namespaces or protocols it does not reach", NULL, 1},
    {PW_POLICY_WAITED, "waited", "binds waited to see their port taken",
     "bind waited to see its port taken", 1},
    {PW_POLICY_VAIN_NS, "waited_for_nobody_ns", "ms waited for nobody (2000 at most)", NULL,
     1000000},
    {PW_POLICY_UNGIVABLE, "outside_range_released",
     "released outside the local port range, which cannot be given for port 0", NULL, 1},
    {PW_POLICY_UNPLACED, "unplaced", "processes placed by their arrival",
     "process placed by its arrival", 1},
};

static const struct row keep_rows[] = {
    {PW_KEEP_KEPT, "kept", "ports kept", "port kept", 1},
    {PW_KEEP_HANDED, "kept_bound", "of them bound by number", NULL, 1},
    {PW_KEEP_EXPIRED, "kept_expired", "released, as nobody bound them in time",
     "released, as nobody bound it in time", 1},
    {PW_KEEP_GIVEN_UP, "kept_given_up", "given up to make room, the oldest first", NULL, 1},
    {PW_KEEP_NOT_KEPT, "not_kept", "not kept", NULL, 1},
    {PW_KEEP_REFUSED, "kept_refused", "refused to programs that it does not reach, then released",
     "refused to a program that it does not reach, then released", 1},
    {PW_KEEP_UNANSWERED, "unanswered", "questions that the keeper did not answer in time",
     "question that the keeper did not answer in time", 1},
    {PW_KEEP_ENDED, "keeper_ended", "keeper ended early: nothing was kept from then on", NULL, 1},
};

void policy_report_now(struct policy_work *work) {
    const struct pw_policy_area *area = policy_area();
    *work = (struct policy_work){.config = {.kind = PW_POLICY_KERNEL}};
    if (area == NULL)
        return;
    work->config = *policy_config();
    for (unsigned i = 0; i < PW_POLICY_COUNTS; i++)
        work->count[i] = atomic_load(&area->count[i]);
    const struct pw_keep_area *keep = keep_area();
    for (unsigned i = 0; keep != NULL && i < PW_KEEP_COUNTS; i++)
        work->keep[i] = atomic_load(&keep->count[i]);
}

struct writing {
    char text[1024];
    size_t used;
};

/* The first of the rows is written even where there is none. */
static void write_rows(struct writing *writing, const struct row *from, size_t most,
                       const uint64_t *counts) {
    for (size_t i = 0; i < most; i++) {
        uint64_t count = counts[from[i].what];
        size_t used = writing->used;
        if ((count == 0 && i > 0) || used >= sizeof writing->text)
            continue;
        count = (count + from[i].unit - 1) / from[i].unit;
        const char *words = count == 1 && from[i].one != NULL ? from[i].one : from[i].text;
        int length = snprintf(writing->text + used, sizeof writing->text - used, "%s%" PRIu64 " %s",
                              used > 0 ? ", " : "", count, words);
        writing->used += length > 0 ? (size_t)length : 0;
    }
}

void policy_report_write(const char *trace, const char *policy, const struct policy_work *work,
                         FILE *to) {
    struct writing writing = {.used = 0};
    if (strcmp(policy, "kernel") == 0 || *policy == '\0')
        return;
    bool keeps = work->config.kind == PW_POLICY_KEEP;
    if (keeps)
        write_rows(&writing, keep_rows, sizeof keep_rows / sizeof *keep_rows, work->keep);
    if (!keeps || work->config.low != 0)
        write_rows(&writing, rows, sizeof rows / sizeof *rows, work->count);
    if (work->beyond > 0 && writing.used < sizeof writing.text)
        snprintf(writing.text + writing.used, sizeof writing.text - writing.used,
                 ", %" PRIu64 " program%s seen by eBPF alone left to the kernel (--capture=seccomp "
                 "reaches %s)",
                 work->beyond, plural(work->beyond), work->beyond == 1 ? "it" : "them");
    message_write(to, "portwitness: %s%spolicy %s: %s", trace != NULL ? trace : "",
                  trace != NULL ? ": " : "", policy, writing.text);
}

static void set_rows(json_t *object, const struct row *from, size_t most, const uint64_t *counts) {
    for (size_t i = 0; i < most; i++)
        json_object_set_new(object, from[i].key, json_number(counts[from[i].what]));
}

json_t *policy_report_json(const char *policy, const struct policy_work *work) {
    json_t *object = json_object();
    json_object_set_new(object, "policy", json_text_or_null(policy));
    json_object_set_new(object, "seed",
                        work->config.kind == PW_POLICY_SEEDED ? json_number(work->config.seed)
                                                              : json_null());
    set_rows(object, rows, sizeof rows / sizeof *rows, work->count);
    if (work->config.kind == PW_POLICY_KEEP)
        set_rows(object, keep_rows, sizeof keep_rows / sizeof *keep_rows, work->keep);
    return object;
}
