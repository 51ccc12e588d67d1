/* The tests of calls whose test nobody named, by their frames. */
#ifndef PORTWITNESS_CHECK_FRAMEWORK_TESTS_H
#define PORTWITNESS_CHECK_FRAMEWORK_TESTS_H

#include "harness/check/check.h"

enum { FRAMEWORK_TEST_SIZE = 512 };

/* What to call a test, or what prepares one, by its frame: "test_cart.py::CartTest::test_add" in
 * Python, else the function as it is, "shop.CartTest.addsAnItem". NULL where it has no name. */
const char *framework_test_name(const struct frame_text *frame, char text[FRAMEWORK_TEST_SIZE]);

/* Gives the sides of the findings from index `from` on the names of their tests, where they have
 * none, or only a worker's, or one that was given to the whole process from outside, and their
 * frames show which function was called by what runs tests. */
void framework_tests_name(struct check *check, size_t from);

#endif
