/* A trace may hold ten million records, of which a few matter. It is read up to four times: which
 * ports were ever asked for by number, which sockets had them, what those did, and where the calls
 * of findings were made. Memory goes by what matters and by processes. */
#include "harness/check/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/base/message.h"
#include "harness/check/detectors/detectors.h"
#include "harness/check/evidence_sites.h"
#include "harness/check/framework_tests.h"
#include "harness/check/limits.h"
#include "harness/check/markers.h"
#include "harness/check/prescan.h"
#include "harness/check/proofs.h"
#include "harness/check/stranger_findings.h"

enum { PASS_PORTS = 1, PASS_SOCKETS, PASS_LIVES, PASS_SITES = MACHINE_PLACES };

_Static_assert(PASS_LIVES < PASS_SITES, "places are read last");

struct first_pass {
    struct machine *machine;
    struct selection *selection;
    struct prescan *prescan;
};

static void take_first(void *with, const struct trace_record *record) {
    struct first_pass *pass = with;
    selection_note_ports(pass->selection, pass->machine, record);
    prescan_note(pass->prescan, record);
    if (record->committed && record->end_ns < record->begin_ns)
        pass->machine->check->traces[MACHINE_TRACE(record->unit)].backwards++;
}

static void take_second(void *with, const struct trace_record *record) {
    selection_note_sockets(with, record);
}

struct third_pass {
    struct history *history;
    const struct selection *selection;
};

static void take_third(void *with, const struct trace_record *record) {
    const struct third_pass *pass = with;
    history_note(pass->history, pass->selection, record);
}

static void detect(struct machine *machine, struct selection *selection) {
    struct findings *findings = &machine->check->findings;
    struct third_pass pass = {history_make(machine), selection};
    machine_read(machine, PASS_SOCKETS, take_second, selection);
    machine_read(machine, PASS_LIVES, take_third, &pass);
    history_finish(pass.history);
    proofs_find(pass.history);
    detect_claims(pass.history, findings);
    detect_probes(pass.history, findings);
    detect_other_namespaces(pass.history, findings);
    detect_refusals(pass.history, findings);
    detect_shared_ports(pass.history, findings);
    detect_stale_connections(pass.history, findings);
    detect_collisions(pass.history, findings);
    detect_impossible_answers(pass.history, findings);
    detect_leftovers(pass.history, findings);
    markers_name_tests(pass.history, findings);
    history_free(pass.history);
}

/* Findings name processes by the serials of their own traces. */
static void make_local(struct finding *finding) {
    struct call *const calls[] = {&finding->subject, &finding->assigned, &finding->other,
                                  &finding->other_assigned, &finding->instead};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        calls[i]->process = MACHINE_LOCAL(calls[i]->process);
    finding->held_by = MACHINE_LOCAL(finding->held_by);
    finding->range_user = MACHINE_LOCAL(finding->range_user);
}

static void check_machine(struct machine *machine) {
    struct check *check = machine->check;
    size_t before = check->findings.count;
    struct first_pass first = {machine, selection_make(), prescan_make(check)};
    machine->passes = PASS_SITES;
    machine_read(machine, PASS_PORTS, take_first, &first);
    prescan_report(first.prescan);
    prescan_free(first.prescan);
    if (first.selection->any || check->findings.count != before)
        detect(machine, first.selection);
    selection_free(first.selection);
    stranger_findings_leave_out(machine, &check->findings, before);
    evidence_sites_read(machine, PASS_SITES);
    framework_tests_name(check, before);
    annotate_findings(machine, &check->findings);
    for (size_t i = before; i < check->findings.count; i++)
        make_local(&check->findings.list[i]);
    machine_free(machine);
}

bool check_is_same_machine(const struct check_trace *one, const struct check_trace *other) {
    return memcmp(one->header.boot_id, other->header.boot_id, sizeof one->header.boot_id) == 0 &&
           strncmp(one->header.host_id, other->header.host_id, sizeof one->header.host_id) == 0;
}

static void check_machines(struct check *check, struct trace_reader **readers,
                           check_progress *progress, void *with) {
    size_t room = 0;
    size_t done_room = 0;
    uint32_t *members = memory_grow(NULL, &room, check->trace_count, sizeof *members);
    bool *done = memory_grow(NULL, &done_room, check->trace_count, sizeof *done);
    memset(done, 0, check->trace_count * sizeof *done);
    for (uint32_t first = 0; first < check->trace_count; first++) {
        struct machine machine = {.check = check,
                                  .members = members,
                                  .readers = readers,
                                  .progress = progress,
                                  .with = with};
        for (uint32_t i = first; i < check->trace_count; i++)
            if (!done[i] && check_is_same_machine(&check->traces[first], &check->traces[i])) {
                members[machine.count++] = i;
                done[i] = true;
            }
        if (machine.count > 0)
            check_machine(&machine);
    }
    free(members);
    free(done);
}

static bool open_traces(struct check *check, const char *const *paths, size_t count,
                        struct trace_reader **readers) {
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        struct trace_reader_problem problem;
        check->traces[i].path = paths[i];
        readers[i] = trace_reader_open(paths[i], &problem);
        if (readers[i] != NULL)
            memcpy(&check->traces[i].header, trace_reader_header(readers[i]),
                   sizeof check->traces[i].header);
        else
            complain(NULL, "%s: %s", paths[i], problem.what);
        good = good && readers[i] != NULL;
    }
    return good;
}

bool check_run(struct check *check, const char *const *paths, size_t count,
               check_progress *progress, void *with) {
    size_t room = 0;
    size_t trace_room = 0;
    struct trace_reader **readers = memory_grow(NULL, &room, count + 1, sizeof *readers);
    memset(readers, 0, room * sizeof *readers);
    check->traces = memory_grow(NULL, &trace_room, count + 1, sizeof *check->traces);
    memset(check->traces, 0, trace_room * sizeof *check->traces);
    check->trace_count = count;
    bool good = open_traces(check, paths, count, readers);
    if (good)
        check_machines(check, readers, progress, with);
    for (size_t i = 0; i < count; i++) {
        if (good) {
            memcpy(&check->traces[i].header, trace_reader_header(readers[i]),
                   sizeof check->traces[i].header);
            trace_reader_policy(readers[i], &check->traces[i].policy);
        }
        trace_reader_close(readers[i]);
    }
    free(readers);
    if (!good)
        return false;
    limits_report(check);
    findings_merge_self_connects(&check->findings);
    findings_sort(&check->findings);
    return true;
}

bool check_is_incomplete(const struct check *check) {
    for (size_t i = 0; i < check->findings.count; i++)
        if (check->findings.list[i].kind >= FINDING_INFERRED_RELEASE)
            return true;
    return false;
}

enum check_verdict check_verdict(const struct check *check) {
    enum check_verdict verdict = check_is_incomplete(check) ? VERDICT_INCOMPLETE : VERDICT_CLEAN;
    for (size_t i = 0; i < check->findings.count; i++) {
        const struct finding *finding = &check->findings.list[i];
        if (!finding_counts(finding))
            continue;
        if (finding->severity == SEVERITY_ERROR)
            return VERDICT_FINDINGS;
        if (finding->severity == SEVERITY_HAZARD)
            verdict = VERDICT_HAZARDS;
    }
    return verdict;
}

const char *check_verdict_name(enum check_verdict verdict) {
    static const char *const names[] = {[VERDICT_CLEAN] = "clean",
                                        [VERDICT_INCOMPLETE] = "incomplete",
                                        [VERDICT_HAZARDS] = "hazards",
                                        [VERDICT_FINDINGS] = "findings"};
    return names[verdict];
}

void check_free(struct check *check) {
    for (size_t i = 0; i < check->trace_count; i++) {
        struct check_trace *trace = &check->traces[i];
        processes_free(&trace->processes);
        modules_free(&trace->modules);
        for (size_t j = 0; j < trace->blind_spot_count; j++) {
            free(trace->blind_spots[j].program);
            for (size_t k = 0; k < trace->blind_spots[j].program_count; k++)
                free(trace->blind_spots[j].programs[k]);
        }
        free(trace->blind_spots);
        free(trace->stacks);
        free(trace->frames);
        free(trace->frame_list);
        strings_free(&trace->strings);
        free(trace->addresses);
    }
    free(check->traces);
    findings_free(&check->findings);
    *check = (struct check){0};
}
