/* What `portwitness check` and `portwitness run --check` have in common. */
#ifndef PORTWITNESS_REPORT_CHECK_REPORT_H
#define PORTWITNESS_REPORT_CHECK_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "harness/base/colour.h"

enum fail_on { FAIL_ON_ERROR, FAIL_ON_HAZARD, FAIL_ON_NEVER };

struct check_request {
    const char *const *traces;
    size_t count;
    const char *suppressions; /* a file; NULL: none */
    const char *baseline;     /* a file; NULL: none */
    bool update_baseline;     /* which is then written, and need not be there */
    enum fail_on fail_on;
    bool strict; /* status 3 where nothing was found on incomplete evidence */
    bool json;
    const char *json_file; /* which then stands beside the text; NULL: in its place, to json_to */
    bool verbose;
    bool all;
    bool quiet;
    enum colour_when colour;
    FILE *to;
    FILE *json_to;
};

/* Whether the files that the request names, beside the traces, can be read and written: for whoever
 * would have to wait long to find that they cannot. The traces need not be there. false, with one
 * line on stderr. */
bool check_report_ready(const struct check_request *request);

/* Checks the traces and writes the report. The exit status: 0, 1 where there are findings at or
 * above fail_on, 2 where something could not be read, 3 as above. */
int check_report(const struct check_request *request);

#endif
