/* By which means a process was seen, for programs. */
#ifndef PORTWITNESS_REPORT_SEEN_BY_JSON_H
#define PORTWITNESS_REPORT_SEEN_BY_JSON_H

#include <jansson.h>

#include "harness/trace/processes.h"

/* A list of "shim", "ebpf" and "seccomp"; null where there is no such process. */
json_t *seen_by_json(const struct process *process);

#endif
