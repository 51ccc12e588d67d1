/* Cells of a column begin or end below each other, and nothing in them reaches the terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/base/columns.h"

static struct columns columns;

static int begin(void **state) {
    (void)state;
    columns = (struct columns){.count = 3, .right = {[0] = true}};
    return 0;
}

static int end(void **state) {
    (void)state;
    columns_free(&columns);
    return 0;
}

static void add_row(const char *first, const char *second, const char *third) {
    columns_add(&columns, first);
    columns_add(&columns, second);
    columns_add(&columns, third);
}

static void assert_table(const char *expected) {
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    columns_write(&columns, to);
    fclose(to);
    assert_string_equal(text, expected);
    free(text);
}

static void columns_are_as_wide_as_their_widest_cell(void **state) {
    (void)state;
    add_row("N", "NAME", "END");
    add_row("100", "a", "");
    add_row("7", "longer", "last");
    assert_table("  N  NAME    END\n"
                 "100  a       \n"
                 "  7  longer  last\n");
}

static void a_last_column_on_the_right_is_filled_up(void **state) {
    (void)state;
    columns.right[2] = true;
    add_row("a", "b", "c");
    add_row("a", "", "ccc");
    assert_table("a  b    c\na     ccc\n");
}

static void hidden_columns_leave_nothing(void **state) {
    (void)state;
    columns.hidden[2] = true;
    add_row("a", "b", "hidden");
    add_row("a", "bb", "");
    assert_table("a  b\na  bb\n");
}

static void what_a_terminal_would_obey_is_replaced_before_it_is_measured(void **state) {
    (void)state;
    add_row("1", "x\x1b[2Jy\xc2\x9bz\xc3\xa9", "end");
    add_row("2", "", "end");
    assert_table("1  x?[2Jy?z\xc3\xa9  end\n"
                 "2              end\n");
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(columns_are_as_wide_as_their_widest_cell),
        TEST(a_last_column_on_the_right_is_filled_up),
        TEST(hidden_columns_leave_nothing),
        TEST(what_a_terminal_would_obey_is_replaced_before_it_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
