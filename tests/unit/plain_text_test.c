/* What a terminal would obey. */
#include "harness/base/plain_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_plain(const char *text, const char *expected) {
    char copy[128];
    strcpy(copy, text);
    plain_text_make(copy);
    assert_string_equal(copy, expected);
}

static void control_characters_are_replaced(void **state) {
    (void)state;
    assert_plain("a\033[2Jb\tc\177", "a?[2Jb?c?");
    assert_plain("a\302\233"
                 "2Jb\302\200\302\237",
                 "a?2Jb??");
    assert_plain("a\233"
                 "2Jb\200\237",
                 "a?2Jb??");
}

static void marks_of_direction_are_replaced(void **state) {
    (void)state;
    assert_plain("a\342\200\252\342\200\256b\342\201\246\342\201\251c", "a??b??c");
    assert_plain("\342\200\251\342\200\257\342\201\245\342\201\252",
                 "\342\200\251\342\200\257\342\201\245\342\201\252");
}

static void other_text_stays(void **state) {
    (void)state;
    assert_plain("", "");
    assert_plain("plain", "plain");
    /* Characters with bytes of that range: e with a caron, a dash, a face. */
    assert_plain("\304\233 \342\200\223 \360\237\230\200",
                 "\304\233 \342\200\223 \360\237\230\200");
    assert_plain("\344\366\374", "\344\366\374");
}

static void what_is_cut_is_no_character(void **state) {
    (void)state;
    assert_plain("\304", "\304");
    assert_plain("\342\200", "\342?");
    assert_plain("\360\237\230", "\360??");
    assert_plain("\300\233", "\300?");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(control_characters_are_replaced),
                                       cmocka_unit_test(marks_of_direction_are_replaced),
                                       cmocka_unit_test(other_text_stays),
                                       cmocka_unit_test(what_is_cut_is_no_character)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
