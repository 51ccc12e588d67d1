/* One row for each record kind says which units follow its start, so that a new kind is a new row
 * here. */
#include "harness/trace/layout.h"

#include <string.h>

enum part {
    PART_NONE,
    PART_SOCKET,
    PART_PEER,
    PART_PROCESS,
    PART_NUMBERS,
    PART_ADDRESSES,
    PART_TEXT,
    PART_UNUSED
};

enum { PARTS_MAX = 3, ADDRESSES_PER_UNIT = 7 };

static const enum part layouts[PW_KIND_END][PARTS_MAX] = {
    [PW_KIND_PROCESS_START] = {PART_PROCESS, PART_TEXT},
    [PW_KIND_FORK] = {PART_PROCESS},
    [PW_KIND_EXEC] = {PART_PROCESS, PART_TEXT},
    [PW_KIND_EXEC_FAILED] = {PART_PROCESS, PART_TEXT},
    [PW_KIND_PROCESS_EXIT] = {PART_PROCESS},
    [PW_KIND_SOCKET] = {PART_SOCKET},
    [PW_KIND_BIND] = {PART_SOCKET},
    [PW_KIND_LISTEN] = {PART_SOCKET},
    [PW_KIND_CONNECT] = {PART_SOCKET, PART_PEER},
    [PW_KIND_DISCONNECT] = {PART_SOCKET, PART_UNUSED},
    [PW_KIND_AUTOBIND] = {PART_SOCKET, PART_PEER},
    [PW_KIND_ACCEPT] = {PART_SOCKET, PART_PEER},
    [PW_KIND_OPTION] = {PART_NUMBERS},
    [PW_KIND_DESCRIPTOR] = {PART_SOCKET, PART_PEER},
    [PW_KIND_SHUTDOWN] = {PART_NUMBERS},
    [PW_KIND_NAMESPACE] = {PART_NUMBERS, PART_TEXT},
    [PW_KIND_MODULE] = {PART_NUMBERS, PART_TEXT},
    [PW_KIND_STACK] = {PART_ADDRESSES},
    [PW_KIND_STRING] = {PART_TEXT},
    [PW_KIND_DESTROYED] = {PART_SOCKET, PART_PEER},
    [PW_KIND_TABLE_ANSWER] = {PART_SOCKET, PART_PEER, PART_TEXT},
    [PW_KIND_CLAIM] = {PART_SOCKET, PART_TEXT},
    [PW_KIND_MARKER] = {PART_TEXT},
    [PW_KIND_BLIND_SPOT] = {PART_NUMBERS, PART_TEXT},
    [PW_KIND_LOST] = {PART_NUMBERS},
    [PW_KIND_NUMBER_SOURCE] = {PART_TEXT},
    [PW_KIND_HOLDER] = {PART_PROCESS, PART_NUMBERS, PART_TEXT},
    [PW_KIND_LEFTOVER] = {PART_SOCKET},
};

/* Joins the text of `count` units. Only the filling at its end is left off: NULs between arguments
 * stay. */
static size_t join_text(char *text, const union pw_unit *units, unsigned count) {
    size_t length = count * (size_t)PW_TEXT_BYTES;

    for (unsigned i = 0; i < count; i++)
        memcpy(text + i * (size_t)PW_TEXT_BYTES, units[i].text.bytes, PW_TEXT_BYTES);
    while (length > 0 && text[length - 1] == '\0')
        length--;
    text[length] = '\0';
    return length;
}

/* Joins the addresses of `count` units where a text would stand. A unit that says it holds more
 * than it can holds what it can. */
static size_t join_addresses(char *text, const union pw_unit *units, unsigned count) {
    size_t joined = 0;

    for (unsigned i = 0; i < count; i++) {
        const struct pw_numbers *numbers = &units[i].numbers;
        size_t held = numbers->code < ADDRESSES_PER_UNIT ? numbers->code : ADDRESSES_PER_UNIT;

        memcpy(text + joined * sizeof(uint64_t), numbers->number, held * sizeof(uint64_t));
        joined += held;
    }
    return joined;
}

/* Behind all that the kind has. */
static void take_frames(struct trace_record *record, const union pw_unit *units, unsigned count) {
    if ((record->flags & PW_FLAG_HAS_FRAMES) == 0 || count == 0)
        return;
    record->frames = &units[0].frames;
    record->frame_units = count;
}

/* Field by field, since a compiler clears so large a structure as a whole with an instruction that
 * takes as long as all the rest. */
static void clear(struct trace_record *record) {
    record->end_ns = record->cookie = record->site = record->flags = 0;
    record->thread = 0;
    record->error = 0;
    record->source = record->call = 0;
    record->socket = NULL;
    record->peer = NULL;
    record->identity = NULL;
    record->numbers = NULL;
    record->frames = NULL;
    record->frame_units = 0;
    record->addresses = NULL;
    record->address_count = 0;
    record->text = NULL;
    record->text_length = 0;
}

static void take_start(struct trace_record *record, const struct pw_start *start) {
    record->end_ns = start->end_ns;
    record->cookie = start->cookie;
    record->site = start->site;
    record->thread = start->thread;
    record->error = start->error;
    record->source = start->source;
    record->call = start->call;
    record->flags = start->flags;
}

void layout_decode(struct trace_record *record, uint32_t head, uint64_t unit,
                   const union pw_unit *units, char *text) {
    const struct pw_start *start = &units[0].start;
    unsigned count = PW_HEAD_COUNT(head);
    unsigned next = 1;

    clear(record);
    record->unit = unit;
    record->committed = PW_HEAD_STATE(head) == PW_STATE_COMMITTED;
    record->kind = PW_HEAD_KIND(head);
    record->process = start->process;
    record->descriptor = start->descriptor;
    record->begin_ns = start->begin_ns;
    if (!record->committed)
        return;
    take_start(record, start);
    for (unsigned i = 0; i < PARTS_MAX && next < count; i++) {
        const union pw_unit *body = &units[next++];

        switch (layouts[record->kind][i]) {
        case PART_SOCKET:
            record->socket = &body->socket;
            break;
        case PART_PEER:
            record->peer = &body->peer;
            break;
        case PART_PROCESS:
            record->identity = &body->process;
            break;
        case PART_NUMBERS:
            record->numbers = &body->numbers;
            break;
        case PART_ADDRESSES:
            record->addresses = (const uint64_t *)(const void *)text;
            record->address_count = join_addresses(text, body, count - next + 1);
            return;
        case PART_TEXT:
            record->text = text;
            record->text_length = join_text(text, body, count - next + 1);
            return;
        case PART_UNUSED:
            break;
        case PART_NONE:
        default:
            take_frames(record, body, count - next + 1);
            return;
        }
    }
    take_frames(record, units + next, count - next);
}
