/* One reader of numbers, so that each option and each file takes the same ones. */
#include "harness/base/number.h"

#include <string.h>
#include <strings.h>

enum { PORT_MAX = 65535 };

bool read_digits(const char **text, uint64_t most, uint64_t *number) {
    const char *at = *text;
    if (*at < '0' || *at > '9')
        return false;
    for (*number = 0; *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (*number > (UINT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    *text = at;
    return *number <= most;
}

bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *number) {
    return read_digits(&text, most, number) && *text == '\0' && *number >= least;
}

bool read_port_range(const char *text, uint16_t *low, uint16_t *high) {
    uint64_t first, last;
    if (!read_digits(&text, PORT_MAX, &first) || *text++ != '-' ||
        !read_number(text, 1, PORT_MAX, &last) || first == 0 || first > last)
        return false;
    *low = (uint16_t)first;
    *high = (uint16_t)last;
    return true;
}

/* What may stand behind a unit's letter. */
static bool is_unit_end(const char *text) {
    return *text == '\0' || strcasecmp(text, "B") == 0 || strcasecmp(text, "iB") == 0;
}

bool read_size(const char *text, uint64_t *bytes) {
    static const char letters[] = "KMGT";
    uint64_t number;
    unsigned shift = 0;
    if (!read_digits(&text, UINT64_MAX, &number))
        return false;
    if (*text != '\0') {
        const char *letter = strchr(letters, *text >= 'a' ? *text - ('a' - 'A') : *text);
        if (letter == NULL || !is_unit_end(text + 1))
            return false;
        shift = 10 * (unsigned)(letter - letters + 1);
    }
    if (number > UINT64_MAX >> shift)
        return false;
    *bytes = number << shift;
    return true;
}
