/* The words that reports have for the calls, processes and places of a finding. */
#ifndef PORTWITNESS_REPORT_FINDING_SIDES_H
#define PORTWITNESS_REPORT_FINDING_SIDES_H

#include <stdio.h>

#include "harness/check/check.h"
#include "harness/check/source_line.h"

#define SIDE_TEXT_SIZE 8192 /* what stands in a trace is not cut */

/* "bind to port 0", "bind to tcp 127.0.0.1:80", "listen on ...", "connect to ...". */
const char *side_call(const struct call *call, char text[SIDE_TEXT_SIZE]);

/* "process 4711 python3 (python3 -m pytest)"; "a process that is not known". */
const char *side_process(const struct check *check, const struct call *call,
                         char text[SIDE_TEXT_SIZE]);

/* The same of the process with that serial. With several traces its trace stands behind it. */
const char *side_process_of(const struct check *check, uint32_t trace, uint64_t serial,
                            char text[SIDE_TEXT_SIZE]);

/* "main server.c:42 (/usr/bin/server+0x1234)", "/usr/bin/server+0x1234" alone, or what is known of
 * it; "" if nothing is. */
const char *side_site(const struct check *check, struct source_lines *lines,
                      const struct call *call, uint64_t address, char text[SIDE_TEXT_SIZE]);

/* Where the address lay in the process when it made the call. */
struct site side_module(const struct check *check, const struct call *call, uint64_t address);

/* Seconds from the run's start, and the time of the day; see run_clock_text. */
const char *side_time(const struct check *check, const struct call *call, uint64_t ns,
                      char text[SIDE_TEXT_SIZE]);

#endif
