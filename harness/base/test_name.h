/* The names of tests, as their runners give them. */
#ifndef PORTWITNESS_BASE_TEST_NAME_H
#define PORTWITNESS_BASE_TEST_NAME_H

#include <stddef.h>

/* The length of the name without what is of one run alone: the worker behind it (" [gw1]"), and
 * the phase that pytest is in (" (call)"). 0: the text only says which worker ran it. */
size_t test_name_length(const char *name);

enum { TEST_NAME_TEXT_SIZE = 512 };

/* The name for people: "test_a.py::test_up (gw1)", with a phase other than the call itself before
 * the worker: "test_a.py::test_up (setup, gw1)". What has no room is left off. */
const char *test_name_text(const char *name, char text[TEST_NAME_TEXT_SIZE]);

/* The worker that ran it, "gw1"; *length is 0 where the name does not say. */
const char *test_name_worker(const char *name, size_t *length);

#endif
