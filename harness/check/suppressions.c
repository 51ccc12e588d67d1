/* A known hazard must not hide a new one, so what is suppressed is named as narrowly as wanted, and
 * what no longer suppresses anything is reported. */
#include "harness/check/suppressions.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/base/message.h"
#include "harness/base/number.h"
#include "harness/base/test_name.h"
#include "harness/base/text_file.h"
#include "harness/check/source_place.h"

enum { SUPPRESSIONS_BYTES = 1 << 20, SUPPRESSIONS_LINES = 10000, SUPPRESSIONS_LINE_BYTES = 4096 };

static bool refuse(const char *path, unsigned line, const char *what, const char *word) {
    return complain(NULL, "%s:%u: %s '%s'", path, line, what, word);
}

static bool is_kind(const char *pattern) {
    for (enum finding_kind kind = 0; kind < FINDING_KINDS; kind++)
        if (fnmatch(pattern, finding_name(kind), 0) == 0)
            return true;
    return false;
}

static bool is_cause(const char *pattern) {
    for (enum finding_cause cause = CAUSE_NONE + 1; cause < CAUSES; cause++)
        if (fnmatch(pattern, cause_name(cause), 0) == 0)
            return true;
    return false;
}

static bool read_port(const char **text, unsigned *port) {
    uint64_t number = 0;
    bool good = read_digits(text, 65535, &number);
    *port = (unsigned)number;
    return good && number != 0;
}

static bool read_ports(struct suppression *suppression, const char *text) {
    if (!read_port(&text, &suppression->first_port))
        return false;
    suppression->last_port = suppression->first_port;
    if (*text == '-') {
        text++;
        if (!read_port(&text, &suppression->last_port))
            return false;
    }
    return *text == '\0' && suppression->first_port <= suppression->last_port;
}

static bool take_ports(struct suppression *suppression, const char *word, const char *value,
                       const char *path) {
    if (suppression->first_port != 0)
        return refuse(path, suppression->line, "given twice on the line:", word);
    return read_ports(suppression, value) ||
           refuse(path, suppression->line, "invalid port or range of ports", value);
}

static bool take_word(struct suppression *suppression, const char *word, const char *path) {
    const struct {
        const char *name;
        char **place; /* NULL: ports */
        bool (*is_known)(const char *pattern);
        const char *unknown;
    } fields[] = {{"kind:", &suppression->kind, is_kind, "no finding matches"},
                  {"cause:", &suppression->cause, is_cause, "no cause matches"},
                  {"program:", &suppression->program, NULL, NULL},
                  {"module:", &suppression->module, NULL, NULL},
                  {"file:", &suppression->file, NULL, NULL},
                  {"function:", &suppression->function, NULL, NULL},
                  {"test:", &suppression->test, NULL, NULL},
                  {"port:", NULL, NULL, NULL}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        size_t length = strlen(fields[i].name);
        const char *value = word + length;
        if (strncmp(word, fields[i].name, length) != 0)
            continue;
        if (*value == '\0')
            return refuse(path, suppression->line, "missing pattern after", word);
        if (fields[i].place == NULL)
            return take_ports(suppression, word, value, path);
        if (*fields[i].place != NULL)
            return refuse(path, suppression->line, "given twice on the line:", word);
        if (fields[i].is_known != NULL && !fields[i].is_known(value))
            return refuse(path, suppression->line, fields[i].unknown, value);
        *fields[i].place = memory_copy(value, strlen(value));
        return true;
    }
    return refuse(path, suppression->line,
                  "must be kind:, cause:, program:, module:, file:, function:, test: or port:, not",
                  word);
}

static void free_one(struct suppression *suppression) {
    free(suppression->text);
    free(suppression->kind);
    free(suppression->cause);
    free(suppression->test);
    free(suppression->program);
    free(suppression->module);
    free(suppression->file);
    free(suppression->function);
}

static const char blank[] = " \t\r\n";

/* Where a value in quotes ends that begins there, behind the field's colon; NULL: it does not. */
static char *closing_quote(char *value) { return strchr(value + 1, '"'); }

static bool is_quoted(const char *line, const char *at) {
    return *at == '"' && at > line && at[-1] == ':';
}

/* Cuts the line where a comment begins. */
static void cut_comment(char *line) {
    for (char *at = line; *at != '\0'; at++) {
        if (is_quoted(line, at) && closing_quote(at) != NULL)
            at = closing_quote(at);
        else if (*at == '#' || *at == '\n')
            *at = '\0';
        if (*at == '\0')
            return;
    }
}

/* Takes the next word, without the quotes of its value. NULL: there is none, or, with *open, one
 * whose quote does not end. */
static char *next_word(char **rest, bool *open) {
    char *word = *rest + strspn(*rest, blank);
    char *value = word + strcspn(word, ": \t\r\n");
    char *end = word + strcspn(word, blank);
    if (*word == '\0')
        return NULL;
    if (*value == ':' && value[1] == '"') {
        end = closing_quote(value + 1);
        *open = end == NULL;
        if (end == NULL)
            return NULL;
        memmove(value + 1, value + 2, (size_t)(end - value - 2));
        end[-1] = '\0';
    }
    *rest = *end != '\0' ? end + 1 : end;
    *end = '\0';
    return word;
}

static bool take_words(struct suppression *one, char *line, const char *path) {
    bool open = false;
    for (char *word = next_word(&line, &open); word != NULL; word = next_word(&line, &open))
        if (!take_word(one, word, path))
            return false;
    return !open || refuse(path, one->line, "missing quote behind", line + strspn(line, blank));
}

static bool take_line(struct suppressions *suppressions, char *line, unsigned number,
                      const char *path) {
    struct suppression one = {.line = number};
    cut_comment(line);
    line += strspn(line, blank);
    if (*line == '\0')
        return true;
    one.text = memory_copy(line, strlen(line));
    for (size_t i = strlen(one.text); i > 0 && strchr(blank, one.text[i - 1]) != NULL; i--)
        one.text[i - 1] = '\0';
    if (!take_words(&one, line, path)) {
        free_one(&one);
        return false;
    }
    suppressions->list = memory_grow(suppressions->list, &suppressions->room,
                                     suppressions->count + 1, sizeof *suppressions->list);
    suppressions->list[suppressions->count++] = one;
    return true;
}

static bool refuse_line(const char *path, unsigned number) {
    if (number > SUPPRESSIONS_LINES)
        return complain(NULL, "%s: has more than %d lines", path, SUPPRESSIONS_LINES);
    return complain(NULL, "%s:%u: the line has more than %d bytes", path, number,
                    SUPPRESSIONS_LINE_BYTES);
}

bool suppressions_read(struct suppressions *suppressions, const char *path) {
    char why[TEXT_FILE_WHY_BYTES];
    char *text = text_file_read_lines(path, SUPPRESSIONS_BYTES, why);
    char *rest = text;
    bool good = true;
    unsigned number = 0;
    if (text == NULL)
        return complain(NULL, "%s: %s", path, why);
    /* What stands behind the last newline is not a line. */
    while (good && rest != NULL && *rest != '\0') {
        char *line = strsep(&rest, "\n");
        good = ++number <= SUPPRESSIONS_LINES && strlen(line) <= SUPPRESSIONS_LINE_BYTES
                   ? take_line(suppressions, line, number, path)
                   : refuse_line(path, number);
    }
    free(text);
    return good;
}

static bool is_program(const struct check_trace *trace, const struct finding *finding,
                       const char *pattern) {
    const struct process *process = processes_find(&trace->processes, finding->subject.process);
    const char *command = process != NULL ? process_command(&trace->processes, process) : NULL;
    return process != NULL && (fnmatch(pattern, process->comm, 0) == 0 ||
                               (command != NULL && fnmatch(pattern, command, 0) == 0));
}

static bool is_module(const struct check_trace *trace, const struct finding *finding,
                      const char *pattern) {
    const struct site site =
        modules_site(&trace->modules, &trace->processes, finding->subject.process,
                     finding->subject.site, finding->subject.unit);
    const char *base = site.module != NULL ? strrchr(site.module, '/') : NULL;
    return site.module != NULL && (fnmatch(pattern, site.module, 0) == 0 ||
                                   (base != NULL && fnmatch(pattern, base + 1, 0) == 0));
}

static bool fits_text(const char *pattern, const char *text) {
    return pattern == NULL || (text != NULL && fnmatch(pattern, text, 0) == 0);
}

/* [2] behind a parametrised test is meant as it stands by whoever copies the name, and matches one
 * character as a pattern. */
static bool fits_name(const char *pattern, const char *name) {
    return strcmp(pattern, name) == 0 || fnmatch(pattern, name, 0) == 0;
}

/* With pytest's phase and worker behind it or without. */
static bool fits_test(const char *pattern, const char *name) {
    if (pattern == NULL || name == NULL)
        return pattern == NULL;
    char *shorter = memory_copy(name, test_name_length(name));
    bool fitting = fits_name(pattern, name) || (*shorter != '\0' && fits_name(pattern, shorter));
    free(shorter);
    return fitting;
}

/* The whole path, or as much of its end as begins with the name of a folder or the file: the report
 * names it from the current folder. */
static bool fits_path(const char *pattern, const char *path) {
    if (fnmatch(pattern, path, 0) == 0)
        return true;
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
        if (fnmatch(pattern, slash + 1, 0) == 0)
            return true;
    return false;
}

static bool fits_place(const struct suppression *suppression, const struct check *check,
                       struct source_lines *lines, const struct finding *finding) {
    if (suppression->file == NULL && suppression->function == NULL)
        return true;
    if (finding->subject.process == 0)
        return false;
    const struct source_place place = source_place_of(check, lines, &finding->subject);
    return (suppression->file == NULL ||
            (place.file != NULL && fits_path(suppression->file, place.file))) &&
           fits_text(suppression->function, place.function);
}

static bool fits(const struct suppression *suppression, const struct check *check,
                 struct source_lines *lines, const struct finding *finding) {
    const struct check_trace *trace = &check->traces[finding->subject.trace];
    unsigned port = finding->endpoint.port;
    if (suppression->first_port != 0 &&
        (port < suppression->first_port || port > suppression->last_port))
        return false;
    return fits_text(suppression->kind, finding_name(finding->kind)) &&
           fits_text(suppression->cause, cause_name(finding->cause)) &&
           fits_test(suppression->test, finding->marker) &&
           (suppression->program == NULL || is_program(trace, finding, suppression->program)) &&
           (suppression->module == NULL || is_module(trace, finding, suppression->module)) &&
           fits_place(suppression, check, lines, finding);
}

void suppressions_apply(struct suppressions *suppressions, struct check *check) {
    struct source_lines *lines = source_lines_make();
    for (size_t i = 0; i < check->findings.count; i++)
        for (size_t j = 0; j < suppressions->count; j++)
            if (fits(&suppressions->list[j], check, lines, &check->findings.list[i])) {
                check->findings.list[i].suppressed = true;
                suppressions->list[j].used++;
            }
    source_lines_free(lines);
}

void suppressions_free(struct suppressions *suppressions) {
    for (size_t i = 0; i < suppressions->count; i++)
        free_one(&suppressions->list[i]);
    free(suppressions->list);
    *suppressions = (struct suppressions){0};
}
