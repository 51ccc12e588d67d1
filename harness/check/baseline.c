/* An entry is compared as the text that it has in the file: two are the same finding where all
 * that was kept of them is the same. Lines are sorted, so that a file changes where findings do. */
#include "harness/check/baseline.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/json_line.h"
#include "harness/base/memory.h"
#include "harness/base/message.h"
#include "harness/base/text_file.h"
#include "harness/check/finding.h"

enum { BASELINE_BYTES = 16 << 20, VERSION = 1 };

static const char version_key[] = "portwitness-baseline";

static const char *const text_fields[] = {"finding", "cause", "program", "command",
                                          "module",  "place", "test",    "protocol"};
enum { TEXT_FIELDS = sizeof text_fields / sizeof *text_fields };

static char *dump(json_t *object) {
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (text == NULL)
        abort();
    return text;
}

static char *entry_text(const struct baseline_entry *entry) {
    const char *const values[] = {entry->finding, entry->cause, entry->program, entry->command,
                                  entry->module,  entry->place, entry->test,    entry->protocol};
    json_t *object = json_object();
    for (size_t i = 0; i < TEXT_FIELDS; i++)
        json_object_set_new(object, text_fields[i], json_text_or_null(values[i]));
    json_object_set_new(object, "port", json_number_or_null(entry->port));
    return dump(object);
}

static struct baseline_line *find(const struct baseline *baseline, const char *text) {
    for (size_t i = 0; i < baseline->count; i++)
        if (strcmp(baseline->list[i].text, text) == 0)
            return &baseline->list[i];
    return NULL;
}

/* Takes the text over. */
static void add_text(struct baseline *baseline, char *text, bool seen) {
    struct baseline_line *line = find(baseline, text);
    if (line != NULL) {
        line->seen = line->seen || seen;
        free(text);
        return;
    }
    baseline->list =
        memory_grow(baseline->list, &baseline->room, baseline->count + 1, sizeof *baseline->list);
    baseline->list[baseline->count++] = (struct baseline_line){text, seen};
}

static bool is_field(const char *name) {
    for (size_t i = 0; i < TEXT_FIELDS; i++)
        if (strcmp(name, text_fields[i]) == 0)
            return true;
    return strcmp(name, "port") == 0;
}

/* What is wrong with the field, NULL: nothing. */
static const char *problem_of(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    if (value == NULL)
        return "missing";
    if (strcmp(name, "port") == 0)
        return json_is_null(value) ||
                       (json_integer_value(value) > 0 && json_integer_value(value) < 65536)
                   ? NULL
                   : "must be a port or null";
    if (text == NULL && !json_is_null(value))
        return "must be a text or null";
    if (strcmp(name, "finding") == 0 && (text == NULL || finding_kind_of(text) == FINDING_KINDS))
        return "is no finding that is known";
    if (strcmp(name, "cause") == 0 && text != NULL && cause_of_name(text) == CAUSES)
        return "is no cause that is known";
    return NULL;
}

static bool refuse(const char *path, unsigned number, const char *field, const char *what) {
    return complain(NULL, "%s:%u: field '%s': %s", path, number, field, what);
}

static bool check_fields(json_t *object, const char *path, unsigned number) {
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        if (!is_field(name))
            return refuse(path, number, name, "not known");
    }
    for (size_t i = 0; i < TEXT_FIELDS; i++) {
        const char *problem = problem_of(object, text_fields[i]);
        if (problem != NULL)
            return refuse(path, number, text_fields[i], problem);
    }
    const char *problem = problem_of(object, "port");
    return problem == NULL || refuse(path, number, "port", problem);
}

/* Its keys may have another order, so it is written again. */
static char *ordered(const json_t *object) {
    struct baseline_entry entry = {
        .finding = json_string_value(json_object_get(object, "finding")),
        .cause = json_string_value(json_object_get(object, "cause")),
        .program = json_string_value(json_object_get(object, "program")),
        .command = json_string_value(json_object_get(object, "command")),
        .module = json_string_value(json_object_get(object, "module")),
        .place = json_string_value(json_object_get(object, "place")),
        .test = json_string_value(json_object_get(object, "test")),
        .protocol = json_string_value(json_object_get(object, "protocol")),
        .port = (unsigned)json_integer_value(json_object_get(object, "port"))};
    return entry_text(&entry);
}

static bool read_version(const json_t *object, const char *path) {
    const json_t *version = json_object_get(object, version_key);
    if (version == NULL)
        return complain(NULL, "%s:1: field '%s': missing, so this is not a baseline", path,
                        version_key);
    return (json_is_integer(version) && json_integer_value(version) == VERSION) ||
           complain(NULL, "%s:1: field '%s': a version that is not known; this program knows %d",
                    path, version_key, VERSION);
}

static bool read_line(struct baseline *baseline, const char *line, const char *path,
                      unsigned number) {
    json_error_t error;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    bool good = json_is_object(object);
    if (!good)
        complain(NULL, "%s:%u: %s", path, number,
                 object == NULL ? error.text : "must be a JSON object");
    else if (number == 1)
        good = read_version(object, path);
    else if (check_fields(object, path, number))
        add_text(baseline, ordered(object), false);
    else
        good = false;
    json_decref(object);
    return good;
}

bool baseline_read(struct baseline *baseline, const char *path) {
    char why[TEXT_FILE_WHY_BYTES];
    char *text = text_file_read_lines(path, BASELINE_BYTES, why);
    char *rest = text;
    bool good = true;
    unsigned number = 0;
    if (text == NULL)
        return complain(NULL, "%s: %s", path, why);
    if (*text == '\0')
        good = complain(NULL, "%s:1: field '%s': missing, so this is not a baseline", path,
                        version_key);
    /* What stands behind the last newline is not a line. */
    while (good && rest != NULL && *rest != '\0')
        good = read_line(baseline, strsep(&rest, "\n"), path, ++number);
    free(text);
    return good;
}

bool baseline_has(struct baseline *baseline, const struct baseline_entry *entry) {
    char *text = entry_text(entry);
    struct baseline_line *line = find(baseline, text);
    free(text);
    if (line != NULL)
        line->seen = true;
    return line != NULL;
}

void baseline_add(struct baseline *baseline, const struct baseline_entry *entry) {
    add_text(baseline, entry_text(entry), true);
}

size_t baseline_unseen(const struct baseline *baseline) {
    size_t count = 0;
    for (size_t i = 0; i < baseline->count; i++)
        count += !baseline->list[i].seen;
    return count;
}

static int in_order(const void *one, const void *other) {
    const struct baseline_line *a = one;
    const struct baseline_line *b = other;
    return strcmp(a->text, b->text);
}

char *baseline_text(const struct baseline *baseline, size_t *length) {
    size_t room = 0;
    struct baseline_line *sorted =
        memory_grow(NULL, &room, baseline->count + 1, sizeof *baseline->list);
    char *text = NULL;
    FILE *to = open_memstream(&text, length);
    if (to == NULL)
        abort();
    for (size_t i = 0; i < baseline->count; i++)
        sorted[i] = baseline->list[i];
    qsort(sorted, baseline->count, sizeof *sorted, in_order);
    fprintf(to, "{\"%s\":%d}\n", version_key, VERSION);
    for (size_t i = 0; i < baseline->count; i++)
        if (sorted[i].seen)
            fprintf(to, "%s\n", sorted[i].text);
    if (fclose(to) != 0)
        abort();
    free(sorted);
    return text;
}

void baseline_free(struct baseline *baseline) {
    for (size_t i = 0; i < baseline->count; i++)
        free(baseline->list[i].text);
    free(baseline->list);
    *baseline = (struct baseline){0};
}
