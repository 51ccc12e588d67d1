/* A record stands in the trace where its call began, and counts from when its call had ended: a
 * blocking accept lies seconds before what it gave. So records are brought into order first. */
#include "harness/trace/events.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"

static bool bears_on_sockets(const struct trace_record *record) {
    switch (record->kind) {
    case PW_KIND_PROCESS_START:
    case PW_KIND_FORK:
    case PW_KIND_PROCESS_EXIT:
    case PW_KIND_SOCKET:
    case PW_KIND_BIND:
    case PW_KIND_LISTEN:
    case PW_KIND_CONNECT:
    case PW_KIND_DISCONNECT:
    case PW_KIND_AUTOBIND:
    case PW_KIND_ACCEPT:
    case PW_KIND_DESCRIPTOR:
    case PW_KIND_PASSED:
    case PW_KIND_CLOSE:
    case PW_KIND_SHUTDOWN:
    case PW_KIND_DESTROYED:
        return true;
    case PW_KIND_OPTION:
        return !record->committed ||
               (record->numbers != NULL && record->numbers->code == PW_OPTION_LINGER);
    default:
        return false;
    }
}

/* The process's own exit record is written before it ends, and a message may be received before the
 * call that sent it has returned: both count from their begin. */
static uint64_t time_of(const struct trace_record *record) {
    if (!record->committed || record->kind == PW_KIND_PASSED)
        return record->begin_ns;
    if (record->kind == PW_KIND_PROCESS_START)
        return record->begin_ns;
    if (record->kind == PW_KIND_PROCESS_EXIT && record->source == PW_SOURCE_SHIM)
        return record->begin_ns;
    return record->end_ns;
}

static uint32_t value_of(const struct trace_record *record) {
    if (record->numbers == NULL)
        return 0;
    if (record->kind == PW_KIND_OPTION)
        return record->numbers->number[0] != 0 && record->numbers->number[1] == 0;
    return (uint32_t)record->numbers->number[0];
}

void events_note(struct events *events, const struct trace_record *record, uint32_t binding) {
    struct event *event;

    if (!bears_on_sockets(record))
        return;
    events->list =
        memory_grow(events->list, &events->room, events->count + 1, sizeof *events->list);
    event = &events->list[events->count++];
    *event = (struct event){
        .ns = time_of(record),
        .unit = record->unit,
        .process = record->process,
        .cookie = record->cookie,
        .flags = record->flags,
        .binding = binding,
        .descriptor = record->descriptor,
        .other_descriptor = -1,
        .value = value_of(record),
        .error = record->error,
        .kind = (uint8_t)record->kind,
        .call = record->call,
        .torn = !record->committed,
    };
    if (record->socket != NULL) {
        event->netns = record->socket->netns;
        event->type = record->socket->type;
        event->protocol = record->socket->protocol;
    }
    if (record->peer != NULL) {
        event->other = record->peer->other_cookie;
        event->other_descriptor = record->peer->other_descriptor;
    }
    if (record->identity != NULL) {
        event->other = record->identity->serial;
        if (record->kind == PW_KIND_PROCESS_EXIT && event->process == 0)
            event->process = record->identity->serial;
    }
}

static int compare(const void *left, const void *right) {
    const struct event *a = left;
    const struct event *b = right;

    if (a->ns != b->ns)
        return a->ns < b->ns ? -1 : 1;
    return a->unit < b->unit ? -1 : a->unit > b->unit;
}

/* Records come nearly in order: each goes to its place as long as that moves few others. false: it
 * did not. */
static bool settle(struct events *events) {
    enum { MOVES_EACH = 8 };
    struct event *list = events->list;
    size_t left = MOVES_EACH * events->count;

    for (size_t i = 1; i < events->count; i++) {
        size_t place = i;

        while (place > 0 && compare(&list[place - 1], &list[i]) > 0)
            place--;
        if (i - place > left)
            return false;
        left -= i - place;
        if (place < i) {
            struct event event = list[i];
            memmove(list + place + 1, list + place, (i - place) * sizeof *list);
            list[place] = event;
        }
    }
    return true;
}

void events_sort(struct events *events, const struct processes *processes) {
    /* The child may have run, and closed what it had, before fork returned in its parent. */
    for (size_t i = 0; i < events->count; i++) {
        struct event *event = &events->list[i];
        const struct process *child;

        if (event->kind != PW_KIND_FORK || event->torn)
            continue;
        child = processes_find(processes, event->other);
        if (child != NULL && child->first_ns < event->ns)
            event->ns = child->first_ns;
    }
    if (!settle(events))
        qsort(events->list, events->count, sizeof *events->list, compare);
}

void events_free(struct events *events) {
    free(events->list);
    *events = (struct events){0};
}
