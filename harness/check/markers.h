/* In which test a call was made, as far as markers say so. */
#ifndef PORTWITNESS_CHECK_MARKERS_H
#define PORTWITNESS_CHECK_MARKERS_H

#include "harness/check/history.h"

/* Sets the names of the tests of all findings about `machine` that have none yet: of the call that
 * failed, of the one in its way, and of the two that picked their numbers. */
void markers_name_tests(const struct history *history, struct findings *findings);

#endif
