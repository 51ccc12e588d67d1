/* pytest's test_a.py::test_up[2] is "test_a.py::test_up[2] (setup) [gw1]" in one run and "(call)
 * [gw0]" in the next. */
#include "harness/base/test_name.h"

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

size_t test_name_length(const char *name) {
    static const char *const phases[] = {" (setup)", " (call)", " (teardown)"};
    size_t length = without_worker(name, strlen(name));
    if (strncmp(name, "JEST_WORKER_ID=", strlen("JEST_WORKER_ID=")) == 0)
        return 0;
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++)
        length = without(name, length, phases[i]);
    return length;
}
