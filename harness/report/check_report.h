/* What `portwitness check` and `portwitness run --check` have in common. */
#ifndef PORTWITNESS_REPORT_CHECK_REPORT_H
#define PORTWITNESS_REPORT_CHECK_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum fail_on { FAIL_ON_ERROR, FAIL_ON_HAZARD, FAIL_ON_NEVER };

struct check_request {
    const char *const *traces;
    size_t count;
    const char *suppressions; /* a file; NULL: none */
    enum fail_on fail_on;
    bool strict; /* status 3 where nothing was found on incomplete evidence */
    bool json;
    bool all;
    bool quiet;
    FILE *to;
};

/* Checks the traces and writes the report. The exit status: 0, 1 where there are findings at or
 * above fail_on, 2 where something could not be read, 3 as above. */
int check_report(const struct check_request *request);

#endif
