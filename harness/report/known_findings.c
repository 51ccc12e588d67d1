/* A finding is known again by what is the same in each run: neither pids nor times, nor a port that
 * port 0 gave, nor a line that moves with each change above it. */
#include "harness/report/known_findings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/path_last.h"
#include "harness/base/test_name.h"
#include "harness/check/source_place.h"
#include "harness/report/finding_sides.h"
#include "harness/report/stable_text.h"

enum { TEXT_SIZE = 256 };

/* Texts that an entry points to. */
struct key {
    struct baseline_entry entry;
    char program[TEXT_SIZE];
    char command[TEXT_SIZE];
    char module[TEXT_SIZE];
    char place[TEXT_SIZE];
    char test[TEXT_SIZE];
};

/* Was the number written down somewhere, so that it is the same in each run? */
static bool is_fixed(const struct finding *finding) {
    const struct call *other = &finding->other;
    return finding->subject.requested_port != 0 && finding->assigned.process == 0 &&
           (other->process == 0 || other->requested_port != 0 || other->kind == PW_KIND_CONNECT ||
            other->endpoint.port != finding->endpoint.port);
}

/* Neither the line, nor the interpreter: one baseline does for several versions of it. */
static bool put_frame(struct key *key, const struct check *check, struct source_lines *lines,
                      const struct call *call) {
    char file[TEXT_SIZE] = "";
    if (check_frames_of(check, call) == NULL)
        return false;
    const struct source_place place = source_place_of(check, lines, call);
    if (place.file != NULL)
        stable_text(path_last(place.file), file, sizeof file);
    snprintf(key->place, sizeof key->place, "%s%s%s", place.function != NULL ? place.function : "",
             place.function != NULL && place.file != NULL ? " " : "", file);
    key->entry.place = key->place;
    return true;
}

static void put_place(struct key *key, const struct check *check, struct source_lines *lines,
                      const struct finding *finding) {
    const struct site site = side_module(check, &finding->subject, finding->subject.site);
    if (put_frame(key, check, lines, &finding->subject) || site.module == NULL)
        return;
    const struct source_line line = source_lines_find(lines, &site);
    key->entry.module = stable_text(path_last(site.module), key->module, sizeof key->module);
    if (line.function != NULL)
        snprintf(key->place, sizeof key->place, "%s%s%s", line.function,
                 line.file != NULL ? " " : "", line.file != NULL ? path_last(line.file) : "");
    else
        snprintf(key->place, sizeof key->place, "+0x%" PRIx64, site.offset);
    key->entry.place = key->place;
}

static void put_test(struct key *key, const char *name) {
    size_t length = name != NULL ? test_name_length(name) : 0;
    if (length == 0)
        return;
    snprintf(key->test, sizeof key->test, "%.*s", (int)length, name);
    key->entry.test = key->test;
}

static void make_key(struct key *key, const struct check *check, struct source_lines *lines,
                     const struct finding *finding) {
    const struct processes *processes = &check->traces[finding->subject.trace].processes;
    const struct process *process = processes_find(processes, finding->subject.process);
    const char *command = process != NULL ? process_command(processes, process) : NULL;
    *key = (struct key){
        .entry = {.finding = finding_name(finding->kind), .cause = cause_name(finding->cause)}};
    put_test(key, finding->marker);
    if (process != NULL)
        key->entry.program = stable_text(process->comm, key->program, sizeof key->program);
    if (command != NULL)
        key->entry.command = stable_text(command, key->command, sizeof key->command);
    if (finding->endpoint.protocol != 0)
        key->entry.protocol = endpoint_protocol_name(finding->endpoint.protocol);
    if (is_fixed(finding))
        key->entry.port = finding->endpoint.port;
    put_place(key, check, lines, finding);
}

static bool is_of_interest(const struct finding *finding) {
    return finding->kind < FINDING_INFERRED_RELEASE && !finding->suppressed;
}

void known_findings_mark(struct baseline *baseline, struct check *check) {
    struct source_lines *lines = source_lines_make();
    for (size_t i = 0; i < check->findings.count; i++) {
        struct finding *finding = &check->findings.list[i];
        struct key key;
        if (!is_of_interest(finding))
            continue;
        make_key(&key, check, lines, finding);
        finding->known = baseline_has(baseline, &key.entry);
    }
    source_lines_free(lines);
}

void known_findings_add(struct baseline *baseline, struct check *check) {
    struct source_lines *lines = source_lines_make();
    for (size_t i = 0; i < check->findings.count; i++) {
        struct finding *finding = &check->findings.list[i];
        struct key key;
        if (!is_of_interest(finding) || finding->severity == SEVERITY_NOTE)
            continue;
        make_key(&key, check, lines, finding);
        baseline_add(baseline, &key.entry);
        finding->known = true;
    }
    source_lines_free(lines);
}
