/* A process of a finding in a part of a line: its number, its command, and what distinguishes it
 * from the others. */
#ifndef PORTWITNESS_REPORT_SHORT_PROCESS_H
#define PORTWITNESS_REPORT_SHORT_PROCESS_H

#include "harness/check/check.h"

enum { SHORT_PROCESS_SIZE = 1024 };

/* "4711 python3 server.py (of ./suite.sh 3)": the ancestor is the nearest one that the holder has
 * not, or the parent. With several traces the trace stands behind it. */
const char *short_process_subject(const struct check *check, const struct finding *finding,
                                  char text[SHORT_PROCESS_SIZE]);

/* Who has the port, with what it is to the subject: "12 ./suite.sh, its parent". */
const char *short_process_holder(const struct check *check, const struct finding *finding,
                                 char text[SHORT_PROCESS_SIZE]);

/* Any other; "the same process" where it is the subject. */
const char *short_process(const struct check *check, const struct finding *finding, uint32_t trace,
                          uint64_t serial, char text[SHORT_PROCESS_SIZE]);

#endif
