/* The policies stand side by side: what fails under one and not under another says what it is. */
#include "harness/stress/stress_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/base/columns.h"
#include "harness/base/json_line.h"
#include "harness/base/message.h"
#include "harness/base/progress.h"
#include "harness/stress/test_report.h"

void stress_report_progress(const struct stress_row *row, unsigned done, unsigned rounds) {
    if (row == NULL)
        progress_say("reproducing the first failure, try %u", done + 1);
    else
        progress_show((double)done / rounds, "%s%s: round %u of %u, %" PRIu64 " failed",
                      row->policy->text, row->isolated ? ", isolated" : "", done + 1, rounds,
                      row->failed);
}

__attribute__((format(printf, 2, 3))) static void add(struct columns *columns, const char *format,
                                                      ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    columns_add(columns, text);
}

/* "1", "SIGKILL" or "timeout". */
static const char *ending_name(const struct stress_ending *ending, char *text, size_t size) {
    if (ending->timed_out)
        snprintf(text, size, "timeout");
    else if (WIFSIGNALED(ending->wait_status))
        snprintf(text, size, "SIG%s",
                 sigabbrev_np(WTERMSIG(ending->wait_status)) != NULL
                     ? sigabbrev_np(WTERMSIG(ending->wait_status))
                     : "?");
    else
        snprintf(text, size, "%d", WEXITSTATUS(ending->wait_status));
    return text;
}

static void add_failures(struct columns *columns, const struct stress_row *row) {
    char text[512];
    char name[32];
    size_t used = (size_t)snprintf(text, sizeof text, "%" PRIu64, row->failed);
    for (unsigned i = 0; i < row->ending_count && used + 64 < sizeof text; i++)
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%s%s: %" PRIu64, i == 0 ? " (" : ", ",
            ending_name(&row->endings[i], name, sizeof name), row->endings[i].count);
    if (row->ending_count > 0)
        snprintf(text + used, sizeof text - used, ")");
    columns_add(columns, text);
}

static void add_row(struct columns *columns, const struct stress_row *row) {
    add(columns, "%s%s", row->policy->text, row->isolated ? ", isolated" : "");
    add(columns, "%" PRIu64, row->runs);
    add_failures(columns, row);
    add(columns, "%" PRIu64, row->lost_races);
    add(columns, "%" PRIu64, row->double_hand_outs);
    add(columns, "%" PRIu64, row->race_windows);
    add(columns, "%" PRIu64, row->address_in_use);
    add(columns, "%.1f s", (double)row->ns / 1e9);
}

/* As a shell reads it. */
static void print_quoted(const char *word) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,@%+-";
    if (*word != '\0' && word[strspn(word, plain)] == '\0') {
        printf(" %s", word);
        return;
    }
    fputs(" '", stdout);
    for (; *word != '\0'; word++)
        if (*word == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*word);
    putchar('\'');
}

static void print_command(const struct stress_session *session) {
    const struct stress_failure *first = &session->first;
    unsigned copies = first->copies != 0 ? first->copies : session->options->copies;
    const char *pytest = session->options->pytest ? " --pytest" : "";
    if (copies == 1 && !first->isolated)
        printf("  portwitness run --check --policy %s%s --", first->policy, pytest);
    else
        printf("  portwitness stress -j %u --rounds 1 --policy %s%s%s --", copies, first->policy,
               first->isolated ? " --isolate" : "", pytest);
    for (char **word = session->options->command; *word != NULL; word++)
        print_quoted(*word);
    putchar('\n');
}

static void print_failure(const struct stress_session *session) {
    const struct stress_failure *first = &session->first;
    if (!first->any)
        return;
    printf("Output and trace of %u round%s that failed are in %s; the first is %s.\n",
           session->kept, plural(session->kept), session->folder, first->folder);
    if (first->copies != 0)
        puts("The shortest command that reproduced it:");
    else if (session->interrupted)
        puts("Reproducing it was not tried. It came from:");
    else
        printf("It was not reproduced in %u %s. It came from:\n", first->tries,
               first->tries == 1 ? "try" : "tries");
    print_command(session);
}

static void print_isolation(const struct stress_session *session) {
    for (unsigned i = 1; i < session->row_count; i++) {
        const struct stress_row *together = &session->rows[i - 1];
        const struct stress_row *isolated = &session->rows[i];
        if (!isolated->isolated || together->failed == 0 || isolated->runs == 0)
            continue;
        if (isolated->failed == 0)
            printf("%s: all %" PRIu64 " failure%s go%s away in network namespaces of their own: "
                   "%s.\n",
                   together->policy->text, together->failed, plural(together->failed),
                   together->failed == 1 ? "es" : "",
                   together->failed == 1 ? "it is a port race" : "they are port races");
        else
            printf("%s: of %" PRIu64 " failure%s in %" PRIu64 " run%s, %" PRIu64 " in %" PRIu64
                   " are left in network namespaces of their own: those are no races for ports.\n",
                   together->policy->text, together->failed, plural(together->failed),
                   together->runs, plural(together->runs), isolated->failed, isolated->runs);
    }
}

/* The policies' area is of one size, and each namespace takes its share of it. */
static void print_unreached(const struct stress_row *row) {
    char names[FIRST_NAMES_BYTES];
    if (row->unreached > 0)
        printf("%s%s: %" PRIu64 " request%s in network namespaces that the policy has no room "
               "for, and left to the kernel.\n",
               row->policy->text, row->isolated ? ", isolated" : "", row->unreached,
               row->unreached == 1 ? " was" : "s were");
    if (row->isolated && row->policy->config.kind == PW_POLICY_KEEP)
        printf("%s, isolated: nothing was kept in the copies' own network namespaces.\n",
               row->policy->text);
    if (row->programs_unreached > 0)
        printf("%s%s: %" PRIu64 " program%s not reached by the policy: the kernel chose "
               "%s ports (%s).\n",
               row->policy->text, row->isolated ? ", isolated" : "", row->programs_unreached,
               row->programs_unreached == 1 ? " was" : "s were",
               row->programs_unreached == 1 ? "its" : "their",
               first_names_text(&row->unreached_names, names));
}

static void print_timeouts(const struct stress_session *session) {
    uint64_t count = 0;
    for (unsigned i = 0; i < session->row_count; i++)
        for (unsigned j = 0; j < session->rows[i].ending_count; j++)
            if (session->rows[i].endings[j].timed_out)
                count += session->rows[i].endings[j].count;
    if (count > 0)
        printf("%" PRIu64 " %s ended after %u s, the limit of --timeout.\n", count,
               count == 1 ? "copy was" : "copies were", session->options->timeout_seconds);
}

void stress_report_table(const struct stress_session *session) {
    static const char *const heading[] = {
        "POLICY",           "RUNS",         "FAILED", "LOST RACES",
        "DOUBLE HAND-OUTS", "RACE WINDOWS", "IN USE", "TIME"};
    const size_t count = sizeof heading / sizeof *heading;
    struct columns columns = {.count = count};
    unsigned incomplete = 0;
    for (size_t i = 0; i < count; i++) {
        columns.right[i] = i > 0;
        columns_add(&columns, heading[i]);
    }
    for (unsigned i = 0; i < session->row_count; i++) {
        add_row(&columns, &session->rows[i]);
        incomplete += session->rows[i].incomplete;
    }
    columns_write(&columns, stdout);
    columns_free(&columns);
    for (unsigned i = 0; i < session->row_count; i++)
        print_unreached(&session->rows[i]);
    print_timeouts(session);
    test_report_table(session);
    if (session->interrupted)
        puts("Interrupted: the last round is not counted.");
    if (incomplete > 0)
        printf("%u round%s could not be seen completely.\n", incomplete, plural(incomplete));
    print_isolation(session);
    print_failure(session);
}

static json_t *names_json(const struct first_names *names) {
    json_t *list = json_array();
    for (size_t i = 0; i < names->count; i++)
        json_array_append_new(list, json_text_or_null(names->name[i]));
    return list;
}

static json_t *row_json(const struct stress_row *row) {
    json_t *endings = json_object();
    json_t *object = json_object();
    char name[32];
    for (unsigned i = 0; i < row->ending_count; i++)
        json_object_set_new(endings, ending_name(&row->endings[i], name, sizeof name),
                            json_number(row->endings[i].count));
    json_object_set_new(object, "policy", json_string(row->policy->text));
    json_object_set_new(object, "isolated", json_boolean(row->isolated));
    json_object_set_new(object, "rounds", json_number(row->rounds));
    json_object_set_new(object, "runs", json_number(row->runs));
    json_object_set_new(object, "failed", json_number(row->failed));
    json_object_set_new(object, "failed_by_status", endings);
    json_object_set_new(object, "lost_races", json_number(row->lost_races));
    json_object_set_new(object, "double_handouts", json_number(row->double_hand_outs));
    json_object_set_new(object, "race_windows", json_number(row->race_windows));
    json_object_set_new(object, "address_in_use", json_number(row->address_in_use));
    json_object_set_new(object, "errors", json_number(row->errors));
    json_object_set_new(object, "unreached", json_number(row->unreached));
    json_object_set_new(object, "programs_unreached", json_number(row->programs_unreached));
    json_object_set_new(object, "programs_unreached_first", names_json(&row->unreached_names));
    json_object_set_new(object, "rounds_incomplete", json_number(row->incomplete));
    json_object_set_new(object, "wall_ns", json_number(row->ns));
    return object;
}

static json_t *failure_json(const struct stress_session *session) {
    const struct stress_failure *first = &session->first;
    if (!first->any)
        return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "policy", json_string(first->policy));
    json_object_set_new(object, "isolated", json_boolean(first->isolated));
    json_object_set_new(object, "folder", json_text_or_null(first->folder));
    json_object_set_new(object, "copies_to_show_again",
                        first->copies != 0 ? json_number(first->copies) : json_null());
    return object;
}

void stress_report_json(const struct stress_session *session) {
    json_t *rows = json_array();
    json_t *object = json_object();
    for (unsigned i = 0; i < session->row_count; i++)
        json_array_append_new(rows, row_json(&session->rows[i]));
    json_object_set_new(object, "policies", rows);
    json_object_set_new(object, "tests", test_report_json(session));
    json_object_set_new(object, "timeout_seconds", json_number(session->options->timeout_seconds));
    json_object_set_new(object, "interrupted", json_boolean(session->interrupted));
    json_object_set_new(object, "kept", json_number(session->kept));
    json_object_set_new(object, "first_failure", failure_json(session));
    json_line_write(object);
}
