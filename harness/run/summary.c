/* The numbers come from the trace itself, read as it was written, so what stands here is what
 * `portwitness ports` will find. */
#include "harness/run/summary.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/base/message.h"
#include "harness/base/names.h"
#include "harness/base/remedies.h"
#include "harness/base/without_ebpf.h"
#include "harness/report/policy_report.h"

enum { BLIND_SHOWN = 4, NAME_SHOWN = 100, LIVING_SHOWN = 1000 };

static void add_blind_spot(struct summary *summary, const struct trace_record *record) {
    const char *name = record->text != NULL ? record->text : "";
    for (size_t i = 0; i < summary->blind_count; i++)
        if (summary->blind[i].reason == record->numbers->code &&
            strcmp(summary->blind[i].name, name) == 0)
            return;
    if (summary->blind_count == SUMMARY_BLIND_MAX) {
        summary->blind_more++;
        return;
    }
    summary->blind[summary->blind_count].reason = record->numbers->code;
    summary->blind[summary->blind_count++].name = memory_copy(name, strlen(name));
}

static void add_stranger(struct summary *summary, const struct trace_record *record) {
    summary->strangers++;
    map_put(&summary->is_stranger, record->process, 1);
}

void summary_add(struct summary *summary, const struct trace_record *record) {
    if (summary->strangers > 0 && map_get(&summary->is_stranger, record->process) != MAP_NONE)
        return;
    if (record->kind == PW_KIND_PROCESS_START && (record->flags & PW_FLAG_STRANGER) != 0) {
        add_stranger(summary, record);
        return;
    }
    seen_programs_note(&summary->seen, record);
    if ((record->flags & PW_FLAG_PORT_ZERO) != 0 && record->socket != NULL) {
        summary->requests++;
        if ((record->flags & PW_FLAG_HAS_ASSIGNED) != 0 && record->socket->assigned_port != 0)
            summary->assigned++;
    }
    if (record->kind == PW_KIND_PROCESS_START) {
        summary->by_kernel += record->source == PW_SOURCE_KERNEL;
        summary->beyond +=
            record->source == PW_SOURCE_KERNEL && (record->flags & PW_FLAG_BY_FORK) == 0;
        summary->by_supervisor += record->source == PW_SOURCE_SUPERVISOR;
        if ((record->flags & PW_FLAG_BY_FORK) != 0)
            summary->forks++;
        else
            summary->programs++;
    }
    if (record->kind == PW_KIND_BLIND_SPOT && record->numbers != NULL &&
        (record->flags & PW_FLAG_OTHERS_SEE) == 0)
        add_blind_spot(summary, record);
}

/* Names come from file names: keep a line one line. */
static void print_name(const char *name, size_t most, FILE *out) {
    for (size_t i = 0; i < most && name[i] != '\0'; i++)
        fputc(iscntrl((unsigned char)name[i]) ? '?' : name[i], out);
}

static void print_means(uint64_t count, const char *means, FILE *out) {
    if (count > 0)
        fprintf(out, ", %" PRIu64 " by %s alone", count, means);
}

/* Where there are blind spots, on the line behind what would remove them. */
static void print_without_ebpf(const char *cause, const char *before, FILE *out) {
    char text[WITHOUT_EBPF_BYTES];
    if (*cause != '\0' && without_ebpf_text(cause, text)) {
        fputs(before, out);
        print_name(text, sizeof text, out);
    }
}

static void print_programs(const struct summary *summary, const char *no_ebpf, FILE *out) {
    fprintf(out, "portwitness: %" PRIu64 " program%s and %" PRIu64 " fork%s seen",
            summary->programs, plural(summary->programs), summary->forks, plural(summary->forks));
    print_means(summary->by_kernel, "eBPF", out);
    print_means(summary->by_supervisor, "seccomp", out);
    if (summary->strangers > 0)
        fprintf(out, ", and %" PRIu64 " of the machine's", summary->strangers);
    uint64_t count = summary->blind_count + summary->blind_more;
    if (count == 0) {
        fputs(", no blind spots", out);
        print_without_ebpf(no_ebpf, "; ", out);
        fputc('\n', out);
        return;
    }
    fprintf(out, ", %" PRIu64 " blind spot%s: ", count, plural(count));
    for (size_t i = 0; i < summary->blind_count && i < BLIND_SHOWN; i++) {
        const char *reason = name_of_blind_spot(summary->blind[i].reason);
        fputs(i > 0 ? ", " : "", out);
        print_name(summary->blind[i].name, NAME_SHOWN, out);
        fprintf(out, " (%s)", reason != NULL ? reason : "reason not known");
    }
    if (count > BLIND_SHOWN)
        fprintf(out, " and %" PRIu64 " more", count - BLIND_SHOWN);
    fputc('\n', out);
}

/* Each once, with the reason of the first that it would help, where there are several. */
static void print_remedies(const struct summary *summary, const char *no_ebpf, unsigned capture,
                           FILE *out) {
    const char *found[SUMMARY_BLIND_MAX];
    unsigned reasons[SUMMARY_BLIND_MAX];
    size_t count = 0;
    for (size_t i = 0; i < summary->blind_count; i++) {
        const char *remedy = remedy_of_blind_spot(summary->blind[i].reason, capture);
        size_t known = 0;
        while (remedy != NULL && known < count && strcmp(found[known], remedy) != 0)
            known++;
        if (remedy == NULL || known < count)
            continue;
        reasons[count] = summary->blind[i].reason;
        found[count++] = remedy;
    }
    for (size_t i = 0; i < count; i++) {
        fputs(i > 0                      ? "; "
              : summary->blind_count > 1 ? "portwitness: to see them: "
                                         : "portwitness: to see it: ",
              out);
        if (count > 1)
            fprintf(out, "%s: ", name_of_blind_spot(reasons[i]));
        fputs(found[i], out);
    }
    if (count > 0)
        fputc('\n', out);
    if (summary->blind_count == 0 || *no_ebpf == '\0')
        return;
    print_without_ebpf(no_ebpf, "portwitness: ", out);
    fputc('\n', out);
}

static bool is_of_records(unsigned cause) {
    return cause <= PW_LOST_NOT_POPULATED; /* the first ones */
}

/* Behind `before` the causes of loss that are of records, or all others. */
static void print_causes(const struct pw_header *header, bool of_records, const char *before,
                         FILE *out) {
    for (unsigned cause = 0; cause < PW_LOST_CAUSES; cause++) {
        uint64_t count = atomic_load(&header->lost[cause]);
        const char *name = name_of_loss(cause);
        if (count == 0 || is_of_records(cause) != of_records)
            continue;
        fprintf(out, "%s%s (%" PRIu64 ")", before, name != NULL ? name : "cause not known", count);
        before = ", ";
    }
}

static void print_losses(const struct summary *summary, const struct pw_header *header, FILE *out) {
    uint64_t records = 0;
    for (unsigned cause = PW_LOST_MAX_SIZE; cause <= PW_LOST_NOT_POPULATED; cause++) {
        uint64_t count = atomic_load(&header->lost[cause]);
        records = count < UINT64_MAX - records ? records + count : UINT64_MAX;
    }
    fprintf(out, "portwitness: %" PRIu64 " record%s lost", records, plural(records));
    print_causes(header, true, ": ", out);
    fprintf(out, "; %" PRIu64 " torn", summary->torn);
    if (summary->blank > 0)
        fprintf(out, ", %" PRIu64 " blank", summary->blank);
    print_causes(header, false, "; also missing: ", out);
    fputc('\n', out);
}

void summary_print(struct summary *summary, const struct pw_header *header, const char *policy,
                   const char *living, const char *no_ebpf, const char *trace, FILE *out) {
    fprintf(out, "portwitness: %" PRIu64 " port-0 request%s, %" PRIu64 " port%s assigned\n",
            summary->requests, plural(summary->requests), summary->assigned,
            plural(summary->assigned));
    print_programs(summary, no_ebpf, out);
    seen_programs_print(&summary->seen, out);
    unnotified_print(&summary->unnotified, out);
    if (summary->by_table > 0)
        fprintf(out,
                "portwitness: %" PRIu64
                " program%s seen by the kernel's table of sockets, since no "
                "descriptor may be taken from %s (pidfd_getfd): no policy reaches %s, options and "
                "some errors are not known; in a container --cap-add SYS_PTRACE allows it\n",
                summary->by_table, plural(summary->by_table),
                summary->by_table == 1 ? "it" : "them", summary->by_table == 1 ? "it" : "them");
    if (summary->unprivileged > 0)
        fprintf(out,
                "portwitness: %" PRIu64
                " program%s could gain no privileges (no_new_privs), so that "
                "%s seen\n",
                summary->unprivileged, plural(summary->unprivileged),
                summary->unprivileged == 1 ? "it is" : "they are");
    print_remedies(summary, no_ebpf, header->capture, out);
    print_losses(summary, header, out);
    struct policy_work work;
    policy_report_now(&work);
    work.beyond = summary->beyond;
    policy_report_write(NULL, policy, &work, out);
    if (*living != '\0') {
        fputs("portwitness: still running: ", out);
        print_name(living, LIVING_SHOWN, out);
        fputc('\n', out);
    }
    summary_print_name(trace, out);
}

void summary_print_name(const char *trace, FILE *out) {
    message_write(out, "portwitness: %s", trace);
}

void summary_free(struct summary *summary) {
    for (size_t i = 0; i < summary->blind_count; i++)
        free(summary->blind[i].name);
    map_free(&summary->is_stranger);
    seen_programs_free(&summary->seen);
    *summary = (struct summary){0};
}
