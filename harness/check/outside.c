/* The kernel's answer to a guest knows the socket that stood in its way; which process that is,
 * `run` records a moment later. */
#include "harness/check/outside.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"

/* The strings of a record's text, each up to a NUL; "" for those that it does not have. */
static char *next_text(const struct trace_record *record, size_t *at) {
    if (record->text == NULL || *at >= record->text_length)
        return NULL;
    const char *text = record->text + *at;
    size_t length = strlen(text);
    *at += length + 1;
    return length > 0 ? memory_copy(text, length) : NULL;
}

void outside_note(struct history *history, const struct trace_record *record) {
    const struct pw_process *process = record->identity;
    const struct pw_numbers *numbers = record->numbers;
    size_t at = 0;
    if (process == NULL || numbers == NULL || record->cookie == 0)
        return;
    history->outside = memory_grow(history->outside, &history->outside_room,
                                   history->outside_count + 1, sizeof *history->outside);
    if (map_get(&history->outside_of_cookie, record->cookie) == MAP_NONE)
        map_put(&history->outside_of_cookie, record->cookie, (uint32_t)history->outside_count);
    struct outside_holder *outside = &history->outside[history->outside_count++];
    *outside = (struct outside_holder){
        .holder = {.pid = process->pid,
                   .parent_pid = process->parent_pid,
                   .uid = process->uid,
                   .unnamed = numbers->code < PW_UNNAMED_END ? numbers->code : PW_UNNAMED_NOT_KNOWN,
                   .start_time = process->start_time * HISTORY_NS_PER_TICK,
                   .started_ns = numbers->number[1],
                   .others = numbers->number[2],
                   .sought = true}};
    for (size_t i = 0; i < TABLE_PIDS_MAX; i++)
        outside->holder.other_pids[i] = (uint32_t)numbers->number[3 + i];
    outside->holder.command = next_text(record, &at);
    outside->holder.folder = next_text(record, &at);
    outside->holder.user = next_text(record, &at);
    outside->holder.control_group = next_text(record, &at);
}

/* What the guest itself found, without `run`, stands. */
static void complete(const struct history *history, struct table_answer *answer) {
    uint32_t index =
        answer->cookie != 0 ? map_get(&history->outside_of_cookie, answer->cookie) : MAP_NONE;
    if (index == MAP_NONE || answer->holder.pid != 0)
        return;
    const unsigned state = answer->holder.state;
    const struct endpoint endpoint = answer->holder.endpoint;
    table_holder_free(&answer->holder);
    answer->holder = history->outside[index].holder;
    answer->holder.state = state;
    answer->holder.endpoint = endpoint;
    table_holder_own(&answer->holder);
}

void outside_complete(struct history *history) {
    for (size_t i = 0; i < history->answer_count; i++)
        complete(history, &history->answers[i]);
}

void outside_free(struct history *history) {
    for (size_t i = 0; i < history->outside_count; i++)
        table_holder_free(&history->outside[i].holder);
    free(history->outside);
    map_free(&history->outside_of_cookie);
}
