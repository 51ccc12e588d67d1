/* The names of tests, as their runners give them. */
#ifndef PORTWITNESS_BASE_TEST_NAME_H
#define PORTWITNESS_BASE_TEST_NAME_H

#include <stddef.h>

/* The length of the name without what is of one run alone: the worker behind it (" [gw1]"), and
 * the phase that pytest is in (" (call)"). 0: the text only says which worker ran it. */
size_t test_name_length(const char *name);

#endif
