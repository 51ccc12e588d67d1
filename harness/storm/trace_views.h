/* The trace as it is mapped in a publisher: by the shim, and by the publisher's own recorder. */
#ifndef PORTWITNESS_STORM_TRACE_VIEWS_H
#define PORTWITNESS_STORM_TRACE_VIEWS_H

#include <stddef.h>

enum { TRACE_VIEWS_MAX = 4 };

struct trace_views {
    struct {
        char *base;
        size_t size;
    } list[TRACE_VIEWS_MAX];
    unsigned count;
};

/* Finds all mappings, from its start, of the file that is mapped at `known`. Where /proc does not
 * show any there are none. */
void trace_views_find(struct trace_views *views, const void *known);

/* Between rounds: maps in each view what the next records are likely to go to, so that no publisher
 * waits for page faults while it publishes. The recorder must be attached. */
void trace_views_make_ready(const struct trace_views *views);

#endif
