/* The requests in traces, as a table or as JSON. */
#ifndef PORTWITNESS_REPORT_PORTS_REPORT_H
#define PORTWITNESS_REPORT_PORTS_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* Which requests are shown, and how. */
struct ports_selection {
    int64_t pid;         /* -1: any */
    int64_t port;        /* -1: any */
    const char *program; /* NULL: any */
    bool only_ephemeral;
    bool failed; /* those that failed, instead of those that did not */
    bool json;
};

/* Writes the requests of the traces, whose names end with NULL, to standard output. false, with a
 * line on stderr for each, where a trace could not be read. */
bool ports_report_write(const struct ports_selection *selection, const char *const *traces);

#endif
