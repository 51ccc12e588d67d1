/* All findings, those alike counted behind the first, and what they come to. */
#include "harness/report/finding_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/map.h"
#include "harness/base/memory.h"
#include "harness/base/message.h"
#include "harness/base/without_ebpf.h"
#include "harness/check/source_place.h"
#include "harness/report/finding_short.h"
#include "harness/report/finding_sides.h"
#include "harness/report/finding_text.h"
#include "harness/report/headline.h"
#include "harness/report/policy_report.h"
#include "harness/report/test_list.h"

#define RULE "=================="

/* Names of tests that stand in a line without --verbose. */
enum { TESTS_WIDTH = 240 };

static void write_finding(const struct finding_writer *writing, const struct finding *finding,
                          bool verbose) {
    message_write(writing->to, RULE);
    finding_text_head(writing, finding);
    if (verbose)
        finding_text_full(writing, finding);
    else
        finding_short_write(writing, finding);
    finding_text_summary(writing, finding);
}

static bool same_text(const char *one, const char *other) {
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

static bool same_site(const struct check *check, const struct call *one, uint64_t address,
                      const struct call *other, uint64_t other_address) {
    const struct site first = side_module(check, one, address);
    const struct site second = side_module(check, other, other_address);
    return first.offset == second.offset && same_text(first.module, second.module);
}

static bool has_frames(const struct check *check, const struct call *call) {
    return check_frames_of(check, call) != NULL;
}

/* From the same line of the user's, else from the same place, and, where stacks were recorded, by
 * way of the same calls. */
static bool same_place(const struct check *check, const struct call *one,
                       const struct call *other) {
    if (has_frames(check, one) || has_frames(check, other))
        return source_place_is_frame_of_both(check, one, other);
    const struct check_stack *first = check_stack_of(check, one);
    const struct check_stack *second = check_stack_of(check, other);
    if (first == NULL || second == NULL)
        return first == second && same_site(check, one, one->site, other, other->site);
    bool same = first->count == second->count;
    for (size_t i = 0; same && i < first->count; i++)
        same = same_site(check, one, check->traces[one->trace].addresses[first->first + i], other,
                         check->traces[other->trace].addresses[second->first + i]);
    return same;
}

static bool same_program(const struct check *check, const struct call *one,
                         const struct call *other) {
    const struct processes *first = &check->traces[one->trace].processes;
    const struct processes *second = &check->traces[other->trace].processes;
    const struct process *a = processes_find(first, one->process);
    const struct process *b = processes_find(second, other->process);
    return a != NULL && b != NULL && strcmp(a->comm, b->comm) == 0 &&
           same_text(process_command(first, a), process_command(second, b));
}

/* It is the line that picked the number which is to be changed. Where it is not known, as in
 * compiled code, it is as good as any. */
static bool same_picker(const struct check *check, const struct call *one,
                        const struct call *other) {
    bool any = (one->process != 0 && has_frames(check, one)) ||
               (other->process != 0 && has_frames(check, other));
    return !any || source_place_is_frame_of_both(check, one, other);
}

/* One line of a helper fails in many tests; without lines, each test may have one of its own. */
static bool same_test(const struct check *check, const struct finding *one,
                      const struct finding *other) {
    return same_text(one->marker, other->marker) || has_frames(check, &one->subject);
}

/* Does one fix do for both, and what is said of the first hold of both? */
static bool is_alike(const struct check *check, const struct finding *one,
                     const struct finding *other) {
    return one->kind == other->kind && one->severity == other->severity &&
           one->certainty == other->certainty && one->cause == other->cause &&
           one->subject.was_kept == other->subject.was_kept && same_test(check, one, other) &&
           same_program(check, &one->subject, &other->subject) &&
           same_place(check, &one->subject, &other->subject) &&
           same_picker(check, &one->assigned, &other->assigned);
}

static void write_more(const struct finding_writer *writing, const struct finding *first,
                       uint64_t more, const char *ports, const char *tests) {
    if (more == 0)
        return;
    message_write(writing->to, "And %" PRIu64 " more %s like it: ports %s", more,
                  finding_name(first->kind), ports);
    if (tests[0] != '\0')
        message_write(writing->to, "  in tests %s", tests);
}

static uint64_t add_text(uint64_t hash, const char *text) {
    for (; text != NULL && *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash * UINT64_C(0x9e3779b97f4a7c15);
}

/* Equal for those that are alike. */
static uint64_t hash_of(const struct check *check, const struct finding *finding) {
    const struct call *call = &finding->subject;
    const struct processes *processes = &check->traces[call->trace].processes;
    const struct process *process = processes_find(processes, call->process);
    const struct check_stack *stack = check_stack_of(check, call);
    const struct check_frames *frames = check_frames_of(check, call);
    uint64_t hash = (uint64_t)finding->kind << 32 | (uint64_t)finding->cause << 8 |
                    (uint64_t)finding->severity << 4 | (uint64_t)finding->certainty;
    if (process != NULL)
        hash = add_text(add_text(hash, process->comm), process_command(processes, process));
    if (frames != NULL) {
        const struct frame_text frame = check_frame(check, call, frames, frames->nearest);
        return add_text(add_text(hash, frame.file), frame.function) ^ frame.line;
    }
    hash = add_text(hash, finding->marker);
    return hash ^ (stack != NULL ? stack->count : side_module(check, call, call->site).offset);
}

/* Of each finding that is to be written the next one that may be like it, SIZE_MAX for none. */
static size_t *link_alike(const struct check *check) {
    const struct findings *findings = &check->findings;
    size_t room = 0;
    struct map next_of_hash = {0};
    size_t *next = memory_grow(NULL, &room, findings->count + 1, sizeof *next);
    for (size_t i = findings->count; i-- > 0;) {
        if (findings->list[i].kind >= FINDING_INFERRED_RELEASE ||
            !finding_counts(&findings->list[i]))
            continue;
        uint64_t hash = hash_of(check, &findings->list[i]);
        uint32_t known = map_get(&next_of_hash, hash);
        next[i] = known != MAP_NONE ? known : SIZE_MAX;
        map_put(&next_of_hash, hash, (uint32_t)i);
    }
    map_free(&next_of_hash);
    return next;
}

static void write_group(const struct finding_writer *writing, const size_t *next, bool *done,
                        size_t first, bool verbose) {
    const struct findings *findings = &writing->check->findings;
    struct test_list tests = {.width = verbose ? TEST_LIST_SIZE : TESTS_WIDTH};
    char ports[200] = "";
    size_t used = 0;
    uint64_t more = 0;
    test_list_add(&tests, &findings->list[first]);
    write_finding(writing, &findings->list[first], verbose);
    for (size_t i = next[first]; i != SIZE_MAX; i = next[i]) {
        const struct finding *finding = &findings->list[i];
        if (done[i] || !is_alike(writing->check, finding, &findings->list[first]))
            continue;
        done[i] = true;
        test_list_add(&tests, finding);
        if (used + 16 < sizeof ports)
            used += (size_t)snprintf(ports + used, sizeof ports - used, "%s%u",
                                     more > 0 ? ", " : "", finding->endpoint.port);
        else if (strcmp(ports + used - 3, "...") != 0)
            used += (size_t)snprintf(ports + used, sizeof ports - used, ", ...");
        more++;
    }
    write_more(writing, &findings->list[first], more, ports, test_list_text(&tests));
    test_list_free(&tests);
}

static void write_policies(const struct finding_writer *writing) {
    const struct check *check = writing->check;
    for (size_t i = 0; i < check->trace_count; i++)
        policy_report_write(check->trace_count > 1 ? check->traces[i].path : NULL,
                            check->traces[i].header.policy, &check->traces[i].policy, writing->to);
}

static void write_limits(const struct finding_writer *writing) {
    const struct findings *findings = &writing->check->findings;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        if (finding->kind < FINDING_INFERRED_RELEASE)
            continue;
        message_write(writing->to, "not seen: %s: %" PRIu64 " %s: %s",
                      writing->check->traces[finding->subject.trace].path, finding->times,
                      finding_name(finding->kind), finding->detail);
    }
}

/* Of the first trace that was made without eBPF: no verdict is said without it. */
static void without_ebpf(const struct check *check, char rest[WITHOUT_EBPF_BYTES + 64]) {
    char text[WITHOUT_EBPF_BYTES];
    size_t count = 0;
    const char *cause = NULL;
    for (size_t i = 0; i < check->trace_count; i++) {
        const char *of_trace = without_ebpf_cause(&check->traces[i].header);
        cause = cause == NULL ? of_trace : cause;
        count += of_trace != NULL;
    }
    rest[0] = '\0';
    if (!without_ebpf_text(cause, text))
        return;
    if (count == check->trace_count)
        snprintf(rest, WITHOUT_EBPF_BYTES + 64, "; %s", text);
    else
        snprintf(rest, WITHOUT_EBPF_BYTES + 64, "; in %zu of %zu traces %s", count,
                 check->trace_count, text);
}

/* Where nothing was found the headline is the verdict. */
static void write_last(const struct finding_writer *writing, const char *counts) {
    static const enum colour colours[] = {[VERDICT_CLEAN] = COLOUR_GREEN,
                                          [VERDICT_INCOMPLETE] = COLOUR_YELLOW,
                                          [VERDICT_HAZARDS] = COLOUR_YELLOW,
                                          [VERDICT_FINDINGS] = COLOUR_RED};
    enum check_verdict verdict = check_verdict(writing->check);
    char headline[HEADLINE_SIZE];
    char rest[WITHOUT_EBPF_BYTES + 64];
    bool any = headline_text(writing->check, headline);
    without_ebpf(writing->check, rest);
    if (any && verdict == VERDICT_INCOMPLETE) {
        finding_heading_write(writing, COLOUR_YELLOW, "portwitness:", " %s (%s)%s", headline,
                              counts, rest);
        return;
    }
    if (any)
        finding_heading_write(writing, COLOUR_YELLOW, "portwitness:", " %s", headline);
    finding_heading_write(writing, colours[verdict], "portwitness:", " %s%s", counts, rest);
}

static void write_verdict(const struct finding_writer *writing,
                          const struct suppressions *suppressions,
                          const struct baseline *baseline) {
    const struct findings *findings = &writing->check->findings;
    uint64_t count[SEVERITY_ERROR + 1] = {0};
    uint64_t suppressed = 0;
    uint64_t known = 0;
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->list[i].suppressed)
            suppressed++;
        else if (findings->list[i].known)
            known++;
        else if (findings->list[i].kind < FINDING_INFERRED_RELEASE)
            count[findings->list[i].severity]++;
    }
    for (size_t i = 0; i < suppressions->count; i++)
        if (suppressions->list[i].used == 0)
            message_write(writing->to, "unused suppression, line %u: %s",
                          suppressions->list[i].line, suppressions->list[i].text);
    if (known > 0)
        message_write(writing->to, "portwitness: %" PRIu64 " known finding%s (baseline)", known,
                      plural(known));
    if (baseline_unseen(baseline) > 0)
        message_write(writing->to, "portwitness: %zu of the baseline %s not seen",
                      baseline_unseen(baseline), baseline_unseen(baseline) == 1 ? "was" : "were");
    char counts[200];
    snprintf(counts, sizeof counts,
             "%s: %" PRIu64 " error%s, %" PRIu64 " hazard%s, %" PRIu64 " note%s, %" PRIu64
             " suppressed",
             check_verdict_name(check_verdict(writing->check)), count[SEVERITY_ERROR],
             plural(count[SEVERITY_ERROR]), count[SEVERITY_HAZARD], plural(count[SEVERITY_HAZARD]),
             count[SEVERITY_NOTE], plural(count[SEVERITY_NOTE]), suppressed);
    write_last(writing, counts);
}

void finding_list_write(const struct check *check, const struct suppressions *suppressions,
                        const struct baseline *baseline,
                        const struct finding_list_options *options) {
    const struct findings *findings = &check->findings;
    struct finding_writer writing = {
        .check = check, .lines = source_lines_make(), .colour = options->colour, .to = options->to};
    bool *done = memory_zeroed(findings->count + 1, sizeof *done);
    size_t *next = link_alike(check);
    bool any = false;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        if (finding->kind >= FINDING_INFERRED_RELEASE || !finding_counts(finding) || done[i])
            continue;
        any = true;
        if (options->all)
            write_finding(&writing, finding, options->verbose);
        else
            write_group(&writing, next, done, i, options->verbose);
    }
    if (any)
        message_write(options->to, RULE);
    if (!options->quiet)
        write_limits(&writing);
    if (!options->quiet || any)
        write_policies(&writing);
    if (!options->quiet || any || headline_is_urgent(check))
        write_verdict(&writing, suppressions, baseline);
    free(done);
    free(next);
    source_lines_free(writing.lines);
}
