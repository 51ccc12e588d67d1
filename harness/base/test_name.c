/* pytest's test_a.py::test_up[2] is "test_a.py::test_up[2] (setup) [gw1]" in one run and "(call)
 * [gw0]" in the next. */
#include "harness/base/test_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static size_t without(const char *name, size_t length, const char *end) {
    size_t size = strlen(end);
    return length >= size && strncmp(name + length - size, end, size) == 0 ? length - size : length;
}

/* " [gwN]" */
static size_t without_worker(const char *name, size_t length) {
    size_t at = without(name, length, "]");
    size_t digits = at;
    while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
        digits--;
    size_t shorter = without(name, digits, " [gw");
    return at < length && digits < at && shorter < digits ? shorter : length;
}

static const char jest_worker[] = "JEST_WORKER_ID=";

static bool is_worker_alone(const char *name) {
    return strncmp(name, jest_worker, strlen(jest_worker)) == 0;
}

size_t test_name_length(const char *name) {
    static const char *const phases[] = {" (setup)", " (call)", " (teardown)"};
    size_t length = without_worker(name, strlen(name));
    if (is_worker_alone(name))
        return 0;
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++)
        length = without(name, length, phases[i]);
    return length;
}

const char *test_name_worker(const char *name, size_t *length) {
    size_t whole = strlen(name);
    size_t shorter = without_worker(name, whole);
    if (is_worker_alone(name)) {
        *length = whole - strlen(jest_worker);
        return name + strlen(jest_worker);
    }
    *length = shorter < whole ? whole - shorter - strlen(" []") : 0;
    return name + shorter + (shorter < whole ? strlen(" [") : 0);
}

/* What stands between the name and the worker, without its brackets; *length is 0 for nothing, and
 * for a call, which is not worth saying. */
static const char *phase_of(const char *name, size_t *length) {
    size_t from = test_name_length(name);
    size_t to = without_worker(name, strlen(name));
    *length = 0;
    if (to <= from + strlen(" ()"))
        return name;
    const char *phase = name + from + strlen(" (");
    size_t size = to - from - strlen(" ()");
    *length = strncmp(phase, "call)", strlen("call)")) == 0 ? 0 : size;
    return phase;
}

const char *test_name_text(const char *name, char text[TEST_NAME_TEXT_SIZE]) {
    size_t shown = test_name_length(name);
    size_t worker_length;
    size_t phase_length;
    const char *worker = test_name_worker(name, &worker_length);
    const char *phase = phase_of(name, &phase_length);
    if (shown == 0)
        snprintf(text, TEST_NAME_TEXT_SIZE, "%s", name);
    else if (worker_length == 0 && phase_length == 0)
        snprintf(text, TEST_NAME_TEXT_SIZE, "%.*s", (int)shown, name);
    else
        snprintf(text, TEST_NAME_TEXT_SIZE, "%.*s (%.*s%s%.*s)", (int)shown, name,
                 (int)phase_length, phase, phase_length > 0 && worker_length > 0 ? ", " : "",
                 (int)worker_length, worker);
    return text;
}
