/* Frames are repeated in every record of a loop; their texts stand in the trace once a process, and
 * here once. */
#include "harness/trace/strings.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"

enum { STRINGS_MAX = 200000 };

void strings_note(struct strings *strings, const struct trace_record *record) {
    if (record->kind != PW_KIND_STRING || !record->committed || record->cookie == 0 ||
        record->text == NULL || strings->count == STRINGS_MAX ||
        map_get(&strings->of, record->cookie) != MAP_NONE)
        return;
    strings->list =
        memory_grow(strings->list, &strings->room, strings->count + 1, sizeof *strings->list);
    /* With the NUL that ends it, and one more where there is no second. */
    char *text = memory_zeroed(1, record->text_length + 2);
    memcpy(text, record->text, record->text_length);
    strings->list[strings->count].text = text;
    strings->list[strings->count].length = record->text_length;
    map_put(&strings->of, record->cookie, (uint32_t)strings->count++);
}

static const struct string *find(const struct strings *strings, uint64_t number) {
    uint32_t index = number != 0 ? map_get(&strings->of, number) : MAP_NONE;
    return index != MAP_NONE ? &strings->list[index] : NULL;
}

static const char *unless_empty(const char *text) { return *text != '\0' ? text : NULL; }

const char *strings_first(const struct strings *strings, uint64_t number) {
    const struct string *string = find(strings, number);
    return string != NULL ? unless_empty(string->text) : NULL;
}

const char *strings_second(const struct strings *strings, uint64_t number) {
    const struct string *string = find(strings, number);
    return string != NULL ? unless_empty(string->text + strlen(string->text) + 1) : NULL;
}

struct frame_text strings_frame(const struct strings *strings, const struct pw_frame *frame) {
    return (struct frame_text){.file = strings_first(strings, frame->text),
                               .function = strings_second(strings, frame->text),
                               .line = frame->line,
                               .of = PW_FRAME_OF(frame->of),
                               .is_test = (frame->of & PW_FRAME_CALLED_BY_FRAMEWORK) != 0};
}

void strings_free(struct strings *strings) {
    for (size_t i = 0; i < strings->count; i++)
        free(strings->list[i].text);
    free(strings->list);
    map_free(&strings->of);
    *strings = (struct strings){0};
}
