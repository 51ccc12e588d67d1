/* Command lines cut to a width, with what tells one from another. */
#include "harness/report/command_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char text[COMMAND_TEXT_SIZE];

static void a_short_command_stays_as_it_is(void **state) {
    (void)state;
    assert_string_equal(command_text("/usr/bin/python3 server.py", NULL, text),
                        "/usr/bin/python3 server.py");
}

static void a_long_one_loses_its_folder_first(void **state) {
    (void)state;
    assert_string_equal(
        command_text("/a/very/long/path/to/some/folder/of/programs/server --port 8080", NULL, text),
        "server --port 8080");
    assert_string_equal(command_text("/usr/bin/python3 /builds/of/some/continuous/integration/"
                                     "tests/run.py / /a/ --x=/a/b",
                                     NULL, text),
                        "python3 run.py / a/ --x=/a/b");
}

static void then_the_middle_and_the_end_stays(void **state) {
    (void)state;
    assert_string_equal(
        command_text("server --with-many-options --of-which --nobody --wants --to-see --one "
                     "--but-the-last=8080",
                     NULL, text),
        "server --with-many-optio...-see --one --but-the-last=8080");
}

static void what_differs_stays_wherever_it_is(void **state) {
    (void)state;
    static const char end[] =
        " --then --a --great --many --options --that --are --all --the --same";
    char one[200] = "server --first --second --third --shard=3";
    char other[200] = "server --first --second --third --shard=4";
    strcat(one, end);
    strcat(other, end);
    assert_non_null(strstr(command_text(one, other, text), "--shard=3"));
    assert_non_null(strstr(command_text(other, one, text), "--shard=4"));
    assert_true(strlen(text) < COMMAND_TEXT_SIZE);
}

static void a_character_is_not_cut_in_two(void **state) {
    (void)state;
    char command[201] = "x";
    for (size_t i = 1; i < 199; i += 2)
        memcpy(command + i, "\303\244", 3);
    command_text(command, NULL, text);
    const char *gap = strstr(text, "...");
    assert_non_null(gap);
    assert_int_equal((gap - text) % 2, 1);
    assert_int_equal((unsigned char)gap[3], 0303);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_command_stays_as_it_is),
        cmocka_unit_test(a_long_one_loses_its_folder_first),
        cmocka_unit_test(then_the_middle_and_the_end_stays),
        cmocka_unit_test(what_differs_stays_wherever_it_is),
        cmocka_unit_test(a_character_is_not_cut_in_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
