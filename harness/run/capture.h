/* By what else than the shim `run` sees programs: chosen, opened, and turned into records. */
#ifndef PORTWITNESS_RUN_CAPTURE_H
#define PORTWITNESS_RUN_CAPTURE_H

#include <stdbool.h>

#include "harness/capture/ebpf.h"
#include "harness/run/captured.h"
#include "harness/run/child.h"
#include "harness/run/run_options.h"

struct capture {
    unsigned means; /* PW_CAPTURE_..., 0: none */
    struct capture_ebpf ebpf;
    struct captured captured;
    char missing[CAPTURE_WHY_BYTES]; /* why none could be had, though one was looked for; "" else */
};

/* Opens what was chosen, or what can be had. false, with a line on stderr, where one that was named
 * cannot be had. */
bool capture_open(struct capture *capture, enum capture_choice choice);

/* When the trace is there: begins to take events. */
void capture_begin(struct capture *capture, struct destroyed *destroyed,
                   struct trace_reader *reader);

/* A descriptor that is readable when events had better be taken at once; -1: none. */
int capture_file(const struct capture *capture);

/* What the command has to do before it is executed, so that it is seen. */
struct child_preparation capture_preparation(struct capture *capture);

/* Takes the events that wait; before the trace is read. true if there were any. */
bool capture_take(struct capture *capture);

/* Writes records of what the shim has not recorded; after the trace was read to its end. `all`: at
 * the end of the run, of everything. true if there were any. */
bool capture_settle(struct capture *capture, bool all);

/* Ends it, and frees what is held. */
void capture_close(struct capture *capture);

#endif
