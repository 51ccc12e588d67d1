/* A clean verdict is worth what was seen; what was not is reported as notes. */
#include "harness/check/limits.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/base/names.h"
#include "harness/base/remedies.h"

__attribute__((format(printf, 5, 6))) static void report(struct check *check, uint32_t trace,
                                                         enum finding_kind kind, uint64_t times,
                                                         const char *format, ...) {
    char text[512];
    va_list arguments;
    if (times == 0)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct finding *finding = findings_add(&check->findings, kind);
    finding->subject.trace = trace;
    finding->times = times;
    finding->detail = memory_copy(text, strlen(text));
}

static void report_blind_spots(struct check *check, uint32_t index) {
    const struct check_trace *trace = &check->traces[index];
    for (size_t i = 0; i < trace->blind_spot_count; i++) {
        const struct check_blind_spot *spot = &trace->blind_spots[i];
        const char *name = name_of_blind_spot(spot->reason);
        const char *remedy = remedy_of_blind_spot(spot->reason, trace->header.capture);
        report(check, index, FINDING_BLIND_SPOT, spot->count, "%s%s%.300s%s%s",
               name != NULL ? name : "of an unknown kind", spot->program != NULL ? ": " : "",
               spot->program != NULL ? spot->program : "", remedy != NULL ? "; to see it: " : "",
               remedy != NULL ? remedy : "");
    }
}

bool limits_is_unfinished(const struct pw_header *header) {
    char path[64];
    char name[32] = "";
    if (header->capture == 0 || atomic_load(&header->finished) != 0)
        return false;
    snprintf(path, sizeof path, "/proc/%u/comm", header->supervisor_pid);
    FILE *file = fopen(path, "re");
    bool is_there = file != NULL && fgets(name, sizeof name, file) != NULL;
    if (file != NULL)
        fclose(file);
    return !is_there || strcmp(name, "portwitness\n") != 0;
}

static void report_losses(struct check *check, uint32_t index) {
    const struct pw_header *header = &check->traces[index].header;
    uint32_t stopped = atomic_load(&header->stopped);
    for (unsigned cause = 0; cause < PW_LOST_CAUSES; cause++) {
        const char *name = name_of_loss(cause);
        report(check, index, FINDING_LOST_RECORDS, atomic_load(&header->lost[cause]), "%s",
               name != NULL ? name : "of an unknown cause");
    }
    report(check, index, FINDING_LOST_RECORDS, stopped != PW_STOP_NONE, "%s",
           stopped == PW_STOP_MAX_SIZE ? "the trace reached its maximal size"
                                       : "the disk was full");
    report(check, index, FINDING_LOST_RECORDS, limits_is_unfinished(header), "%s",
           LIMITS_UNFINISHED);
}

static void report_damage(struct check *check, uint32_t index) {
    const struct trace_counts *counts = &check->traces[index].counts;
    report(check, index, FINDING_TORN, counts->torn, "begun and never ended");
    report(check, index, FINDING_TORN, counts->blank, "units taken and never written");
    report(check, index, FINDING_TORN, counts->orphans, "units without their beginning");
    report(check, index, FINDING_TORN, counts->damaged, "damaged units");
    report(check, index, FINDING_TORN, counts->cut, "units cut off");
    report(check, index, FINDING_TORN, counts->unknown, "records of kinds that are not known here");
    report(check, index, FINDING_TORN, check->traces[index].backwards,
           "records that end before they begin");
    report(check, index, FINDING_TORN, check->traces[index].twice,
           "processes with the serial of another");
}

void limits_report(struct check *check) {
    for (uint32_t i = 0; i < check->trace_count; i++) {
        report_blind_spots(check, i);
        report_losses(check, i);
        report_damage(check, i);
        report(check, i, FINDING_INFERRED_RELEASE, check->traces[i].inferred,
               "closes that were not seen, inferred from what came after");
    }
}
