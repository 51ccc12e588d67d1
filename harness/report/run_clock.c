/* Several traces of one machine have one clock, and so one beginning; what other machines did can
 * only be compared by the time of the day. */
#include "harness/report/run_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define SECOND_NS UINT64_C(1000000000)

static uint64_t beginning(const struct check *check, const struct check_trace *trace) {
    uint64_t first = trace->header.monotonic_ns;
    for (size_t i = 0; i < check->trace_count; i++) {
        const struct check_trace *other = &check->traces[i];
        if (other->header.monotonic_ns < first && check_is_same_machine(trace, other))
            first = other->header.monotonic_ns;
    }
    return first;
}

static void put_time_of_day(const struct check_trace *trace, uint64_t ns, char *text, size_t size) {
    uint64_t real = trace->header.realtime_ns + (ns - trace->header.monotonic_ns);
    time_t seconds = (time_t)(real / SECOND_NS);
    struct tm local;
    text[0] = '\0';
    if (trace->header.realtime_ns == 0 || localtime_r(&seconds, &local) == NULL)
        return;
    snprintf(text, size, " (%02d:%02d:%02d.%03u)", local.tm_hour % 100, local.tm_min % 100,
             local.tm_sec % 100, (unsigned)(real % SECOND_NS / 1000000));
}

static const char *put(const struct check *check, uint32_t trace, uint64_t ns, int digits,
                       const char *words, char text[RUN_CLOCK_TEXT_SIZE]) {
    const struct check_trace *of = &check->traces[trace];
    int64_t since = (int64_t)(ns - beginning(check, of));
    uint64_t size = since < 0 ? -(uint64_t)since : (uint64_t)since;
    char day[24];
    char fraction[16];
    put_time_of_day(of, ns, day, sizeof day);
    snprintf(fraction, sizeof fraction, "%09" PRIu64, size % SECOND_NS);
    snprintf(text, RUN_CLOCK_TEXT_SIZE, "%s%" PRIu64 ".%.*s s%s%s", since < 0 ? "-" : "",
             size / SECOND_NS, digits, fraction, words, day);
    return text;
}

const char *run_clock_text(const struct check *check, uint32_t trace, uint64_t ns, int digits,
                           char text[RUN_CLOCK_TEXT_SIZE]) {
    return put(check, trace, ns, digits, "", text);
}

const char *run_clock_into(const struct check *check, uint32_t trace, uint64_t ns,
                           char text[RUN_CLOCK_TEXT_SIZE]) {
    return put(check, trace, ns, 3, " into the run", text);
}

const char *run_clock_length(uint64_t ns, char text[RUN_CLOCK_TEXT_SIZE]) {
    if (ns < 10 * 1000 * 1000)
        snprintf(text, RUN_CLOCK_TEXT_SIZE, "%" PRIu64 " us", ns / 1000);
    else
        snprintf(text, RUN_CLOCK_TEXT_SIZE, "%" PRIu64 ".%03" PRIu64 " s", ns / SECOND_NS,
                 ns / 1000000 % 1000);
    return text;
}
