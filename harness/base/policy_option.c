/*
 * A policy is named so that it can be said again: the text in the trace is itself a value for
 * --policy that gives the same run.
 */
#include "harness/base/policy_option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUARANTINE_SECONDS = 60, QUARANTINE_SECONDS_MOST = 86400, PORTS = 65535 };

static bool refuse(char *problem, size_t size, const char *what, const char *part) {
    snprintf(problem, size, "'%s' %s", part, what);
    return false;
}

/* Digits alone, up to `most`. */
static bool read_number(const char *text, uint64_t most, uint64_t *number) {
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *number <= most;
}

/* The value behind "NAME:", NULL where the part is another one; "" for the name alone. */
static const char *value_of(const char *part, const char *name) {
    size_t length = strlen(name);
    if (strncmp(part, name, length) != 0 || (part[length] != '\0' && part[length] != ':'))
        return NULL;
    return part[length] == ':' ? part + length + 1 : "";
}

static bool take_range(const char *value, struct pw_policy_config *config) {
    char text[32];
    uint64_t low, high;
    if (strlen(value) >= sizeof text || config->low != 0)
        return false;
    strcpy(text, value);
    char *dash = strchr(text, '-');
    if (dash == NULL)
        return false;
    *dash = '\0';
    if (!read_number(text, PORTS, &low) || !read_number(dash + 1, PORTS, &high) || low == 0 ||
        low > high)
        return false;
    config->low = (uint16_t)low;
    config->high = (uint16_t)high;
    return true;
}

static bool take_quarantine(const char *value, bool bare, struct pw_policy_config *config) {
    uint64_t seconds = QUARANTINE_SECONDS;
    if (!bare && (!read_number(value, QUARANTINE_SECONDS_MOST, &seconds) || seconds == 0))
        return false;
    config->kind = PW_POLICY_QUARANTINE;
    config->quarantine_ms = (uint32_t)seconds * 1000;
    return true;
}

static bool take_part(const char *part, bool first, struct pw_policy_config *config, char *problem,
                      size_t size) {
    const char *value;
    if ((value = value_of(part, "range")) != NULL)
        return take_range(value, config) ||
               refuse(problem, size, "is no range such as range:40000-40999", part);
    if (!first)
        return refuse(problem, size, "may not follow another policy (only range:LOW-HIGH may)",
                      part);
    if (strcmp(part, "kernel") == 0)
        return true;
    if (strcmp(part, "soonest") == 0) {
        config->kind = PW_POLICY_SOONEST;
        return true;
    }
    if ((value = value_of(part, "quarantine")) != NULL)
        return take_quarantine(value, strchr(part, ':') == NULL, config) ||
               refuse(problem, size, "needs seconds from 1 to 86400", part);
    if ((value = value_of(part, "seeded")) != NULL) {
        config->kind = PW_POLICY_SEEDED;
        return read_number(value, UINT64_MAX, &config->seed) ||
               refuse(problem, size, "needs a number such as seeded:7", part);
    }
    return refuse(problem, size,
                  "is no policy (kernel, soonest, quarantine[:SECONDS], seeded:N, range:LOW-HIGH)",
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
        at += snprintf(at, (size_t)(end - at), "quarantine:%" PRIu32, config->quarantine_ms / 1000);
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
        return refuse(problem, size, "is no policy", *text == '\0' ? "" : "so long a text");
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
