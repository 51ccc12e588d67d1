/* The same as the text, for programs: nothing is grouped, and every key is always there, null where
 * nothing is known. */
#include "harness/report/finding_json.h"

#include <inttypes.h>
#include <string.h>

#include "harness/base/address.h"
#include "harness/base/json_line.h"
#include "harness/base/names.h"
#include "harness/base/remedies.h"
#include "harness/base/test_name.h"
#include "harness/base/without_ebpf.h"
#include "harness/check/source_place.h"
#include "harness/report/finding_sides.h"
#include "harness/report/finding_words.h"
#include "harness/report/fix.h"
#include "harness/report/frame_json.h"
#include "harness/report/headline.h"
#include "harness/report/outside_holder.h"
#include "harness/report/policy_report.h"
#include "harness/report/seen_by_json.h"
#include "harness/report/stranger_name.h"

static void set(json_t *object, const char *key, json_t *value) {
    json_object_set_new(object, key, value);
}

static json_t *endpoint_json(const struct endpoint *endpoint) {
    char address[ADDRESS_TEXT_SIZE];
    if (endpoint->protocol == 0)
        return json_null();
    json_t *object = json_object();
    set(object, "protocol", json_string(endpoint_protocol_name(endpoint->protocol)));
    set(object, "address",
        json_text_or_null(
            address_text(address, endpoint->family, endpoint->address, endpoint->scope)));
    set(object, "port", json_integer(endpoint->port));
    return object;
}

static json_t *site_json(const struct check *check, struct source_lines *lines,
                         const struct call *call, uint64_t address) {
    if (address == 0)
        return json_null();
    const struct site site = side_module(check, call, address);
    const struct source_line line = source_lines_find(lines, &site);
    json_t *object = json_object();
    set(object, "module", json_text_or_null(site.module));
    set(object, "offset", json_number(site.offset));
    set(object, "function", json_text_or_null(line.function));
    set(object, "file", json_text_or_null(line.file));
    set(object, "line", line.file != NULL ? json_integer(line.line) : json_null());
    set(object, "changed", json_boolean(line.changed));
    return object;
}

static json_t *stack_json(const struct check *check, struct source_lines *lines,
                          const struct call *call) {
    const struct check_stack *stack = check_stack_of(check, call);
    if (stack == NULL)
        return json_null();
    json_t *list = json_array();
    for (size_t i = 0; i < stack->count; i++)
        json_array_append_new(
            list,
            site_json(check, lines, call, check->traces[call->trace].addresses[stack->first + i]));
    return list;
}

static json_t *frames_json(const struct check *check, const struct call *call) {
    const struct check_frames *frames = check_frames_of(check, call);
    if (frames == NULL)
        return json_null();
    json_t *list = json_array();
    for (size_t i = 0; i < frames->count; i++)
        json_array_append_new(list, frame_json(check_frame(check, call, frames, i)));
    return list;
}

/* What the text shows: of compiled code nobody said whose it is. */
static json_t *place_json(const struct check *check, struct source_lines *lines,
                          const struct call *call) {
    const struct source_place place = source_place_of(check, lines, call);
    if (place.function == NULL && place.file == NULL)
        return json_null();
    return frame_json((struct frame_text){
        .file = place.file, .function = place.function, .line = place.line, .of = place.of});
}

static const char *thread_name(const struct check *check, const struct call *call) {
    const struct check_frames *frames = check_frames_of(check, call);
    return frames != NULL ? strings_first(&check->traces[call->trace].strings, frames->thread)
                          : NULL;
}

static json_t *error_json(unsigned error) {
    const char *name = name_of_error(error);
    if (error == 0)
        return json_null();
    return name != NULL ? json_string(name) : json_sprintf("errno-%u", error);
}

static json_t *call_side_json(const struct check *check, struct source_lines *lines,
                              const struct call *call) {
    if (call->process == 0)
        return json_null();
    const struct check_trace *trace = &check->traces[call->trace];
    const struct process *process = processes_find(&trace->processes, call->process);
    const char *command = process != NULL ? process_command(&trace->processes, process) : NULL;
    json_t *object = json_object();
    set(object, "trace", json_text_or_null(trace->path));
    set(object, "seq", json_number(call->unit));
    set(object, "pid", json_number_or_null(process != NULL ? process->pid : 0));
    set(object, "comm",
        json_text_or_null(process != NULL && process->comm[0] != '\0' ? process->comm : NULL));
    set(object, "command", json_text_or_null(command));
    set(object, "kind", json_text_or_null(name_of_kind(call->kind)));
    set(object, "call", json_text_or_null(name_of_call(call->call)));
    set(object, "endpoint", endpoint_json(&call->endpoint));
    set(object, "peer", endpoint_json(&call->peer));
    set(object, "requested_port", json_integer(call->requested_port));
    set(object, "error", error_json(call->error));
    set(object, "begin_ns", json_number(call->begin_ns));
    set(object, "end_ns", json_number(call->end_ns));
    set(object, "place", place_json(check, lines, call));
    set(object, "frames", frames_json(check, call));
    set(object, "thread_name", json_text_or_null(thread_name(check, call)));
    set(object, "site", site_json(check, lines, call, call->site));
    set(object, "stack", stack_json(check, lines, call));
    set(object, "error_inferred", json_boolean(call->error != 0 && call->is_inferred));
    set(object, "seen_by", seen_by_json(process));
    stranger_add_json(object, process);
    return object;
}

/* A process of a trace: pid, comm and command. */
static json_t *process_json(const struct check *check, uint32_t trace, uint64_t serial) {
    const struct processes *processes = &check->traces[trace].processes;
    const struct process *process = processes_find(processes, serial);
    if (process == NULL)
        return json_null();
    json_t *object = json_object();
    set(object, "pid", json_number_or_null(process->pid));
    set(object, "comm", json_text_or_null(process->comm[0] != '\0' ? process->comm : NULL));
    set(object, "command", json_text_or_null(process_command(processes, process)));
    set(object, "seen_by", seen_by_json(process));
    return object;
}

/* The holder in the trace: whoever has the socket, which another may have bound. */
static void add_recorded_holder(json_t *object, const struct check *check,
                                const struct finding *finding) {
    const struct call *other = &finding->other;
    uint64_t holder = finding->held_by != 0 ? finding->held_by : other->process;
    const struct processes *processes = &check->traces[other->trace].processes;
    const struct process *process = processes_find(processes, holder);
    set(object, "pid", json_number_or_null(process != NULL ? process->pid : 0));
    set(object, "uid", json_null());
    set(object, "command",
        json_text_or_null(process != NULL ? process_command(processes, process) : NULL));
    set(object, "started_ns", json_null());
    set(object, "since_ns",
        json_number_or_null(finding->held_since_ns != 0 ? finding->held_since_ns : other->end_ns));
    set(object, "endpoint", endpoint_json(&other->endpoint));
}

static json_t *holder_json(const struct check *check, const struct finding *finding) {
    static const char *const sources[] = {[HOLDER_NOT_ASKED] = NULL,
                                          [HOLDER_TRACE] = "trace",
                                          [HOLDER_TABLE] = "kernel-table",
                                          [HOLDER_TIME_WAIT] = "time-wait",
                                          [HOLDER_NOBODY] = "nobody-seen"};
    const struct table_holder *table = &finding->table;
    bool asked = finding->holder == HOLDER_TABLE;
    if (finding->holder == HOLDER_NOT_ASKED)
        return json_null();
    json_t *object = json_object();
    set(object, "source", json_text_or_null(sources[finding->holder]));
    set(object, "how", json_text_or_null(holder_how_name(finding->how)));
    if (finding->other.process != 0 && finding->holder == HOLDER_TRACE) {
        add_recorded_holder(object, check, finding);
    } else {
        set(object, "pid", json_number_or_null(asked ? table->pid : 0));
        set(object, "uid",
            asked && table->uid != UINT32_MAX ? json_integer(table->uid) : json_null());
        set(object, "command", json_text_or_null(asked ? table->command : NULL));
        set(object, "started_ns", json_number_or_null(asked ? table->start_time : 0));
        set(object, "since_ns", json_null());
        set(object, "endpoint", asked ? endpoint_json(&table->endpoint) : json_null());
    }
    set(object, "bound_by", process_json(check, finding->other.trace, finding->other.process));
    set(object, "binder_ended_ns", json_number_or_null(finding->binder_ended_ns));
    outside_holder_add_json(object, check, finding);
    return object;
}

static void set_test(json_t *object, const char *test, const char *worker, const char *marker) {
    size_t length = 0;
    const char *by = marker != NULL ? test_name_worker(marker, &length) : NULL;
    set(object, test, json_text_or_null(marker));
    set(object, worker, length > 0 ? json_text(by, length) : json_null());
}

static json_t *finding_json(const struct check *check, struct source_lines *lines,
                            const struct finding *finding) {
    uint64_t window = finding_window_ns(finding);
    char fix[FIX_TEXT_SIZE];
    json_t *object = json_object();
    set(object, "kind", json_string(finding_name(finding->kind)));
    set(object, "severity", json_string(severity_name(finding->severity)));
    set(object, "cause", json_text_or_null(cause_name(finding->cause)));
    set(object, "certain", json_boolean(finding->certainty == CERTAIN));
    set(object, "suppressed", json_boolean(finding->suppressed));
    set(object, "baseline", json_boolean(finding->known));
    set(object, "endpoint", endpoint_json(&finding->endpoint));
    set(object, "netns", json_number_or_null(finding->netns));
    set(object, "times", json_number(finding->times));
    set(object, "subject", call_side_json(check, lines, &finding->subject));
    set(object, "assigned", call_side_json(check, lines, &finding->assigned));
    set(object, "released_ns",
        json_number_or_null(finding->release_inferred ? 0 : finding->released_to_ns));
    set(object, "window_ns", json_number_or_null(window));
    set(object, "window_kept", json_boolean(window != 0 && finding->subject.was_kept));
    set(object, "other", call_side_json(check, lines, &finding->other));
    set(object, "other_assigned", call_side_json(check, lines, &finding->other_assigned));
    set(object, "holder", holder_json(check, finding));
    set(object, "instead", call_side_json(check, lines, &finding->instead));
    set(object, "status", finding->status >= 0 ? json_integer(finding->status) : json_null());
    set(object, "range",
        finding->range_high != 0
            ? json_pack("[i,i]", (int)finding->range_low, (int)finding->range_high)
            : json_null());
    set(object, "reserved",
        finding->range_high != 0 ? json_integer(finding->reserved) : json_null());
    set(object, "held", finding->range_high != 0 ? json_integer(finding->held) : json_null());
    set(object, "connections",
        finding->range_high != 0 ? json_integer(finding->connections) : json_null());
    set(object, "time_wait",
        finding->range_high != 0 ? json_integer(finding->time_wait) : json_null());
    set(object, "range_user", process_json(check, finding->subject.trace, finding->range_user));
    set(object, "range_user_ports",
        finding->range_user != 0 ? json_integer(finding->range_user_ports) : json_null());
    set_test(object, "test", "worker", finding->marker);
    set_test(object, "assigned_test", "assigned_worker", finding->assigned_marker);
    set_test(object, "other_test", "other_worker", finding->other_marker);
    set_test(object, "other_assigned_test", "other_assigned_worker",
             finding->other_assigned_marker);
    set(object, "detail", json_text_or_null(finding->detail));
    set(object, "variable", json_text_or_null(finding->variable));
    set(object, "fix", json_text_or_null(fix_of(check, finding, fix)));
    return object;
}

/* A trace a row. */
static json_t *without_ebpf_json(const struct check *check) {
    json_t *list = json_array();
    for (size_t i = 0; i < check->trace_count; i++) {
        const char *cause = without_ebpf_cause(&check->traces[i].header);
        if (cause == NULL)
            continue;
        json_t *object = json_object();
        set(object, "trace", json_text_or_null(check->traces[i].path));
        set(object, "cause", json_text_or_null(cause));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *evidence_json(const struct check *check) {
    uint64_t records = 0, torn = 0, blank = 0, lost = 0, processes = 0, inferred = 0;
    json_t *spots = json_array();
    for (size_t i = 0; i < check->trace_count; i++) {
        const struct check_trace *trace = &check->traces[i];
        records += trace->counts.records;
        torn += trace->counts.torn;
        blank += trace->counts.blank;
        processes += trace->processes.count;
        inferred += trace->inferred;
        for (unsigned cause = 0; cause < PW_LOST_CAUSES; cause++)
            lost += atomic_load(&trace->header.lost[cause]);
        for (size_t j = 0; j < trace->blind_spot_count; j++) {
            json_t *spot = json_object();
            set(spot, "trace", json_text_or_null(trace->path));
            set(spot, "reason",
                json_text_or_null(name_of_blind_spot(trace->blind_spots[j].reason)));
            set(spot, "program", json_text_or_null(trace->blind_spots[j].program));
            set(spot, "count", json_number(trace->blind_spots[j].count));
            set(spot, "remedy",
                json_text_or_null(
                    remedy_of_blind_spot(trace->blind_spots[j].reason, trace->header.capture)));
            json_array_append_new(spots, spot);
        }
    }
    json_t *object = json_object();
    set(object, "complete", json_boolean(!check_is_incomplete(check)));
    set(object, "records", json_number(records));
    set(object, "torn", json_number(torn));
    set(object, "blank", json_number(blank));
    set(object, "lost", json_number(lost));
    set(object, "inferred", json_number(inferred));
    set(object, "processes", json_number(processes));
    set(object, "blind_spots", spots);
    set(object, "without_ebpf", without_ebpf_json(check));
    return object;
}

static json_t *policies_json(const struct check *check) {
    json_t *list = json_array();
    for (size_t i = 0; i < check->trace_count; i++) {
        json_t *object =
            policy_report_json(check->traces[i].header.policy, &check->traces[i].policy);
        set(object, "trace", json_text_or_null(check->traces[i].path));
        json_array_append_new(list, object);
    }
    return list;
}

void finding_json_write(const struct check *check, const struct suppressions *suppressions,
                        const struct baseline *baseline, FILE *to) {
    char headline[HEADLINE_SIZE];
    struct source_lines *lines = source_lines_make();
    json_t *list = json_array();
    json_t *unused = json_array();
    json_t *object = json_object();
    for (size_t i = 0; i < check->findings.count; i++)
        json_array_append_new(list, finding_json(check, lines, &check->findings.list[i]));
    for (size_t i = 0; i < suppressions->count; i++)
        if (suppressions->list[i].used == 0)
            json_array_append_new(unused, json_text_or_null(suppressions->list[i].text));
    set(object, "verdict", json_string(check_verdict_name(check_verdict(check))));
    set(object, "headline", json_text_or_null(headline_text(check, headline) ? headline : NULL));
    set(object, "findings", list);
    set(object, "evidence", evidence_json(check));
    set(object, "unused_suppressions", unused);
    set(object, "baseline_unseen",
        baseline != NULL ? json_number(baseline_unseen(baseline)) : json_null());
    set(object, "policies", policies_json(check));
    json_dumpf(object, to, JSON_COMPACT);
    fputc('\n', to);
    json_decref(object);
    source_lines_free(lines);
}
