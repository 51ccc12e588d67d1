/* A number of seconds since an unknown event helps nobody to remember what he did then. */
#include "harness/base/age.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

#define SECOND_NS UINT64_C(1000000000)

const char *age_text(uint64_t ns, char text[AGE_TEXT_SIZE]) {
    uint64_t seconds = ns / SECOND_NS;
    if (seconds == 0)
        snprintf(text, AGE_TEXT_SIZE, "%" PRIu64 " ms", ns / (SECOND_NS / 1000));
    else if (seconds < 2 * MINUTE)
        snprintf(text, AGE_TEXT_SIZE, "%" PRIu64 " s", seconds);
    else if (seconds < 2 * HOUR)
        snprintf(text, AGE_TEXT_SIZE, "%" PRIu64 " min", seconds / MINUTE);
    else if (seconds < 2 * DAY)
        snprintf(text, AGE_TEXT_SIZE, "%" PRIu64 " h", seconds / HOUR);
    else
        snprintf(text, AGE_TEXT_SIZE, "%" PRIu64 " days", seconds / DAY);
    return text;
}

const char *moment_text(uint64_t ns, uint64_t other_ns, char text[AGE_TEXT_SIZE]) {
    const time_t seconds = (time_t)(ns / SECOND_NS);
    const time_t other_seconds = (time_t)(other_ns / SECOND_NS);
    struct tm moment;
    struct tm other;
    text[0] = '\0';
    if (localtime_r(&seconds, &moment) == NULL || localtime_r(&other_seconds, &other) == NULL)
        return text;
    bool same_day = moment.tm_year == other.tm_year && moment.tm_yday == other.tm_yday;
    strftime(text, AGE_TEXT_SIZE, same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &moment);
    return text;
}
