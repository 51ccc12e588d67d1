/*
 * PORT=$(pick); server $PORT: that the binder was handed the number is seen in its start-up strings
 * alone. They are read where the kernel put them, on the stack: environ itself may change under us.
 */
#include "shim/process/start_strings.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "shim/shared/recorder.h"
#include "shim/shared/trace_format.h"

enum { SEARCH_BYTES = 256 * 1024 };

static struct start_strings found_at;

void start_strings_set(const struct start_strings *strings) { found_at = *strings; }

const struct start_strings *start_strings(void) { return &found_at; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool start_strings_have(const char *from, const char *end, const char *digits, size_t length) {
    for (const char *at = from; end - at >= (long)length; at++) {
        at = memchr(at, digits[0], (size_t)(end - at));
        if (at == NULL || end - at < (long)length)
            return false;
        if (memcmp(at, digits, length) == 0 && (at == from || !is_digit(at[-1])) &&
            (at + length == end || !is_digit(at[length])))
            return true;
    }
    return false;
}

/* Looks within SEARCH_BYTES; each string ends with a NUL, and its name at "=". */
size_t start_strings_variable(uint16_t port, char *name, size_t size) {
    const char *at = found_at.environment;
    const char *end = found_at.environment_end;
    char digits[5];
    size_t length = start_strings_digits(port, digits);
    if (at == NULL || end < at)
        return 0;
    if (end - at > SEARCH_BYTES)
        end = at + SEARCH_BYTES;
    while (at < end) {
        const char *next = memchr(at, '\0', (size_t)(end - at));
        const char *stop = next != NULL ? next : end;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        if (equals != NULL && start_strings_have(equals, stop, digits, length)) {
            size_t bytes = (size_t)(equals - at) < size ? (size_t)(equals - at) : size - 1;
            memcpy(name, at, bytes);
            name[bytes] = '\0';
            return bytes;
        }
        at = stop + 1;
    }
    return 0;
}

static uint64_t search(const char *from, const char *end, const char *digits, size_t length,
                       uint64_t found) {
    uint64_t flags = 0;
    if (from == NULL || end < from)
        return PW_FLAG_SEARCH_CUT; /* not known where they are */
    if (end - from > SEARCH_BYTES) {
        end = from + SEARCH_BYTES;
        while (end > from && is_digit(end[-1]))
            end--; /* nobody looks at how this number goes on */
        flags = PW_FLAG_SEARCH_CUT;
    }
    return start_strings_have(from, end, digits, length) ? flags | found : flags;
}

size_t start_strings_digits(uint16_t port, char digits[5]) {
    char reversed[5];
    size_t length = 0;
    for (unsigned rest = port; rest > 0; rest /= 10)
        reversed[length++] = (char)('0' + rest % 10);
    for (size_t i = 0; i < length; i++)
        digits[i] = reversed[length - 1 - i];
    return length;
}

uint64_t start_strings_hold(uint16_t port) {
    const struct start_strings *strings = &found_at;
    char digits[5];
    size_t length = start_strings_digits(port, digits);
    return search(strings->arguments, strings->arguments_end, digits, length,
                  PW_FLAG_IN_ARGUMENTS) |
           search(strings->environment, strings->environment_end, digits, length,
                  PW_FLAG_IN_ENVIRONMENT);
}
