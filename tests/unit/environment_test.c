/* Following: what a program is given so that it is recorded, and that it sees none of it. The shim
 * is not a library, so its file is compiled in; a new process is one with forgotten settings. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "shim/process/environment.c"
#include "shim/process/environment_prefix.c"
#include "shim/process/guest_environment.c"
#include "shim/shared/run_variable.h"

enum { LIST = 16, TEXT = 512, NOBODY = 65534 };

static char folder[] = "/tmp/it's-environment-XXXXXX";
static char shim[64], trace[64];
static char preload_shim[TEXT], trace_variable[TEXT];
static char **own_environment;

static const struct program_facts ordinary = {.obstacle = 0};
static const struct program_facts sanitized = {.sanitizer = "libasan.so.8"};
static const struct program_facts foreign = {.obstacle = PW_BLIND_ARCHITECTURE};
static const struct program_facts denied = {.obstacle = PW_BLIND_NO_ACCESS};

static void make_file(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

/* A process as the kernel starts it: each string of its own, the list at their side. Its parent's
 * strings, of which the list may be made, stay. */
static void start_program(char *const *list) {
    static char both_strings[2][LIST][TEXT];
    static char *both_copies[2][LIST + 1];
    static unsigned next;
    char(*strings)[TEXT] = both_strings[next % 2];
    char **copies = both_copies[next++ % 2];
    size_t count = 0;
    for (; list[count] != NULL; count++) {
        assert_true(count < LIST && strlen(list[count]) < TEXT);
        copies[count] = strcpy(strings[count], list[count]);
    }
    copies[count] = NULL;
    memset(&settings, 0, sizeof settings);
    environ = copies;
}

#define ENVIRONMENT(...) ((char *[]){__VA_ARGS__, NULL})
#define NO_ENVIRONMENT ((char *[]){NULL})

static int make_folder(void **state) {
    (void)state;
    own_environment = environ;
    if (mkdtemp(folder) == NULL || chmod(folder, 0755) != 0)
        return -1;
    snprintf(shim, sizeof shim, "%s/libportwitness.so", folder);
    snprintf(trace, sizeof trace, "%s/trace", folder);
    snprintf(preload_shim, sizeof preload_shim, "LD_PRELOAD=%s", shim);
    snprintf(trace_variable, sizeof trace_variable, "PORTWITNESS_TRACE=%s", trace);
    return 0;
}

/* Each test begins in a recorded program whose shim and trace can be reached. */
static int start_recorded(void **state) {
    (void)state;
    make_file(shim);
    make_file(trace);
    start_program(ENVIRONMENT(preload_shim, trace_variable));
    return environment_read() == ENVIRONMENT_READ ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    environ = own_environment;
    unlink(shim);
    unlink(trace);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

static size_t length_of(char *const *list) {
    size_t length = 0;
    while (list[length] != NULL)
        length++;
    return length;
}

static bool has(char *const *list, const char *entry) {
    for (; *list != NULL; list++)
        if (strcmp(*list, entry) == 0)
            return true;
    return false;
}

/* The same entries; what the shim had replaced may stand elsewhere. */
static void is_same(char *const *made, char *const *expected) {
    for (size_t i = 0; expected[i] != NULL; i++)
        if (!has(made, expected[i]))
            fail_msg("%s is missing", expected[i]);
    assert_int_equal(length_of(made), length_of(expected));
}

/* What a program with these facts is given instead; in room of exactly the size asked for. */
static char **given_to(const struct program_facts *facts, char *const *list) {
    static void *space;
    struct environment_plan plan;
    free(space);
    space = NULL;
    size_t size = environment_plan(&plan, list, facts);
    assert_int_equal(plan.changed, size > 0);
    if (size == 0)
        return (char **)(uintptr_t)list;
    space = malloc(size);
    assert_non_null(space);
    return environment_build(&plan, space);
}

static void stays(const struct program_facts *facts, char *const *list) {
    struct environment_plan plan;
    assert_int_equal(environment_plan(&plan, list, facts), 0);
    assert_false(plan.changed);
}

static void preload_is(char *const *list, const char *expected) {
    const char *value = environment_get(list, "LD_PRELOAD");
    assert_non_null(value);
    assert_string_equal(value, expected);
}

static const char *with_shim(const char *form) {
    static char text[4][TEXT];
    static unsigned next;
    char *into = text[next++ % 4];
    snprintf(into, TEXT, form, shim);
    return into;
}

static void variables_are_got_by_their_whole_name(void **state) {
    (void)state;
    char *const *list = ENVIRONMENT("AB=1", "A", "A=2", "A=3", "B=");
    assert_string_equal(environment_get(list, "A"), "2");
    assert_string_equal(environment_get(list, "B"), "");
    assert_null(environment_get(list, "C"));
    assert_null(environment_get(NULL, "A"));
}

static void without_a_trace_nothing_is_asked_for(void **state) {
    (void)state;
    start_program(ENVIRONMENT(preload_shim));
    assert_int_equal(environment_read(), ENVIRONMENT_NONE);
    stays(&ordinary, NO_ENVIRONMENT);
    start_program(ENVIRONMENT(preload_shim, "PORTWITNESS_TRACE="));
    assert_int_equal(environment_read(), ENVIRONMENT_NONE);
    stays(&sanitized, NO_ENVIRONMENT);
}

static void settings_are_read_and_left_in_place(void **state) {
    (void)state;
    assert_string_equal(environment_trace(), trace);
    assert_false(environment_is_quiet());
    assert_false(environment_is_supervised());
    assert_true(environment_follows());
    is_same(environ, ENVIRONMENT(preload_shim, trace_variable));
    char *const *list = ENVIRONMENT(preload_shim, trace_variable, "PORTWITNESS_QUIET=1",
                                    "PORTWITNESS_NO_FOLLOW=yes", "PORTWITNESS_RUN=1");
    start_program(list);
    assert_int_equal(environment_read(), ENVIRONMENT_READ);
    assert_true(environment_is_quiet());
    assert_true(environment_is_supervised());
    assert_false(environment_follows());
    is_same(environ, list);
    start_program(ENVIRONMENT(preload_shim, trace_variable, "PORTWITNESS_QUIET=0",
                              "PORTWITNESS_NO_FOLLOW=", "PORTWITNESS_RUN=0"));
    assert_int_equal(environment_read(), ENVIRONMENT_READ);
    assert_false(environment_is_quiet());
    assert_false(environment_is_supervised());
    assert_true(environment_follows());
}

static void what_is_complete_stays(void **state) {
    (void)state;
    stays(&ordinary, ENVIRONMENT("A=1", preload_shim, trace_variable));
    char *both[] = {(char *)(uintptr_t)with_shim("LD_PRELOAD=first.so:%s last.so"), trace_variable,
                    NULL};
    stays(&ordinary, both);
}

static void cleared_variables_are_put_back(void **state) {
    (void)state;
    char **made = given_to(&ordinary, NO_ENVIRONMENT);
    is_same(made, ENVIRONMENT(preload_shim, trace_variable, "PORTWITNESS_RESTORED=9"));
    made = given_to(&ordinary, NULL); /* execve(path, argv, NULL) */
    assert_int_equal(length_of(made), 3);
    made = given_to(&ordinary, ENVIRONMENT("A=1", "odd", preload_shim));
    assert_string_equal(made[0], "A=1");
    assert_string_equal(made[1], "odd");
    is_same(made,
            ENVIRONMENT("A=1", "odd", preload_shim, trace_variable, "PORTWITNESS_RESTORED=8"));
}

static void what_run_said_goes_on_to_the_next_program(void **state) {
    (void)state;
    struct run_variable run;
    char said[] = "PORTWITNESS_RUN=1:2:3.0.0.0.18446744073709551615";
    char *own[] = {preload_shim, trace_variable, said, NULL};
    start_program(own);
    assert_int_equal(environment_read(), ENVIRONMENT_READ);
    char **made = given_to(&ordinary, NO_ENVIRONMENT);
    assert_non_null(strstr(made[2], said));
    assert_string_equal(made[3], "PORTWITNESS_RESTORED=73");
    assert_true(run_variable_read(environment_run(), &run));
    assert_int_equal(run.filters, 2);
    assert_int_equal(run.policy.kind, PW_POLICY_SEEDED);
    assert_true(run.policy.seed == UINT64_MAX);
}

static void what_is_executed_can_be_released(void **state) {
    (void)state;
    static const char *const given[][2] = {{"%s", ""},
                                           {"first.so:%s", "first.so"},
                                           {"%s:last.so", "last.so"},
                                           {"first.so %s last.so", "first.so last.so"},
                                           {"other.so", "other.so"}};
    for (unsigned i = 0; i < sizeof given / sizeof *given; i++) {
        char preload[TEXT] = "LD_PRELOAD=";
        snprintf(preload + strlen(preload), sizeof preload - strlen(preload), given[i][0], shim);
        start_program(ENVIRONMENT(preload, trace_variable));
        environment_find_own();
        environment_release(environ[0], environ[1] + TEXT);
        assert_string_equal(environment_get(environ, "LD_PRELOAD"), given[i][1]);
        assert_string_equal(environment_get(environ, "PORTWITNESS_TRACE"), "");
    }
}

static void the_shim_comes_behind_other_preloads(void **state) {
    (void)state;
    preload_is(given_to(&ordinary, ENVIRONMENT("LD_PRELOAD=a.so b.so", trace_variable)),
               with_shim("a.so b.so:%s"));
    preload_is(given_to(&ordinary, ENVIRONMENT("LD_PRELOAD=", trace_variable)), with_shim(":%s"));
    preload_is(given_to(&ordinary, ENVIRONMENT("LD_PRELOAD=libportwitness.so.old")),
               with_shim("libportwitness.so.old:%s"));
}

static void a_sanitizers_runtime_comes_first(void **state) {
    (void)state;
    char runtime_first[TEXT];
    preload_is(given_to(&sanitized, NO_ENVIRONMENT), with_shim("libasan.so.8:%s"));
    preload_is(given_to(&sanitized, ENVIRONMENT("LD_PRELOAD=a.so")),
               with_shim("libasan.so.8:a.so:%s"));
    preload_is(given_to(&sanitized, ENVIRONMENT(preload_shim, trace_variable)),
               with_shim("libasan.so.8:%s"));
    snprintf(runtime_first, sizeof runtime_first, "LD_PRELOAD=/usr/lib/libasan.so.8:%s", shim);
    stays(&sanitized, ENVIRONMENT(runtime_first, trace_variable));
}

static void a_foreign_program_is_spared_the_shim(void **state) {
    (void)state;
    static const char *const forms[][2] = {{"LD_PRELOAD=%s", ""},
                                           {"LD_PRELOAD=%s:b.so", "b.so"},
                                           {"LD_PRELOAD=a.so:%s", "a.so"},
                                           {"LD_PRELOAD=a.so %s b.so", "a.so b.so"}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char *list[] = {(char *)(uintptr_t)with_shim(forms[i][0]), trace_variable, "A=1", NULL};
        char **made = given_to(&foreign, list);
        preload_is(made, forms[i][1]);
        assert_int_equal(length_of(made), 3);
        assert_true(has(made, "A=1") && has(made, trace_variable));
    }
    stays(&foreign, ENVIRONMENT(trace_variable, "LD_PRELOAD=a.so"));
    stays(&foreign, NO_ENVIRONMENT);
    stays(&foreign, ENVIRONMENT("LD_PRELOAD=a.so"));
}

/* After chroot the loader would complain of a library that it cannot find. */
static void so_is_every_program_where_the_shim_is_gone(void **state) {
    (void)state;
    unlink(shim);
    preload_is(given_to(&ordinary, ENVIRONMENT(preload_shim, trace_variable)), "");
    stays(&sanitized, NO_ENVIRONMENT);
}

static void a_relative_trace_is_made_absolute_for_good(void **state) {
    (void)state;
    char before[TEXT];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    start_program(ENVIRONMENT("LD_PRELOAD=./libportwitness.so", "PORTWITNESS_TRACE=trace"));
    bool good = environment_read() == ENVIRONMENT_READ;
    assert_int_equal(chdir("/"), 0);
    assert_true(good);
    assert_string_equal(environment_trace(), trace);
    char **made = given_to(&ordinary, environ);
    is_same(made, ENVIRONMENT("LD_PRELOAD=./libportwitness.so", trace_variable));
    /* Another trace than ours is what the program wants. */
    stays(&ordinary, ENVIRONMENT(preload_shim, "PORTWITNESS_TRACE=other"));
    char absolute[TEXT];
    snprintf(absolute, sizeof absolute, "%s/./libportwitness.so", folder);
    preload_is(given_to(&ordinary, NO_ENVIRONMENT), absolute);
    assert_int_equal(chdir("/"), 0);
    start_program(ENVIRONMENT(preload_shim, "PORTWITNESS_TRACE=trace"));
    assert_int_equal(environment_read(), ENVIRONMENT_READ);
    assert_string_equal(environment_trace(), "/trace");
    assert_int_equal(chdir(before), 0);
}

static void without_following_cleared_variables_stay_cleared(void **state) {
    (void)state;
    struct environment_plan plan;
    char *const *list = ENVIRONMENT(preload_shim, trace_variable, "PORTWITNESS_NO_FOLLOW=1");
    start_program(list);
    assert_int_equal(environment_read(), ENVIRONMENT_READ);
    assert_int_equal(environment_plan(&plan, NO_ENVIRONMENT, &ordinary), 0);
    assert_true(plan.lost);
    assert_int_equal(environment_plan(&plan, list, &ordinary), 0);
    assert_false(plan.lost);
}

static void one_warning_a_tree_is_enough(void **state) {
    (void)state;
    char *const *complete = ENVIRONMENT(preload_shim, trace_variable);
    struct environment_plan plan;
    assert_true(environment_plan(&plan, complete, &denied) > 0);
    assert_true(plan.at_once);
    environment_be_quiet();
    assert_true(environment_is_quiet());
    is_same(given_to(&ordinary, complete),
            ENVIRONMENT(preload_shim, trace_variable, "PORTWITNESS_QUIET=1",
                        "PORTWITNESS_RESTORED=16"));
    stays(&ordinary, ENVIRONMENT(preload_shim, trace_variable, "PORTWITNESS_QUIET=1"));
}

/* A child finds all that it needs, and then exactly what its parent had given it. */
static void comes_through(const struct program_facts *facts, char *const *list, bool quiet) {
    struct environment_plan plan;
    start_program(ENVIRONMENT(preload_shim, trace_variable));
    assert_int_equal(environment_read(), ENVIRONMENT_READ);
    if (quiet)
        environment_be_quiet();
    for (int generation = 0; generation < 3; generation++) {
        start_program(given_to(facts, generation == 0 ? list : environ));
        assert_int_equal(environment_read(), ENVIRONMENT_READ);
        is_same(environ, list);
        assert_string_equal(environment_trace(), trace);
        assert_int_equal(environment_is_quiet(), quiet);
        assert_int_equal(environment_is_supervised(), environment_get(list, TRACE) == NULL);
    }
    /* And its own children are followed like any. */
    size_t size = environment_plan(&plan, list, facts);
    assert_int_equal(size == 0, facts == &ordinary && !quiet && has(list, preload_shim) &&
                                    has(list, trace_variable));
}

static void a_child_gets_back_what_it_was_given(void **state) {
    (void)state;
    char runtime[TEXT], other[TEXT];
    snprintf(runtime, sizeof runtime, "LD_PRELOAD=libasan.so.8:%s", shim);
    snprintf(other, sizeof other, "LD_PRELOAD=a.so:%s", shim);
    char *const *const lists[] = {
        NO_ENVIRONMENT,
        ENVIRONMENT("A=1", "PATH=/bin"),
        ENVIRONMENT("LD_PRELOAD=a.so:b.so", "LD_PRELOADED=x"),
        ENVIRONMENT("LD_PRELOAD=a.so b.so", trace_variable),
        ENVIRONMENT("LD_PRELOAD="),
        ENVIRONMENT("odd", "", "=", "PORTWITNESS_TRACED=1"),
        ENVIRONMENT(preload_shim, trace_variable, "A=1"),
        ENVIRONMENT(preload_shim),
        ENVIRONMENT(trace_variable),
        ENVIRONMENT(runtime),
        ENVIRONMENT(other, "B=2"),
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (int quiet = 0; quiet < 2; quiet++) {
            comes_through(&ordinary, lists[i], quiet != 0);
            comes_through(&sanitized, lists[i], quiet != 0);
        }
}

/* Runs `prefix` and then a command in a real shell; says what the command printed. */
static const char *printed_by_shell(const char *prefix, const char *command) {
    static char output[TEXT];
    char script[4 * TEXT];
    snprintf(script, sizeof script, "%s%s", prefix, command);
    environ = own_environment;
    FILE *shell = popen(script, "r");
    assert_non_null(shell);
    output[fread(output, 1, sizeof output - 1, shell)] = '\0';
    assert_int_equal(pclose(shell), 0);
    return output;
}

static void a_shell_sets_the_same_by_a_prefix(void **state) {
    (void)state;
    struct environment_plan plan;
    char prefix[2 * TEXT], expected[2 * TEXT];
    char *const *list = ENVIRONMENT("LD_PRELOAD=a' b.so:$(exit 1)`exit 1`\\");
    void *space = malloc(environment_plan(&plan, list, &ordinary));
    assert_non_null(space);
    size_t length = environment_prefix(&plan, space, prefix, sizeof prefix);
    assert_int_equal(length, strlen(prefix));
    snprintf(expected, sizeof expected, "%s\n%s:%s\n10\n", trace, "a' b.so:$(exit 1)`exit 1`\\",
             shim);
    /* Built-in commands alone: a program would be made to load what is listed. */
    assert_string_equal(printed_by_shell(prefix,
                                         "printf '%s\\n' \"$PORTWITNESS_TRACE\" \"$LD_PRELOAD\" "
                                         "\"$PORTWITNESS_RESTORED\""),
                        expected);
    assert_string_equal(
        printed_by_shell(prefix,
                         "case $(export -p) in *PORTWITNESS_RESTORED=*) echo exported; esac"),
        "exported\n");
    free(space);
}

static void a_prefix_is_no_longer_than_its_room(void **state) {
    (void)state;
    struct environment_plan plan;
    char whole[TEXT], part[TEXT];
    void *space = malloc(environment_plan(&plan, NO_ENVIRONMENT, &ordinary));
    assert_non_null(space);
    size_t length = environment_prefix(&plan, space, whole, sizeof whole);
    assert_true(length < sizeof whole);
    for (size_t size = 0; size <= length; size++) {
        memset(part, '#', sizeof part);
        assert_int_equal(environment_prefix(&plan, space, part, size), length);
        assert_memory_equal(part, whole, size);
        assert_int_equal(part[size], '#');
    }
    assert_int_equal(environment_prefix(&plan, space, part, length + 1), length);
    assert_string_equal(part, whole);
    free(space);
}

static int obstacle_for_nobody(void) {
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(setresuid(NOBODY, NOBODY, NOBODY) == 0 ? environment_obstacle() : 100);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_program_must_reach_the_shim_and_the_trace(void **state) {
    (void)state;
    assert_int_equal(environment_obstacle(), 0);
    if (geteuid() == 0) {
        assert_int_equal(obstacle_for_nobody(), PW_BLIND_NO_ACCESS);
        assert_int_equal(chmod(trace, 0666), 0);
        assert_int_equal(obstacle_for_nobody(), PW_BLIND_NO_ACCESS); /* the shim's own mode */
        assert_int_equal(chmod(shim, 0644), 0);
        assert_int_equal(obstacle_for_nobody(), 0);
    }
    unlink(shim);
    assert_int_equal(environment_obstacle(), PW_BLIND_UNREACHABLE);
    make_file(shim);
    assert_int_equal(environment_obstacle(), 0);
    unlink(trace);
    assert_int_equal(environment_obstacle(), PW_BLIND_UNREACHABLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_recorded, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(variables_are_got_by_their_whole_name),
        TEST(without_a_trace_nothing_is_asked_for),
        TEST(settings_are_read_and_left_in_place),
        TEST(what_is_complete_stays),
        TEST(cleared_variables_are_put_back),
        TEST(what_is_executed_can_be_released),
        TEST(what_run_said_goes_on_to_the_next_program),
        TEST(the_shim_comes_behind_other_preloads),
        TEST(a_sanitizers_runtime_comes_first),
        TEST(a_foreign_program_is_spared_the_shim),
        TEST(so_is_every_program_where_the_shim_is_gone),
        TEST(a_relative_trace_is_made_absolute_for_good),
        TEST(without_following_cleared_variables_stay_cleared),
        TEST(one_warning_a_tree_is_enough),
        TEST(a_child_gets_back_what_it_was_given),
        TEST(a_shell_sets_the_same_by_a_prefix),
        TEST(a_prefix_is_no_longer_than_its_room),
        TEST(a_program_must_reach_the_shim_and_the_trace),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
