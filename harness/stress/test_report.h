/* Which tests failed how often under which policy. */
#ifndef PORTWITNESS_STRESS_TEST_REPORT_H
#define PORTWITNESS_STRESS_TEST_REPORT_H

#include <jansson.h>

#include "harness/stress/session.h"

/* A table of the tests that failed, those that did so most often first, to stdout; nothing where no
 * marker says how a test ended. */
void test_report_table(const struct stress_session *session);

/* The same as a list of objects. */
json_t *test_report_json(const struct stress_session *session);

#endif
