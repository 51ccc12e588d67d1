/* The processes of a finding, with those above them. */
#ifndef PORTWITNESS_REPORT_PROCESS_TREE_H
#define PORTWITNESS_REPORT_PROCESS_TREE_H

#include <stdio.h>

#include "harness/check/check.h"

/* Writes the processes of the finding and those above them up to the nearest that they have in
 * common, each once, one a line and indented by generation, with what each did to the finding. */
void process_tree_write(const struct check *check, const struct finding *finding, FILE *to);

#endif
