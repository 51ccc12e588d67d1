/* Copies of memory that may not be there: whole, at the end of a page, bad, and the environments
 * made of such. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "shim/process/guest_environment.c"
#include "shim/shared/guest_memory.h"

enum { PAGES = 3, BYTES = PAGES * GUEST_PAGE };

/* Pages, behind which nothing can be read. */
static char *end;

static int make_pages(void **state) {
    (void)state;
    char *pages =
        mmap(NULL, BYTES + GUEST_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + BYTES, GUEST_PAGE, PROT_NONE) != 0)
        return -1;
    end = pages + BYTES;
    return 0;
}

static const void *const bad[] = {NULL, (void *)8, (void *)UINTPTR_MAX,
                                  (void *)(UINTPTR_MAX / 2 + 1)};

static void what_is_there_is_copied(void **state) {
    (void)state;
    char own[64] = "on the stack", into[64];
    assert_true(guest_copy(into, own, sizeof own));
    assert_string_equal(into, own);
    memset(end - BYTES, 7, BYTES);
    char *all = malloc(BYTES);
    assert_non_null(all);
    assert_true(guest_copy(all, end - BYTES, BYTES));
    assert_memory_equal(all, end - BYTES, BYTES);
    free(all);
    assert_true(guest_copy(into, NULL, 0));
}

static void what_is_not_there_is_refused(void **state) {
    (void)state;
    char into[64];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(guest_copy(into, bad[i], 1));
        assert_int_equal(guest_copy_string(into, sizeof into, bad[i]), -1);
        assert_false(guest_string_is(bad[i], ""));
    }
    assert_true(guest_copy(into, end - 1, 1));
    assert_false(guest_copy(into, end - 1, 2));
    assert_false(guest_copy(into, end, 1));
}

static void texts_may_end_with_their_page_and_be_cut(void **state) {
    (void)state;
    char into[16];
    memcpy(end - 5, "text", 5);
    assert_int_equal(guest_copy_string(into, sizeof into, end - 5), 4);
    assert_string_equal(into, "text");
    assert_true(guest_string_is(end - 5, "text"));
    assert_false(guest_string_is(end - 5, "text and more"));
    assert_int_equal(guest_copy_string(into, 5, end - 5), 4);
    assert_int_equal(guest_copy_string(into, 4, end - 5), 4);
    assert_string_equal(into, "tex");
    end[-1] = 'x';
    assert_int_equal(guest_copy_string(into, sizeof into, end - 5), -1);
    memcpy(end - GUEST_PAGE - 3, "across", 7);
    assert_int_equal(guest_copy_string(into, sizeof into, end - GUEST_PAGE - 3), 6);
    assert_string_equal(into, "across");
}

static bool count(const struct guest_variable *variable, void *context) {
    unsigned *counted = context;
    if (guest_variable_is(variable, "PORTWITNESS_RESTORED"))
        (*counted)++;
    return true;
}

/* The array and its texts, each in turn at every distance from the end of its page. */
static void environments_are_read_wherever_they_lie(void **state) {
    (void)state;
    const char text[] = "PORTWITNESS_RESTORED=9";
    for (unsigned at = sizeof text; at < 2 * sizeof text; at++) {
        char *place = end - GUEST_PAGE - at + sizeof text;
        memcpy(place, text, sizeof text);
        char *list[100];
        for (unsigned i = 0; i < 99; i++)
            list[i] = place;
        list[99] = NULL;
        unsigned counted = 0;
        assert_true(guest_environment_each(list, count, &counted));
        assert_int_equal(counted, 99);
        char *array = end - 100 * sizeof *list;
        memcpy(array, list, sizeof list);
        counted = 0;
        assert_true(guest_environment_each((char *const *)(void *)array, count, &counted));
        assert_int_equal(counted, 99);
        assert_ptr_equal(
            guest_environment_value((char *const *)(void *)array, "PORTWITNESS_RESTORED"),
            place + 21);
    }
    assert_true(guest_environment_each(NULL, count, NULL));
}

static void what_of_an_environment_is_bad_spoils_it(void **state) {
    (void)state;
    for (size_t i = 1; i < sizeof bad / sizeof *bad; i++) {
        unsigned counted = 0;
        char *list[] = {"A=1", (char *)(uintptr_t)bad[i], NULL};
        assert_false(guest_environment_each((char *const *)bad[i], count, &counted));
        assert_false(guest_environment_each(list, count, &counted));
        assert_null(guest_environment_value(list, "B"));
    }
    char *list[] = {"A=1", "A=2"};
    memcpy(end - sizeof list, list, sizeof list); /* without its NULL */
    unsigned counted = 0;
    assert_false(
        guest_environment_each((char *const *)(void *)(end - sizeof list), count, &counted));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_copied),
        cmocka_unit_test(what_is_not_there_is_refused),
        cmocka_unit_test(texts_may_end_with_their_page_and_be_cut),
        cmocka_unit_test(environments_are_read_wherever_they_lie),
        cmocka_unit_test(what_of_an_environment_is_bad_spoils_it),
    };
    return cmocka_run_group_tests(tests, make_pages, NULL);
}
