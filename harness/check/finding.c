/* The names of findings are part of the command line and of the JSON form: new ones are added, old
 * ones stay. */
#include "harness/check/finding.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/map.h"
#include "harness/base/memory.h"

static const struct {
    const char *name;
    enum severity severity;
    enum finding_cause cause; /* as a rule */
} kinds[FINDING_KINDS] = {
    [FINDING_LOST_RACE] = {"lost-race", SEVERITY_ERROR, CAUSE_RELEASED_NUMBER},
    [FINDING_DOUBLE_HAND_OUT] = {"double-hand-out", SEVERITY_ERROR, CAUSE_RELEASED_NUMBER},
    [FINDING_COLLISION] = {"collision", SEVERITY_ERROR, CAUSE_NONE},
    [FINDING_MODEL_DISAGREEMENT] = {"model-disagreement", SEVERITY_ERROR, CAUSE_NONE},
    [FINDING_RACE_WINDOW] = {"race-window", SEVERITY_HAZARD, CAUSE_RELEASED_NUMBER},
    [FINDING_ADDRESS_IN_USE] = {"address-in-use", SEVERITY_HAZARD, CAUSE_FIXED_NUMBER},
    [FINDING_REUSE_TRAP] = {"reuse-trap", SEVERITY_HAZARD, CAUSE_TCP_REUSEADDR},
    [FINDING_SELF_CONNECT] = {"self-connect", SEVERITY_HAZARD, CAUSE_SELF_CONNECT},
    [FINDING_STALE_PORT_CONNECT] = {"stale-port-connect", SEVERITY_HAZARD, CAUSE_RELEASED_NUMBER},
    [FINDING_EXHAUSTED] = {"exhausted", SEVERITY_HAZARD, CAUSE_RANGE_FULL},
    [FINDING_SHARED_PORT] = {"shared-port", SEVERITY_HAZARD, CAUSE_REUSEPORT},
    [FINDING_LEFTOVER_PROCESS] = {"leftover-process", SEVERITY_HAZARD, CAUSE_LEFTOVER_PROCESS},
    [FINDING_INFERRED_RELEASE] = {"inferred-release", SEVERITY_NOTE, CAUSE_NONE},
    [FINDING_BLIND_SPOT] = {"blind-spot", SEVERITY_NOTE, CAUSE_NONE},
    [FINDING_LOST_RECORDS] = {"lost-records", SEVERITY_NOTE, CAUSE_NONE},
    [FINDING_TORN] = {"torn", SEVERITY_NOTE, CAUSE_NONE},
};

bool finding_counts(const struct finding *finding) {
    return !finding->suppressed && !finding->known;
}

const char *finding_name(enum finding_kind kind) { return kinds[kind].name; }

enum finding_kind finding_kind_of(const char *name) {
    enum finding_kind kind = 0;
    while (kind < FINDING_KINDS && strcmp(kinds[kind].name, name) != 0)
        kind++;
    return kind;
}

const char *holder_how_name(enum holder_how how) {
    static const char *const names[] = {
        [HOW_NOT_KNOWN] = NULL,        [HOW_BOUND] = "bound",       [HOW_INHERITED] = "inherited",
        [HOW_PASSED] = "passed",       [HOW_ACCEPTED] = "accepted", [HOW_CONNECTION] = "connection",
        [HOW_TIME_WAIT] = "time-wait", [HOW_OUTSIDE] = "outside"};
    return names[how];
}

const char *severity_name(enum severity severity) {
    static const char *const names[] = {
        [SEVERITY_NOTE] = "note", [SEVERITY_HAZARD] = "hazard", [SEVERITY_ERROR] = "error"};
    return names[severity];
}

struct finding *findings_add(struct findings *findings, enum finding_kind kind) {
    findings->list =
        memory_grow(findings->list, &findings->room, findings->count + 1, sizeof *findings->list);
    struct finding *finding = &findings->list[findings->count++];
    *finding = (struct finding){.kind = kind,
                                .severity = kinds[kind].severity,
                                .cause = kinds[kind].cause,
                                .status = -1,
                                .times = 1};
    return finding;
}

bool call_is_self_connect(const struct call *call) {
    return call->peer.protocol != 0 && call->peer.port == call->endpoint.port &&
           memcmp(call->peer.address, call->endpoint.address, sizeof call->peer.address) == 0;
}

void finding_free(struct finding *finding) {
    table_holder_free(&finding->table);
    free(finding->marker);
    free(finding->assigned_marker);
    free(finding->other_marker);
    free(finding->other_assigned_marker);
    free(finding->instead_marker);
    free(finding->variable);
    free(finding->detail);
}

static uint64_t place_of(const struct call *call) {
    return (uint64_t)call->trace << 48 | call->unit;
}

/* The self-connects that other findings report, by the place of the call. */
static struct map told_by_others(const struct findings *findings) {
    struct map told = {0};
    for (size_t i = 0; i < findings->count; i++)
        if (findings->list[i].cause == CAUSE_SELF_CONNECT &&
            findings->list[i].kind != FINDING_SELF_CONNECT)
            map_put(&told, place_of(&findings->list[i].other), 1);
    return told;
}

void findings_merge_self_connects(struct findings *findings) {
    struct map told = told_by_others(findings);
    size_t kept = 0;
    for (size_t i = 0; i < findings->count; i++) {
        struct finding finding = findings->list[i];
        if (finding.kind == FINDING_SELF_CONNECT &&
            map_get(&told, place_of(&finding.subject)) != MAP_NONE)
            finding_free(&finding);
        else
            findings->list[kept++] = finding;
    }
    findings->count = kept;
    map_free(&told);
}

/* What a process failed of it did last, as a rule. */
static int nearest_to_failure(const struct finding *a, const struct finding *b) {
    if ((a->status > 0) != (b->status > 0))
        return a->status > 0 ? -1 : 1;
    if (a->status > 0 && a->ns != b->ns)
        return a->ns > b->ns ? -1 : 1;
    return 0;
}

static int in_order(const void *one, const void *other) {
    const struct finding *a = one;
    const struct finding *b = other;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    int nearest = nearest_to_failure(a, b);
    if (nearest != 0)
        return nearest;
    if (a->ns != b->ns)
        return a->ns < b->ns ? -1 : 1;
    if (a->subject.trace != b->subject.trace)
        return a->subject.trace < b->subject.trace ? -1 : 1;
    if (a->subject.unit != b->subject.unit)
        return a->subject.unit < b->subject.unit ? -1 : 1;
    return (int)a->kind - (int)b->kind;
}

void findings_sort(struct findings *findings) {
    if (findings->count > 1)
        qsort(findings->list, findings->count, sizeof *findings->list, in_order);
}

static char *own(const char *text) { return text != NULL ? memory_copy(text, strlen(text)) : NULL; }

void table_holder_own(struct table_holder *holder) {
    holder->command = own(holder->command);
    holder->folder = own(holder->folder);
    holder->user = own(holder->user);
    holder->control_group = own(holder->control_group);
}

void table_holder_free(struct table_holder *holder) {
    free(holder->command);
    free(holder->folder);
    free(holder->user);
    free(holder->control_group);
}

void findings_free(struct findings *findings) {
    for (size_t i = 0; i < findings->count; i++)
        finding_free(&findings->list[i]);
    free(findings->list);
    *findings = (struct findings){0};
}
