/* The tests on the sides of a finding. */
#ifndef PORTWITNESS_REPORT_FINDING_TESTS_H
#define PORTWITNESS_REPORT_FINDING_TESTS_H

#include "harness/report/finding_text.h"

/* Are the tests of both the subject and the other side known, so that one sentence says it all? */
bool finding_has_both_tests(const struct finding *finding);

/* Then writes that sentence as a line: "  test_a.py::test_up (gw1) lost tcp 127.0.0.1:41235, which
 * free_port conftest.py:13 had picked for it, to test_b.py::test_pay (gw0)". */
void finding_tests_write(const struct finding_writer *writing, const struct finding *finding);

#endif
