/* JUnit and unittest tell nobody which test runs, neither in the environment nor otherwise. But the
 * function that they call is the test. */
#include "harness/check/framework_tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/base/path_last.h"
#include "harness/base/test_name.h"

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text);
    size_t size = strlen(end);
    return length >= size && strcmp(text + length - size, end) == 0;
}

/* As pytest does: the class and the function behind the file. */
static void name_python(const struct frame_text *frame, char text[FRAMEWORK_TEST_SIZE]) {
    size_t at = (size_t)snprintf(text, FRAMEWORK_TEST_SIZE, "%s::", path_last(frame->file));
    for (const char *from = frame->function; *from != '\0' && at + 3 < FRAMEWORK_TEST_SIZE;
         from++) {
        text[at++] = *from == '.' ? ':' : *from;
        if (*from == '.')
            text[at++] = ':';
    }
    text[at < FRAMEWORK_TEST_SIZE ? at : FRAMEWORK_TEST_SIZE - 1] = '\0';
}

const char *framework_test_name(const struct frame_text *frame, char text[FRAMEWORK_TEST_SIZE]) {
    if (frame->function == NULL || frame->function[0] == '<')
        return NULL;
    if (frame->file != NULL && ends_with(frame->file, ".py"))
        name_python(frame, text);
    else
        snprintf(text, FRAMEWORK_TEST_SIZE, "%s", frame->function);
    return text;
}

static void name_side(struct check *check, const struct call *call, char **name,
                      bool is_inherited) {
    char text[FRAMEWORK_TEST_SIZE];
    const struct check_frames *frames = call->process != 0 ? check_frames_of(check, call) : NULL;
    if (frames == NULL || (*name != NULL && !is_inherited && test_name_length(*name) != 0))
        return;
    for (size_t i = 0; i < frames->count; i++) {
        struct frame_text frame = check_frame(check, call, frames, i);
        if (!frame.is_test || framework_test_name(&frame, text) == NULL)
            continue;
        free(*name);
        *name = memory_copy(text, strlen(text));
        return;
    }
}

void framework_tests_name(struct check *check, size_t from) {
    for (size_t i = from; i < check->findings.count; i++) {
        struct finding *finding = &check->findings.list[i];
        name_side(check, &finding->subject, &finding->marker, finding->marker_is_inherited);
        name_side(check, &finding->assigned, &finding->assigned_marker,
                  finding->assigned_marker_is_inherited);
        name_side(check, &finding->other, &finding->other_marker,
                  finding->other_marker_is_inherited);
        name_side(check, &finding->other_assigned, &finding->other_assigned_marker,
                  finding->other_assigned_marker_is_inherited);
        name_side(check, &finding->instead, &finding->instead_marker,
                  finding->instead_marker_is_inherited);
    }
}
