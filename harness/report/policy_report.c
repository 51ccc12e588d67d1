/* A report that did not say that the ports were chosen would be taken for what the kernel does. */
#include "harness/report/policy_report.h"

#include <inttypes.h>
#include <string.h>

#include "harness/base/json_line.h"
#include "harness/base/message.h"
#include "shim/shared/policy_space.h"

static const struct {
    enum pw_policy_count what;
    const char *key;
    const char *text; /* behind the number */
    const char *one;  /* behind the number 1, where that differs */
    uint64_t unit;    /* the text's, where it is not that of the JSON */
} rows[] = {
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

void policy_report_now(struct policy_work *work) {
    const struct pw_policy_area *area = policy_area();
    *work = (struct policy_work){.config = {.kind = PW_POLICY_KERNEL}};
    if (area == NULL)
        return;
    work->config = *policy_config();
    for (unsigned i = 0; i < PW_POLICY_COUNTS; i++)
        work->count[i] = atomic_load(&area->count[i]);
}

void policy_report_write(const char *trace, const char *policy, const struct policy_work *work,
                         FILE *to) {
    char text[1024];
    size_t used = 0;
    if (strcmp(policy, "kernel") == 0 || *policy == '\0')
        return;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t count = work->count[rows[i].what];
        if ((count == 0 && rows[i].what != PW_POLICY_CHOSEN) || used >= sizeof text)
            continue;
        count = (count + rows[i].unit - 1) / rows[i].unit;
        const char *words = count == 1 && rows[i].one != NULL ? rows[i].one : rows[i].text;
        int length = snprintf(text + used, sizeof text - used, "%s%" PRIu64 " %s",
                              used > 0 ? ", " : "", count, words);
        used += length > 0 ? (size_t)length : 0;
    }
    if (work->beyond > 0 && used < sizeof text)
        snprintf(text + used, sizeof text - used,
                 ", %" PRIu64 " program%s seen by eBPF alone left to the kernel (--capture=seccomp "
                 "reaches %s)",
                 work->beyond, plural(work->beyond), work->beyond == 1 ? "it" : "them");
    message_write(to, "portwitness: %s%spolicy %s: %s", trace != NULL ? trace : "",
                  trace != NULL ? ": " : "", policy, text);
}

json_t *policy_report_json(const char *policy, const struct policy_work *work) {
    json_t *object = json_object();
    json_object_set_new(object, "policy", json_text_or_null(policy));
    json_object_set_new(object, "seed",
                        work->config.kind == PW_POLICY_SEEDED ? json_number(work->config.seed)
                                                              : json_null());
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        json_object_set_new(object, rows[i].key, json_number(work->count[rows[i].what]));
    return object;
}
