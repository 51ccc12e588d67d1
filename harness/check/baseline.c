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

/* Where the text stands, or would stand. */
static size_t place_of(const struct baseline *baseline, const char *text) {
    size_t low = 0;
    size_t high = baseline->count;
    /* A file is sorted, so each of its lines belongs behind the last. */
    if (high > 0 && strcmp(baseline->list[high - 1].text, text) < 0)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(baseline->list[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct baseline_line *find(const struct baseline *baseline, const char *text) {
    size_t place = place_of(baseline, text);
    return place < baseline->count && strcmp(baseline->list[place].text, text) == 0
               ? &baseline->list[place]
               : NULL;
}

/* Takes the text over. It was in the file, or else is seen now. */
static void add_text(struct baseline *baseline, char *text, bool was_there) {
    struct baseline_line *line = find(baseline, text);
    if (line != NULL) {
        line->seen = line->seen || !was_there;
        free(text);
        return;
    }
    size_t place = place_of(baseline, text);
    baseline->list =
        memory_grow(baseline->list, &baseline->room, baseline->count + 1, sizeof *baseline->list);
    memmove(&baseline->list[place + 1], &baseline->list[place],
            (baseline->count - place) * sizeof *baseline->list);
    baseline->list[place] = (struct baseline_line){text, !was_there, was_there};
    baseline->count++;
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

static bool refuse_file(const char *path, const char *why) {
    return complain(NULL, "%s:1: is not a portwitness baseline: field '%s': %s", path, version_key,
                    why);
}

static bool read_version(const json_t *object, const char *path) {
    const json_t *version = json_object_get(object, version_key);
    if (version == NULL)
        return refuse_file(path, "missing");
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
        complain(NULL, "%s:%u: %s%s", path, number,
                 number == 1 ? "is not a portwitness baseline: " : "",
                 object == NULL ? error.text : "must be a JSON object");
    else if (number == 1)
        good = read_version(object, path);
    else if (check_fields(object, path, number))
        add_text(baseline, ordered(object), true);
    else
        good = false;
    json_decref(object);
    return good;
}

bool baseline_read(struct baseline *baseline, const char *path) {
    char why[TEXT_FILE_WHY_BYTES];
    char *text =
        text_file_is_regular(path, why) ? text_file_read_lines(path, BASELINE_BYTES, why) : NULL;
    char *rest = text;
    bool good = true;
    unsigned number = 0;
    if (text == NULL)
        return complain(NULL, "%s: %s", path, why);
    if (*text == '\0')
        good = refuse_file(path, "missing");
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
    add_text(baseline, entry_text(entry), false);
}

size_t baseline_unseen(const struct baseline *baseline) {
    size_t count = 0;
    for (size_t i = 0; i < baseline->count; i++)
        count += !baseline->list[i].seen;
    return count;
}

size_t baseline_added(const struct baseline *baseline) {
    size_t count = 0;
    for (size_t i = 0; i < baseline->count; i++)
        count += !baseline->list[i].was_there;
    return count;
}

char *baseline_text(const struct baseline *baseline, bool keep_unseen, size_t *length) {
    char *text = NULL;
    FILE *to = open_memstream(&text, length);
    if (to == NULL)
        abort();
    fprintf(to, "{\"%s\":%d}\n", version_key, VERSION);
    for (size_t i = 0; i < baseline->count; i++)
        if (baseline->list[i].seen || keep_unseen)
            fprintf(to, "%s\n", baseline->list[i].text);
    if (fclose(to) != 0)
        abort();
    return text;
}

void baseline_free(struct baseline *baseline) {
    for (size_t i = 0; i < baseline->count; i++)
        free(baseline->list[i].text);
    free(baseline->list);
    *baseline = (struct baseline){0};
}
