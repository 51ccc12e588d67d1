/* What Kind says of a cluster file. */
#ifndef PORTWITNESS_KIND_RELEASE_VERDICT_H
#define PORTWITNESS_KIND_RELEASE_VERDICT_H

#include "harness/kind/mapping.h"
#include "harness/kind/release.h"

/* NULL if the release takes the file, else its exact text, to be freed. Checked are the port
 * mappings, apiServerPort, ipFamily and the nodes' roles: what bears on ports, and nothing else. */
char *kind_verdict(const struct plan_input *input, const struct kind_release *release);

#endif
