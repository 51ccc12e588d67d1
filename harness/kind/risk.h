/* Whether, and to whom, a mapping's host port can be lost. */
#ifndef PORTWITNESS_KIND_RISK_H
#define PORTWITNESS_KIND_RISK_H

#include "harness/kind/publish_argument.h"
#include "harness/kind/release.h"
#include "harness/system/host_facts.h"

/* A sentence, to be freed, that says when and to whom; NULL if the number cannot be lost: it is
 * chosen and bound in one step, and held. */
char *mapping_risk(const struct plan_input *input, const struct mapping *mapping,
                   const struct kind_release *release, enum container_runtime runtime,
                   const struct host_facts *facts);

/* What becomes of the host port, in words. */
const char *mapping_fate_words(const struct mapping *mapping);

#endif
