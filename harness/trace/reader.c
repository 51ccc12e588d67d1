/* Walks the units of a trace. Everything is copied out with pread, so a file that is cut while we
 * read it yields a count and not SIGBUS, and every field is checked before it is used. */
#include "harness/trace/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/trace/header.h"
#include "harness/trace/layout.h"
#include "harness/trace/read_ahead.h"

#define RANGES_FEW 64u

/* Units [from, to). */
struct range {
    uint64_t from;
    uint64_t to;
};

struct ranges {
    struct range *list;
    size_t count;
    size_t room;
};

struct trace_reader {
    int file;
    struct pw_header header;
    struct trace_counts counts;
    bool tailing;
    trace_reader_open_record *show_open;
    void *show_with;
    bool in_round;
    uint64_t held;  /* whole units in the file */
    uint64_t limit; /* where the round's new units end */
    uint64_t seen;  /* up to here units were looked at once */
    uint64_t cut;   /* taken units beyond the file's end */
    struct range now;
    struct ranges again; /* what this round looks at once more */
    size_t again_done;
    struct ranges later; /* what the next round has to look at */
    struct trace_window *window;
    struct read_ahead *ahead; /* NULL: none in this round, or */
    bool may_ahead;           /* not yet */
    _Alignas(uint64_t) char text[PW_RECORD_UNITS_MAX * PW_TEXT_BYTES + 1];
};

struct trace_reader *trace_reader_open(const char *path, struct trace_reader_problem *problem) {
    struct trace_reader *reader = calloc(1, sizeof *reader);
    struct stat status;

    if (reader == NULL) {
        snprintf(problem->what, sizeof problem->what, "cannot be read: %s", strerror(ENOMEM));
        return NULL;
    }
    /* O_NONBLOCK: a FIFO is refused below instead of being waited for. */
    reader->file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    reader->window = window_make();
    if (reader->file < 0 || reader->window == NULL || fstat(reader->file, &status) != 0) {
        snprintf(problem->what, sizeof problem->what, "cannot be opened: %s", strerror(errno));
    } else if (S_ISDIR(status.st_mode)) {
        snprintf(problem->what, sizeof problem->what, "is a folder, not a trace");
    } else if (!S_ISREG(status.st_mode)) {
        snprintf(problem->what, sizeof problem->what, "is not a regular file");
    } else if (header_check(reader->file, status.st_size, &reader->header, problem)) {
        return reader;
    }
    trace_reader_close(reader);
    return NULL;
}

void trace_reader_close(struct trace_reader *reader) {
    if (reader == NULL)
        return;
    read_ahead_stop(reader->ahead);
    if (reader->file >= 0)
        close(reader->file);
    window_free(reader->window);
    free(reader->again.list);
    free(reader->later.list);
    free(reader);
}

void trace_reader_tail(struct trace_reader *reader, bool tailing) { reader->tailing = tailing; }

void trace_reader_show_open(struct trace_reader *reader, trace_reader_open_record *show,
                            void *with) {
    reader->show_open = show;
    reader->show_with = with;
}

const struct pw_header *trace_reader_header(const struct trace_reader *reader) {
    return &reader->header;
}

void trace_reader_policy(const struct trace_reader *reader, struct policy_work *work) {
    off_t offset = reader->header.policy_offset;
    uint64_t count[PW_POLICY_COUNTS] = {0};

    memset(work, 0, sizeof *work);
    if (reader->header.policy_size < sizeof(struct pw_policy_area))
        return;
    header_read_at(reader->file, &work->config, sizeof work->config, offset);
    header_read_at(reader->file, count, sizeof count,
                   offset + (off_t)offsetof(struct pw_policy_area, count));
    memcpy(work->count, count, sizeof count);
    if (work->config.kind == PW_POLICY_KEEP)
        header_read_at(reader->file, work->keep, sizeof work->keep,
                       offset + (off_t)(PW_KEEP_OFFSET + offsetof(struct pw_keep_area, count)));
}

bool trace_reader_is_cut(const struct trace_reader *reader) {
    struct stat status;

    return fstat(reader->file, &status) == 0 && (uint64_t)status.st_size < reader->header.capacity;
}

const struct trace_counts *trace_reader_counts(const struct trace_reader *reader) {
    return &reader->counts;
}

static void begin_range(struct trace_reader *reader, uint64_t from, uint64_t to) {
    read_ahead_stop(reader->ahead);
    reader->ahead = NULL;
    reader->may_ahead = !reader->tailing;
    reader->now = (struct range){from, to};
    reader->in_round = true;
}

static void end_round(struct trace_reader *reader) {
    read_ahead_stop(reader->ahead);
    reader->ahead = NULL;
    reader->in_round = false;
}

void trace_reader_rewind(struct trace_reader *reader) {
    memset(&reader->counts, 0, sizeof reader->counts);
    reader->counts.cut = reader->cut;
    reader->again.count = reader->again_done = reader->later.count = 0;
    begin_range(reader, 0, reader->limit);
}

/* Takes a fresh look at the header and at the file's size. The fields that never change keep the
 * values that were checked when the trace was opened. */
static void refresh(struct trace_reader *reader) {
    struct pw_header fresh;
    struct stat status;
    uint64_t taken;

    if (header_read_at(reader->file, &fresh, sizeof fresh, 0) == sizeof fresh) {
        const size_t changing = offsetof(struct pw_header, next_unit);

        memcpy((char *)&reader->header + changing, (char *)&fresh + changing,
               sizeof fresh - changing);
    }
    reader->held = 0;
    if (fstat(reader->file, &status) == 0 && status.st_size > (off_t)reader->header.units_offset)
        reader->held = ((uint64_t)status.st_size - reader->header.units_offset) / PW_UNIT_SIZE;
    taken = header_units_taken(&reader->header);
    reader->limit = taken < reader->held ? taken : reader->held;
    reader->cut = taken - reader->limit;
    reader->counts.cut = reader->cut;
}

static void start_round(struct trace_reader *reader) {
    struct ranges finished = reader->again;

    reader->again = reader->later;
    reader->again_done = 0;
    reader->later = finished;
    reader->later.count = 0;
    refresh(reader);
    begin_range(reader, reader->seen, reader->limit > reader->seen ? reader->limit : reader->seen);
    reader->seen = reader->now.to;
    reader->window->to = reader->window->from = 0; /* what was copied before is stale */
}

/* Moves on to the next range of this round: the new units first, then the older ones. */
static bool next_range(struct trace_reader *reader) {
    if (reader->again_done == reader->again.count)
        return false;
    reader->now = reader->again.list[reader->again_done++];
    return true;
}

/* Remembers units to be looked at in the next round. Where there is no memory for it they are
 * counted as blank: reported, if too early. */
static void look_again(struct trace_reader *reader, uint64_t from, uint64_t to) {
    struct ranges *later = &reader->later;

    if (later->count == later->room) {
        size_t room = later->room > 0 ? 2 * later->room : 64;
        struct range *list = reallocarray(later->list, room, sizeof *list);

        if (list == NULL) {
            reader->counts.blank += to - from;
            return;
        }
        later->list = list;
        later->room = room;
    }
    /* One range where a record may lie across the border of two. */
    if (later->count > 0 && later->list[later->count - 1].to == from)
        later->list[later->count - 1].to = to;
    else
        later->list[later->count++] = (struct range){from, to};
}

/* Takes a window that was read ahead. Of what grows, or is looked at once more, none is. */
static bool was_ahead(struct trace_reader *reader, uint64_t from, uint64_t count) {
    if (reader->may_ahead) {
        reader->may_ahead = false;
        reader->ahead = read_ahead_start(reader->file, (off_t)reader->header.units_offset, from,
                                         reader->now.to);
    }
    return reader->ahead != NULL && read_ahead_take(reader->ahead, &reader->window, from, count);
}

/* Reads the window anew, so that it holds `count` units from `from` on. false, with the range ended
 * there and the rest counted, where the file has become shorter. */
static bool window_fill(struct trace_reader *reader, uint64_t from, uint64_t count) {
    uint64_t want = reader->now.to - from;

    if (was_ahead(reader, from, count))
        return true;
    /* Many ranges are many neighbours, as a rule: they share a window. */
    if (reader->again_done > 0 && reader->again.count > RANGES_FEW && reader->seen > from)
        want = reader->seen - from;
    if (want > WINDOW_UNITS)
        want = WINDOW_UNITS;
    window_read(reader->window, reader->file, (off_t)reader->header.units_offset, from, want);
    if (reader->window->to >= from + count)
        return true;
    reader->counts.cut += reader->now.to - from;
    reader->now.to = from;
    return false;
}

/* Makes the window hold `count` units from `from` on, within the current range; as window_fill. It
 * does so already, as a rule. */
static inline bool window_hold(struct trace_reader *reader, uint64_t from, uint64_t count) {
    return (from >= reader->window->from && from + count <= reader->window->to) ||
           window_fill(reader, from, count);
}

static uint32_t window_tag(const struct trace_reader *reader, uint64_t unit) {
    return PW_HEAD_TAG(reader->window->units[unit - reader->window->from].text.head);
}

static void skip(struct trace_reader *reader, uint64_t *counter) {
    ++*counter;
    reader->now.from++;
}

/* A blank unit: its writer is between taking the record and storing anything, or died there. The
 * units behind it, up to the next start, may be the same record's. */
static void pass_blank(struct trace_reader *reader) {
    uint64_t from = reader->now.from;
    uint64_t unit = from + 1;
    uint64_t left = reader->now.to - from;

    if (!reader->tailing) {
        skip(reader, &reader->counts.blank);
        return;
    }
    /* A run that the window's end cut in two could cut a record in two as well. */
    if (!window_hold(reader, from, left < WINDOW_UNITS ? left : WINDOW_UNITS))
        return;
    while (unit < reader->window->to && unit < reader->now.to &&
           PW_HEAD_TAG(reader->window->heads[unit - reader->window->from]) != PW_TAG_START)
        unit++;
    look_again(reader, from, unit);
    reader->now.from = unit;
}

/* Are the units behind the start at the current place its own? Of a record that was only begun some
 * may be blank still. */
static bool continues(const struct trace_reader *reader, unsigned count, bool committed) {
    for (unsigned i = 1; i < count; i++) {
        uint32_t head =
            reader->window->units[reader->now.from + i - reader->window->from].text.head;
        uint32_t tag = window_tag(reader, reader->now.from + i);

        if (tag == PW_TAG_CONTINUATION && PW_HEAD_COUNT(head) == i)
            continue;
        if (tag != PW_TAG_BLANK || committed)
            return false;
    }
    return true;
}

/* The record that starts at the current place. true if it is one to hand out. */
static bool take_record(struct trace_reader *reader, struct trace_record *record) {
    uint64_t from = reader->now.from;
    uint32_t head = reader->window->heads[from - reader->window->from];
    unsigned count = PW_HEAD_COUNT(head);
    bool committed = PW_HEAD_STATE(head) == PW_STATE_COMMITTED;

    if (count == 0 || count > PW_RECORD_UNITS_MAX || PW_HEAD_KIND(head) == 0 ||
        (!committed && PW_HEAD_STATE(head) != PW_STATE_BEGUN)) {
        skip(reader, &reader->counts.damaged);
        return false;
    }
    if (from + count > reader->now.to) {
        uint64_t *counter = reader->cut > 0 ? &reader->counts.cut : &reader->counts.damaged;

        skip(reader, counter);
        return false;
    }
    if (!window_hold(reader, from, count))
        return false;
    if (!continues(reader, count, committed)) {
        skip(reader, &reader->counts.damaged);
        return false;
    }
    reader->now.from += count;
    if (!committed && reader->tailing) {
        const struct pw_start *start = &reader->window->units[from - reader->window->from].start;

        if (reader->show_open != NULL)
            reader->show_open(reader->show_with, PW_HEAD_KIND(head), start->process,
                              start->begin_ns);
        look_again(reader, from, from + count);
        return false;
    }
    if (PW_HEAD_KIND(head) >= PW_KIND_END) {
        reader->counts.unknown++;
        return false;
    }
    layout_decode(record, head, from, &reader->window->units[from - reader->window->from],
                  reader->text);
    if (committed)
        reader->counts.records++;
    else
        reader->counts.torn++;
    return true;
}

/* Where the file holds data again, at or behind a unit; the unit itself where that is not known.
 */
static uint64_t next_held(const struct trace_reader *reader, uint64_t unit) {
    off_t offset = (off_t)(reader->header.units_offset + unit * PW_UNIT_SIZE);
    struct stat status;
    off_t data = lseek(reader->file, offset, SEEK_DATA);

    if (data < 0 && errno == ENXIO && fstat(reader->file, &status) == 0 && status.st_size > offset)
        data = status.st_size;
    return data > offset ? ((uint64_t)data - reader->header.units_offset) / PW_UNIT_SIZE : unit;
}

/* The header's word for how many units are taken may be far off: what the file does not hold at all
 * is blank, and is passed in one step. Its last units are looked at as others are, since a record
 * may begin among them. */
static bool pass_hole(struct trace_reader *reader) {
    uint64_t from = reader->now.from;
    uint64_t to;

    if (from >= reader->window->from && from < reader->window->to)
        return false;
    to = next_held(reader, from);
    if (to > reader->now.to)
        to = reader->now.to;
    if (to < from + 2 * PW_RECORD_UNITS_MAX)
        return false;
    to -= PW_RECORD_UNITS_MAX;
    if (reader->tailing)
        look_again(reader, from, to);
    else
        reader->counts.blank += to - from;
    reader->now.from = to;
    return true;
}

enum trace_next trace_reader_next(struct trace_reader *reader, struct trace_record *record) {
    if (!reader->in_round)
        start_round(reader);
    for (;;) {
        if (reader->now.from >= reader->now.to) {
            if (next_range(reader))
                continue;
            end_round(reader);
            return TRACE_NEXT_END;
        }
        if (pass_hole(reader) || !window_hold(reader, reader->now.from, 1))
            continue;
        switch (PW_HEAD_TAG(reader->window->heads[reader->now.from - reader->window->from])) {
        case PW_TAG_BLANK:
            pass_blank(reader);
            break;
        case PW_TAG_CONTINUATION:
            skip(reader, &reader->counts.orphans);
            break;
        case PW_TAG_START:
            if (take_record(reader, record))
                return TRACE_NEXT_RECORD;
            break;
        default:
            skip(reader, &reader->counts.damaged);
            break;
        }
    }
}
