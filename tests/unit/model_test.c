/* The model's language, and a few answers that are easy to predict; tests/property has the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "harness/model/model.h"

static struct model model;
static struct operation_names names;

static int begin(void **state) {
    (void)state;
    names = (struct operation_names){.count = 0};
    model_begin(&model, 20000, 20003);
    return 0;
}

static int end(void **state) {
    (void)state;
    model_end(&model);
    return 0;
}

/* Answers one operation; where a port is chosen it is the first. */
static struct model_answer say(const char *text) {
    struct operation_problem problem;
    struct operation operation;
    bool none;
    if (!operation_read(text, &names, &operation, &none, &problem))
        fail_msg("%s: %s", text, problem.what);
    struct model_answer answer = {.error = 0};
    if (none)
        return answer;
    answer = model_apply(&model, &operation);
    if (answer.chooses && answer.possible_count > 0)
        model_chose(&model, &operation, answer.possible[0]);
    return answer;
}

static int error_of(const char *text) {
    struct model_answer answer = say(text);
    int error = answer.error;
    model_answer_free(&answer);
    return error;
}

static void what_is_read_is_written_again(void **state) {
    (void)state;
    static const char *const texts[] = {
        "a tcp",         "a reuseaddr on",       "a reuseport off", "a device eth0",
        "a device none", "a bind 127.0.0.1:80",  "a listen",        "a connect 127.0.0.1:1",
        "a disconnect",  "a shutdown",           "a noport on",     "a ports 20001 20002",
        "b udp6",        "b v6only on",          "b bind [::1]:53", "range 20000 20010",
        "reserved 0 0",  "reserved 20001 20002", "b close"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct operation_problem problem;
        struct operation operation;
        char text[128];
        bool none;
        assert_true(operation_read(texts[i], &names, &operation, &none, &problem));
        assert_string_equal(operation_text(&operation, &names, text, sizeof text), texts[i]);
    }
}

static void a_wrong_word_is_named(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *word;
    } wrong[] = {{"a tcp7", "'tcp7' is not tcp"},      {"range 5 x", "invalid port 'x'"},
                 {"range 5 4", "invalid range '5 4'"}, {"range 5", "'range' needs two numbers"},
                 {"a uid x", "invalid user ID 'x'"},   {"a uid", "'uid' needs one number"},
                 {"a", "missing word after 'a'"},      {"", "empty operation"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct operation_problem problem = {.what = ""};
        struct operation operation;
        bool none;
        assert_false(operation_read(wrong[i].text, &names, &operation, &none, &problem));
        assert_non_null(strstr(problem.what, wrong[i].word));
    }
}

static void two_of_one_address_conflict_and_of_two_addresses_not(void **state) {
    (void)state;
    assert_int_equal(error_of("a tcp"), 0);
    assert_int_equal(error_of("a bind 127.0.0.1:8080"), 0);
    assert_int_equal(error_of("b tcp"), 0);
    assert_int_equal(error_of("b bind 127.0.0.1:8080"), EADDRINUSE);
    assert_int_equal(error_of("b bind 127.0.0.2:8080"), 0);
    assert_int_equal(error_of("c tcp6"), 0);
    assert_int_equal(error_of("c bind [::]:8080"), EADDRINUSE);
    assert_int_equal(error_of("c v6only on"), 0);
    assert_int_equal(error_of("c bind [::]:8080"), 0);
}

static void port_zero_has_a_set_and_ends_when_it_is_used_up(void **state) {
    (void)state;
    static const char *const names_of[] = {"a", "b", "c", "d", "e"};
    char text[32];
    for (unsigned i = 0; i < 5; i++) {
        snprintf(text, sizeof text, "%s tcp", names_of[i]);
        assert_int_equal(error_of(text), 0);
        snprintf(text, sizeof text, "%s bind 0.0.0.0:0", names_of[i]);
        struct model_answer answer = say(text);
        /* 20001 and 20003 first, then 20000 and 20002. */
        assert_int_equal(answer.possible_count, i == 4 ? 0 : i % 2 == 0 ? 2 : 1);
        assert_int_equal(answer.error, i == 4 ? EADDRINUSE : 0);
        if (i < 2)
            assert_int_equal(answer.possible[0] % 2, 1);
        model_answer_free(&answer);
    }
}

static void a_user_s_socket_has_no_privileged_port(void **state) {
    (void)state;
    assert_int_equal(error_of("a uid 1000"), 0);
    assert_int_equal(error_of("a tcp"), 0);
    assert_int_equal(error_of("a bind 127.0.0.1:80"), EACCES);
}

static void every_rule_has_a_name_and_words(void **state) {
    (void)state;
    for (int rule = 0; rule < MODEL_RULES; rule++) {
        assert_non_null(model_rule_name((enum model_rule)rule));
        assert_non_null(model_rule_words((enum model_rule)rule));
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_read_is_written_again),
        TEST(a_wrong_word_is_named),
        TEST(two_of_one_address_conflict_and_of_two_addresses_not),
        TEST(port_zero_has_a_set_and_ends_when_it_is_used_up),
        TEST(a_user_s_socket_has_no_privileged_port),
        TEST(every_rule_has_a_name_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
