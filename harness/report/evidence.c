/* A report says what it does not know. */
#include "harness/report/evidence.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "harness/base/message.h"
#include "harness/base/names.h"
#include "harness/check/limits.h"

void evidence_note(struct evidence *evidence, const struct trace_record *record) {
    unsigned blind;

    if (record->kind != PW_KIND_BLIND_SPOT || record->numbers == NULL ||
        (record->flags & PW_FLAG_OTHERS_SEE) != 0)
        return;
    blind = record->numbers->code & 0xff;
    if (evidence->count[blind]++ == 0 && record->text != NULL)
        snprintf(evidence->program[blind], sizeof evidence->program[blind], "%s", record->text);
}

struct line {
    char text[2048];
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...) {
    size_t left = sizeof line->text - line->length;
    va_list arguments;
    int written;

    if (line->length > 0 && left > 2) {
        strcpy(line->text + line->length, ", ");
        line->length += 2;
        left -= 2;
    }
    va_start(arguments, format);
    written = vsnprintf(line->text + line->length, left, format, arguments);
    va_end(arguments);
    if (written > 0)
        line->length += (size_t)written < left ? (size_t)written : left - 1;
}

static void add_count(struct line *line, uint64_t count, const char *what) {
    if (count > 0)
        add(line, "%" PRIu64 " %s", count, what);
}

static void add_losses(struct line *line, const struct pw_header *header) {
    uint32_t stopped = atomic_load_explicit(&header->stopped, memory_order_relaxed);

    for (unsigned cause = 0; cause < PW_LOST_CAUSES; cause++) {
        uint64_t lost = atomic_load_explicit(&header->lost[cause], memory_order_relaxed);
        const char *name = name_of_loss(cause);

        if (lost > 0)
            add(line, "lost: %" PRIu64 " %s", lost, name != NULL ? name : "of an unknown cause");
    }
    if (stopped == PW_STOP_MAX_SIZE)
        add(line, "the trace reached its maximal size");
    else if (stopped == PW_STOP_DISK_FULL)
        add(line, "the disk was full");
    if (limits_is_unfinished(header))
        add(line, "lost: %s", LIMITS_UNFINISHED);
}

void evidence_write(const struct evidence *evidence, const struct trace_reader *reader,
                    const char *path, FILE *to) {
    const struct trace_counts *counts = trace_reader_counts(reader);
    struct line line = {.length = 0};

    add_count(&line, counts->torn, "torn or unfinished");
    add_count(&line, counts->blank, "blank units");
    add_count(&line, counts->orphans, "orphaned units");
    add_count(&line, counts->damaged, "damaged units");
    add_count(&line, counts->unknown, "of unknown kinds");
    add_count(&line, counts->cut, "units cut off");
    add_losses(&line, trace_reader_header(reader));
    for (unsigned blind = 0; blind < 256; blind++) {
        const char *name = name_of_blind_spot(blind);

        if (evidence->count[blind] == 0)
            continue;
        add(&line, "blind spot: %" PRIu64 " %s", evidence->count[blind],
            name != NULL ? name : "of an unknown kind");
        if (evidence->program[blind][0] != '\0')
            add(&line, "first %s", evidence->program[blind]);
    }
    if (line.length == 0)
        return;
    message_write(to, "portwitness: %s: incomplete: %s", path, line.text);
}
