/* What a run's policy was, and what it did, as text and as JSON. */
#ifndef PORTWITNESS_REPORT_POLICY_REPORT_H
#define PORTWITNESS_REPORT_POLICY_REPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "harness/trace/reader.h"

/* Writes one line behind "portwitness: ", with `trace` before it where not NULL; nothing where the
 * ports were the kernel's own choice. `policy` is the header's text. */
void policy_report_write(const char *trace, const char *policy, const struct policy_work *work,
                         FILE *to);

/* What the policy of the attached trace has done by now; all 0 where it has none. */
void policy_report_now(struct policy_work *work);

/* An object: the policy, its seed, and each count by its name. */
json_t *policy_report_json(const char *policy, const struct policy_work *work);

#endif
