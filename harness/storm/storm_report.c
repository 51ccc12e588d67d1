/* A row a strategy, so that several can be compared; whatever needs words stands below. */
#include "harness/storm/storm_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/columns.h"
#include "harness/base/json_line.h"
#include "harness/base/message.h"
#include "harness/base/progress.h"
#include "harness/report/policy_report.h"

void storm_report_progress(const struct strategy *strategy, uint32_t round, uint32_t rounds) {
    progress_show((double)round / rounds, "%s: round %" PRIu32 " of %" PRIu32, strategy->name,
                  round + 1, rounds);
}

static void add(struct columns *columns, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct columns *columns, const char *format, ...) {
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    columns_add(columns, text);
}

static void add_time(struct columns *columns, uint64_t ns) {
    if (ns < 1000000)
        add(columns, "%.1f us", (double)ns / 1e3);
    else if (ns < 1000000000)
        add(columns, "%.1f ms", (double)ns / 1e6);
    else
        add(columns, "%.2f s", (double)ns / 1e9);
}

static double ports_per_second(const struct storm_result *result) {
    if (result->publishing_ns == 0)
        return 0;
    return (double)result->published * 1e9 / (double)result->publishing_ns;
}

/* Can theory say anything? It covers the kernel's own choice. Shared numbers are not races, and
 * other rules hold for them. */
static bool is_predicted(const struct storm_report *report, const struct storm_result *result) {
    return strcmp(report->plan->policy, "kernel") == 0 &&
           result->strategy->prediction != PREDICTS_NOTHING && !report->plan->settings.reuse_port &&
           result->rounds > 0;
}

static void add_expected(struct columns *columns, const struct storm_report *report,
                         const struct storm_result *result) {
    if (!is_predicted(report, result)) {
        columns_add(columns, "-");
        return;
    }
    struct expected_interval interval = expected_interval(&result->expected);
    add(columns, "%.1f (%.0f to %.0f)", result->expected.mean, interval.low, interval.high);
}

static void add_row(struct columns *columns, const struct storm_report *report,
                    const struct storm_result *result) {
    columns_add(columns, result->strategy->name);
    add(columns, "%" PRIu64, result->published);
    add(columns, "%" PRIu64, result->collisions);
    add(columns, "%" PRIu64, result->lost_races);
    add_expected(columns, report, result);
    add(columns, "%" PRIu64, result->double_handouts);
    add(columns, "%" PRIu64, result->exhausted);
    add_time(columns, storm_latency(result, 0.5));
    add_time(columns, storm_latency(result, 0.99));
    add(columns, "%.0f", ports_per_second(result));
}

/* What a check says: "agree", or what differs. Returns `text`. */
static const char *verdict_text(const struct verdict *verdict, char *text, size_t size) {
    if (verdict->differences == 0)
        snprintf(text, size, "agree");
    else if (verdict->differences == 1)
        snprintf(text, size, "%s", verdict->first);
    else
        snprintf(text, size, "%s, and %" PRIu64 " more", verdict->first, verdict->differences - 1);
    return text;
}

typedef void remark_taker(void *context, const char *text);

static void remark(remark_taker *taker, void *context, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void remark(remark_taker *taker, void *context, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    taker(context, text);
}

static void remark_on(const struct storm_report *report, const struct storm_result *result,
                      remark_taker *taker, void *context) {
    const char *name = result->strategy->name;
    char text[ENDPOINT_TEXT_SIZE];
    if (result->shared > 0)
        remark(taker, context,
               "%s: %" PRIu64 " port%s shared lawfully: with a reuse option the kernel lets "
               "%s sockets have equal ports, which is not a collision",
               name, result->shared, result->shared == 1 ? " was" : "s were",
               report->plan->settings.reuse_port ? "such" : "UDP");
    if (result->killed > 0)
        remark(taker, context,
               "%s: %" PRIu32 " publisher%s died, the first in round %" PRIu32 "; of %" PRIu64
               " port%s held %" PRIu64 " %s found free again",
               name, result->killed, plural(result->killed), result->killed_round,
               result->killed_ports, plural(result->killed_ports),
               result->killed_ports - result->killed_taken,
               result->killed_ports - result->killed_taken == 1 ? "was" : "were");
    if (result->failed > 0)
        remark(taker, context, "%s: %" PRIu64 " mapping%s could not be published: %s: %s", name,
               result->failed, plural(result->failed),
               endpoint_text(&result->failed_endpoint, text), strerror(result->failed_error));
    if (result->interrupted)
        remark(taker, context, "%s: interrupted after %" PRIu32 " of %" PRIu32 " round%s", name,
               result->rounds, report->plan->rounds, plural(report->plan->rounds));
}

static void remark_all(const struct storm_report *report, remark_taker *taker, void *context) {
    if (report->left_out > 0)
        remark(taker, context, "%u SCTP mapping%s left out: this kernel has no SCTP",
               report->left_out, report->left_out == 1 ? " was" : "s were");
    for (unsigned i = 0; i < report->count; i++)
        remark_on(report, &report->results[i], taker, context);
}

static void print_remark(void *context, const char *text) {
    (void)context;
    puts(text);
}

static void print_checks(const struct storm_result *result) {
    bool all = true;
    char text[512];
    for (int i = 0; i < STORM_CHECKS; i++)
        all = all && result->checks[i].differences == 0;
    if (all && result->rounds > 0)
        printf("%s: all four checks agree: claims, kernel, reach, trace\n", result->strategy->name);
    for (int i = 0; i < STORM_CHECKS && !all; i++)
        printf("%s: %s: %s\n", result->strategy->name, storm_check_names[i],
               verdict_text(&result->checks[i], text, sizeof text));
}

void storm_report_table(const struct storm_report *report) {
    static const char *const heading[] = {
        "STRATEGY",         "PUBLISHED", "COLLISIONS", "LOST RACES", "EXPECTED",
        "DOUBLE HAND-OUTS", "EXHAUSTED", "P50",        "P99",        "PORTS/S"};
    const size_t count = sizeof heading / sizeof heading[0];
    struct columns columns = {.count = count};
    const struct storm_settings *settings = &report->plan->settings;
    size_t size = port_range_size(report->plan->range);
    printf("%" PRIu32 " publisher%s, %" PRIu32 " mapping%s each, %" PRIu32 " round%s, seed %" PRIu64
           ", %zu port%s (%u to %u)",
           settings->publishers, plural(settings->publishers), settings->mappings,
           plural(settings->mappings), report->plan->rounds, plural(report->plan->rounds),
           settings->seed, size, plural(size), report->plan->range->low, report->plan->range->high);
    if (report->background > 0)
        printf(", %" PRIu32 " process%s in the background", report->background,
               report->background == 1 ? "" : "es");
    puts("\n");
    for (size_t i = 0; i < count; i++) {
        columns.right[i] = i > 0;
        columns_add(&columns, heading[i]);
    }
    for (unsigned i = 0; i < report->count; i++)
        add_row(&columns, report, &report->results[i]);
    columns_write(&columns, stdout);
    columns_free(&columns);
    puts("");
    for (unsigned i = 0; i < report->count; i++)
        print_checks(&report->results[i]);
    remark_all(report, print_remark, NULL);
    struct policy_work work;
    policy_report_now(&work);
    policy_report_write(NULL, report->plan->policy, &work, stdout);
}

static json_t *expected_json(const struct storm_report *report, const struct storm_result *result) {
    if (!is_predicted(report, result))
        return json_null();
    struct expected_interval interval = expected_interval(&result->expected);
    return json_pack("{s:f, s:f, s:f}", "mean", result->expected.mean, "low", interval.low, "high",
                     interval.high);
}

static json_t *checks_json(const struct storm_result *result) {
    json_t *checks = json_object();
    char text[512];
    for (int i = 0; i < STORM_CHECKS; i++) {
        verdict_text(&result->checks[i], text, sizeof text);
        json_object_set_new(checks, storm_check_names[i], json_text(text, strlen(text)));
    }
    return checks;
}

static json_t *result_json(const struct storm_report *report, const struct storm_result *result) {
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(result->strategy->name));
    json_object_set_new(object, "publishers", json_number(report->plan->settings.publishers));
    json_object_set_new(object, "mappings", json_number(report->plan->settings.mappings));
    json_object_set_new(object, "rounds", json_number(result->rounds));
    json_object_set_new(object, "published", json_number(result->published));
    json_object_set_new(object, "collisions", json_number(result->collisions));
    json_object_set_new(object, "lost_races", json_number(result->lost_races));
    json_object_set_new(object, "double_handouts", json_number(result->double_handouts));
    json_object_set_new(object, "exhausted", json_number(result->exhausted));
    json_object_set_new(object, "expected_lost", expected_json(report, result));
    json_object_set_new(object, "latency_p50_ns", json_number(storm_latency(result, 0.5)));
    json_object_set_new(object, "latency_p99_ns", json_number(storm_latency(result, 0.99)));
    json_object_set_new(object, "ports_per_second", json_real(ports_per_second(result)));
    json_object_set_new(object, "checks", checks_json(result));
    return object;
}

static void append_remark(void *context, const char *text) {
    json_array_append_new(context, json_text(text, strlen(text)));
}

void storm_report_json(const struct storm_report *report) {
    json_t *list = json_array();
    json_t *remarks = json_array();
    json_t *object = json_object();
    for (unsigned i = 0; i < report->count; i++)
        json_array_append_new(list, result_json(report, &report->results[i]));
    remark_all(report, append_remark, remarks);
    json_object_set_new(object, "strategies", list);
    json_object_set_new(object, "remarks", remarks);
    struct policy_work work;
    policy_report_now(&work);
    json_object_set_new(object, "policy", policy_report_json(report->plan->policy, &work));
    json_line_write(object);
}
