/* What a process of the machine that is none of the command's is called. */
#ifndef PORTWITNESS_REPORT_STRANGER_NAME_H
#define PORTWITNESS_REPORT_STRANGER_NAME_H

#include <jansson.h>

#include "harness/trace/processes.h"

/* "nginx (pid 812, unit nginx.service)"; "(pid 812, not of this run)" where it has no unit and no
 * container. */
void stranger_name(const struct process *process, char *text, size_t size);

/* Adds `stranger`, `unit` and `container`; the latter are null where there is none, and of others
 * than strangers. */
void stranger_add_json(json_t *object, const struct process *process);

/* Adds `unit` and `container` by the lines of /proc/PID/cgroup, which may be NULL. */
void stranger_add_group_json(json_t *object, const char *control_group);

#endif
