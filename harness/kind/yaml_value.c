/* Numbers follow Go: 0x50, 0o120, 0b1010000, 0120 and 8_0 are 80 or so, a quoted 80 is a text, and
 * a fraction is cut off. A file that Kind reads must not be refused here, nor the reverse. */
#include "harness/kind/yaml_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool yaml_value_is_null(const struct tree_node *node) {
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    if (node->kind != TREE_SCALAR || !node->plain)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(node->text, words[i]) == 0)
            return true;
    return false;
}

const char *yaml_value_kind_name(enum tree_kind kind) {
    static const char *const names[] = {
        [TREE_SCALAR] = "a string", [TREE_SEQUENCE] = "a list", [TREE_MAPPING] = "a mapping"};

    return names[kind];
}

static bool find_own(const struct tree_node *mapping, const char *key,
                     const struct tree_node **value, struct input_problem *problem) {
    const struct tree_node *first = NULL;

    for (size_t i = 0; i + 1 < mapping->count; i += 2) {
        const struct tree_node *name = mapping->children[i];

        if (name->kind != TREE_SCALAR || strcmp(name->text, key) != 0)
            continue;
        if (first != NULL)
            return input_problem_set(problem, name->line, name->column,
                                     "%s is given twice, first in line %zu", key, first->line);
        first = name;
        *value = mapping->children[i + 1];
    }
    return true;
}

/* A key of the mapping itself goes before a merged one, and an earlier merged mapping before a
 * later one. */
static bool find_merged(const struct tree_node *mapping, const char *key,
                        const struct tree_node **value, struct input_problem *problem) {
    const struct tree_node *merged = NULL;

    if (!find_own(mapping, key, value, problem) || !find_own(mapping, "<<", &merged, problem))
        return false;
    if (*value != NULL || merged == NULL)
        return true;
    if (merged->kind == TREE_MAPPING)
        return find_merged(merged, key, value, problem);
    for (size_t i = 0; merged->kind == TREE_SEQUENCE && i < merged->count; i++) {
        if (merged->children[i]->kind != TREE_MAPPING)
            continue;
        if (!find_merged(merged->children[i], key, value, problem))
            return false;
        if (*value != NULL)
            return true;
    }
    return true;
}

bool yaml_value_find(const struct tree_node *mapping, const char *key,
                     const struct tree_node **value, struct input_problem *problem) {
    *value = NULL;
    if (!find_merged(mapping, key, value, problem))
        return false;
    if (*value != NULL && yaml_value_is_null(*value))
        *value = NULL;
    return true;
}

bool yaml_value_find_kind(const struct tree_node *mapping, const char *key, enum tree_kind kind,
                          const struct tree_node **value, struct input_problem *problem) {
    if (!yaml_value_find(mapping, key, value, problem))
        return false;
    if (*value == NULL || (*value)->kind == kind)
        return true;
    return input_problem_set(problem, (*value)->line, (*value)->column, "%s is %s, not %s", key,
                             yaml_value_kind_name((*value)->kind), yaml_value_kind_name(kind));
}

/* Go lets underscores part digits. false if the text is too long for any number that fits. */
static bool without_underscores(const char *text, char *digits, size_t size) {
    size_t length = 0;

    for (; *text != '\0'; text++) {
        if (*text == '_')
            continue;
        if (length + 1 == size)
            return false;
        digits[length++] = *text;
    }
    digits[length] = '\0';
    return true;
}

static bool is_fraction(const char *text) {
    size_t digits = 0;

    text += *text == '-' || *text == '+';
    for (; isdigit((unsigned char)*text); text++)
        digits++;
    if (*text == '.')
        for (text++; isdigit((unsigned char)*text); text++)
            digits++;
    if (digits == 0)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        if (!isdigit((unsigned char)*text))
            return false;
        while (isdigit((unsigned char)*text))
            text++;
    }
    return *text == '\0';
}

enum number_reading { NUMBER_GOOD, NUMBER_NONE, NUMBER_TOO_LARGE };

static enum number_reading read_whole(const char *text, int32_t *number) {
    bool negative = *text == '-';
    const char *digits = text + (*text == '-' || *text == '+');
    int base = 10;
    char *end;
    long long value;

    if (digits[0] == '0' && digits[1] != '\0') {
        char mark = (char)tolower((unsigned char)digits[1]);

        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        digits += isdigit((unsigned char)mark)                ? 1
                  : mark == 'x' || mark == 'b' || mark == 'o' ? 2
                                                              : 0;
    }
    if (!isxdigit((unsigned char)*digits))
        return NUMBER_NONE;
    errno = 0;
    value = strtoll(digits, &end, base);
    if (*end != '\0')
        return NUMBER_NONE;
    value = negative ? -value : value;
    if (errno != 0 || value < INT32_MIN || value > INT32_MAX)
        return NUMBER_TOO_LARGE;
    *number = (int32_t)value;
    return NUMBER_GOOD;
}

static enum number_reading read_go_number(const char *text, int32_t *number) {
    char digits[80];
    enum number_reading reading;
    double value;

    if (!without_underscores(text, digits, sizeof digits))
        return NUMBER_NONE;
    reading = read_whole(digits, number);
    if (reading != NUMBER_NONE || !is_fraction(digits))
        return reading;
    value = strtod(digits, NULL);
    if (value <= (double)INT32_MIN - 1 || value >= (double)INT32_MAX + 1)
        return NUMBER_TOO_LARGE;
    *number = (int32_t)value;
    return NUMBER_GOOD;
}

bool yaml_value_number(const struct tree_node *mapping, const char *key, int32_t *number,
                       struct input_problem *problem) {
    const struct tree_node *value;
    enum number_reading reading = NUMBER_NONE;

    if (!yaml_value_find(mapping, key, &value, problem))
        return false;
    if (value == NULL)
        return true;
    if (value->kind != TREE_SCALAR)
        return input_problem_set(problem, value->line, value->column, "%s is %s, not a number", key,
                                 yaml_value_kind_name(value->kind));
    if (value->plain)
        reading = read_go_number(value->text, number);
    if (reading == NUMBER_NONE)
        return input_problem_set(problem, value->line, value->column,
                                 "%s is a string, not a number: '%s'", key, value->text);
    if (reading == NUMBER_TOO_LARGE)
        return input_problem_set(problem, value->line, value->column,
                                 "%s does not fit in 32 bits: %s", key, value->text);
    return true;
}

bool yaml_value_text(const struct tree_node *mapping, const char *key, const char **text,
                     struct input_problem *problem) {
    const struct tree_node *value;

    if (!yaml_value_find_kind(mapping, key, TREE_SCALAR, &value, problem))
        return false;
    *text = value != NULL ? value->text : NULL;
    return true;
}
