/* The tests that a number of findings concern. */
#ifndef PORTWITNESS_REPORT_TEST_LIST_H
#define PORTWITNESS_REPORT_TEST_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/map.h"
#include "harness/check/finding.h"

enum { TEST_LIST_SIZE = 4096 };

/* `width` is how many bytes the names may take; all else is 0 where there are none. */
struct test_list {
    size_t width;
    struct map seen; /* hashes of names */
    uint64_t count;
    uint64_t shown;
    size_t used;
    char text[TEST_LIST_SIZE];
};

/* Adds the tests of all sides that are not there yet. */
void test_list_add(struct test_list *list, const struct finding *finding);

/* "a (gw0); b (gw1) and 3 more": as many by name as have room, but one at least. "" where there is
 * none. */
const char *test_list_text(struct test_list *list);

/* Frees it. */
void test_list_free(struct test_list *list);

#endif
