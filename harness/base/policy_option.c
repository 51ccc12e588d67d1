/*
 * A policy is named so that it can be said again: the text in the trace is itself a value for
 * --policy that gives the same run.
 */
#include "harness/base/policy_option.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/number.h"

enum { QUARANTINE_SECONDS = 60, KEEP_SECONDS = 30, SECONDS_MOST = 86400 };

static bool is_wrong(char *problem, size_t size, const char *what, const char *part) {
    snprintf(problem, size, "'%s' %s", part, what);
    return false;
}

/* The value behind "NAME:", NULL where the part is another one; "" for the name alone. */
static const char *value_of(const char *part, const char *name) {
    size_t length = strlen(name);
    if (strncmp(part, name, length) != 0 || (part[length] != '\0' && part[length] != ':'))
        return NULL;
    return part[length] == ':' ? part + length + 1 : "";
}

static bool take_range(const char *value, struct pw_policy_config *config) {
    return config->low == 0 && read_port_range(value, &config->low, &config->high);
}

static bool take_seconds(const char *value, enum pw_policy_kind kind, uint64_t seconds,
                         struct pw_policy_config *config) {
    if (*value != '\0' && !read_number(value, 1, SECONDS_MOST, &seconds))
        return false;
    config->kind = kind;
    config->for_ms = (uint32_t)seconds * 1000;
    return true;
}

static bool take_part(const char *part, bool first, struct pw_policy_config *config, char *problem,
                      size_t size) {
    const char *value;
    if ((value = value_of(part, "range")) != NULL)
        return take_range(value, config) ||
               is_wrong(problem, size, "is not a range such as range:40000-40999", part);
    if (!first)
        return is_wrong(problem, size, "may not follow another policy (only range:LOW-HIGH may)",
                        part);
    if (strcmp(part, "kernel") == 0)
        return true;
    if (strcmp(part, "soonest") == 0) {
        config->kind = PW_POLICY_SOONEST;
        return true;
    }
    if ((value = value_of(part, "quarantine")) != NULL)
        return (part[strlen(part) - 1] != ':' &&
                take_seconds(value, PW_POLICY_QUARANTINE, QUARANTINE_SECONDS, config)) ||
               is_wrong(problem, size, "needs seconds from 1 to 86400", part);
    if ((value = value_of(part, "keep")) != NULL)
        return (part[strlen(part) - 1] != ':' &&
                take_seconds(value, PW_POLICY_KEEP, KEEP_SECONDS, config)) ||
               is_wrong(problem, size, "needs seconds from 1 to 86400", part);
    if ((value = value_of(part, "seeded")) != NULL) {
        config->kind = PW_POLICY_SEEDED;
        return read_number(value, 0, UINT64_MAX, &config->seed) ||
               is_wrong(problem, size, "needs a number such as seeded:7", part);
    }
    return is_wrong(
        problem, size,
        "is not a policy (kernel, soonest, quarantine[:SECONDS], keep[:SECONDS], seeded:N, "
        "range:LOW-HIGH)",
        part);
}

static void write_text(struct policy_option *option) {
    const struct pw_policy_config *config = &option->config;
    char *at = option->text;
    const char *end = option->text + sizeof option->text;
    switch (config->kind) {
    case PW_POLICY_SOONEST:
        at += snprintf(at, (size_t)(end - at), "soonest");
        break;
    case PW_POLICY_QUARANTINE:
        at += snprintf(at, (size_t)(end - at), "quarantine:%" PRIu32, config->for_ms / 1000);
        break;
    case PW_POLICY_KEEP:
        at += snprintf(at, (size_t)(end - at), "keep:%" PRIu32, config->for_ms / 1000);
        break;
    case PW_POLICY_SEEDED:
        at += snprintf(at, (size_t)(end - at), "seeded:%" PRIu64, config->seed);
        break;
    default:
        if (config->low == 0)
            at += snprintf(at, (size_t)(end - at), "kernel");
        break;
    }
    if (config->low != 0)
        snprintf(at, (size_t)(end - at), "%srange:%u-%u", at != option->text ? "," : "",
                 config->low, config->high);
}

bool policy_option_parse(const char *text, struct policy_option *option, char *problem,
                         size_t size) {
    char copy[128];
    *option = (struct policy_option){0};
    if (*text == '\0' || strlen(text) >= sizeof copy)
        return is_wrong(problem, size, "is not a policy", *text == '\0' ? "" : "so long a text");
    strcpy(copy, text);
    bool first = true;
    for (char *part = copy; part != NULL;) {
        char *next = strchr(part, ',');
        if (next != NULL)
            *next++ = '\0';
        if (!take_part(part, first, &option->config, problem, size))
            return false;
        first = false;
        part = next;
    }
    write_text(option);
    return true;
}

bool policy_option_is_kernel(const struct policy_option *option) {
    return option->config.kind == PW_POLICY_KERNEL && option->config.low == 0;
}
