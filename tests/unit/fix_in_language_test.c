/* A fix in the words of the language that the program is written in. */
#include "harness/report/fix_in_language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/base/memory.h"

static struct check check;
static struct finding finding;

static void add_process(uint64_t serial, const char *comm, const char *command) {
    struct pw_process identity = {.pid = 500 + (uint32_t)serial, .serial = serial};
    struct trace_record record = {.kind = PW_KIND_PROCESS_START,
                                  .process = serial,
                                  .source = PW_SOURCE_SHIM,
                                  .identity = &identity,
                                  .text = command,
                                  .text_length = strlen(command)};
    memcpy(identity.comm, comm, strlen(comm));
    processes_note(&check.traces[0].processes, &record);
}

static int begin(void **state) {
    (void)state;
    check = (struct check){.traces = memory_zeroed(1, sizeof *check.traces), .trace_count = 1};
    finding = (struct finding){.subject.process = 1};
    return 0;
}

static int end(void **state) {
    (void)state;
    check_free(&check);
    return 0;
}

static void assert_says(const char *comm, const char *command, enum fix_means means,
                        const char *part) {
    begin(NULL);
    add_process(1, comm, command);
    const char *words = fix_in_language(&check, &finding, means);
    if (part == NULL ? words != NULL : words == NULL || strstr(words, part) == NULL)
        fail_msg("%s (%s): %s, not %s", comm, command, words != NULL ? words : "nothing",
                 part != NULL ? part : "nothing");
    end(NULL);
}

static void each_language_has_its_words(void **state) {
    (void)state;
    static const struct {
        const char *comm;
        const char *words[FIX_MEANS];
    } languages[] = {
        {"python3.11",
         {NULL, "create_server((host, 0))", "allow_reuse_address = True", "close_fds=True",
          "IPV6_V6ONLY, 1", "with socket.create_server"}},
        {"node", {NULL, "listen(0)", NULL, NULL, "ipv6Only: true", "server.close()"}},
        {"java",
         {NULL, "new ServerSocket(0)", "setReuseAddress(true)", NULL, NULL, "try (ServerSocket"}},
        {"perl", {NULL, "LocalPort => 0", "ReuseAddr => 1", "$^F", "V6Only => 1", NULL}},
        {"sh", {NULL, NULL, NULL, NULL, NULL, NULL}}};
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++)
        for (enum fix_means means = FIX_NOTHING; means < FIX_MEANS; means++)
            assert_says(languages[i].comm, "", means, languages[i].words[means]);
}

static void a_script_goes_by_its_interpreter(void **state) {
    (void)state;
    assert_says("pytest", "/usr/bin/python3 /usr/bin/pytest -n 4", FIX_PORT_ZERO, "in Python");
    assert_says("gunicorn", "python3.11 /usr/bin/gunicorn", FIX_PORT_ZERO, "in Python");
    assert_says("MainThread", "/opt/node/bin/node server.js", FIX_PORT_ZERO, "in Node");
    assert_says("starman", "/usr/bin/perl starman", FIX_PORT_ZERO, "in Perl");
    assert_says("server", "/srv/python3/bin/server python3", FIX_PORT_ZERO, NULL);
}

static void the_file_that_calls_counts_where_both_names_were_changed(void **state) {
    (void)state;
    struct pw_numbers range = {.number = {0x1000, 0x2000, 0}};
    struct trace_record record = {.kind = PW_KIND_MODULE,
                                  .process = 1,
                                  .source = PW_SOURCE_SHIM,
                                  .numbers = &range,
                                  .text = "/usr/bin/python3.11",
                                  .text_length = strlen("/usr/bin/python3.11")};
    begin(NULL);
    add_process(1, "worker", "worker: idle");
    assert_null(fix_in_language(&check, &finding, FIX_PORT_ZERO));
    modules_note(&check.traces[0].modules, &record);
    finding.subject.site = 0x1800;
    finding.subject.unit = 1;
    assert_non_null(fix_in_language(&check, &finding, FIX_PORT_ZERO));
    end(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_language_has_its_words),
        cmocka_unit_test(a_script_goes_by_its_interpreter),
        cmocka_unit_test(the_file_that_calls_counts_where_both_names_were_changed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
