/* A check may find thousands of differences, of which a person reads the first. */
#include "harness/storm/checks/check_result.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void verdict_differs(struct verdict *verdict, const char *format, ...) {
    if (verdict->differences++ > 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->first, sizeof verdict->first, format, arguments);
    va_end(arguments);
}

void verdict_add(struct verdict *sum, const struct verdict *more) {
    if (sum->differences == 0)
        memcpy(sum->first, more->first, sizeof sum->first);
    sum->differences += more->differences;
}
