/*
 * The variables are set for the command alone: `run` itself must not look like a guest, and what
 * the user had in LD_PRELOAD stays where it was.
 */
#include "harness/run/run_environment.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "harness/run/filters.h"
#include "harness/run/pytest_plugin.h"
#include "shim/shared/run_variable.h"

#define SHIM_NAME "libportwitness.so"

/* The shim's marker (RESTORED_SANITIZER in shim/process/environment.c): the command takes its
 * sanitizer's runtime out of LD_PRELOAD again, so that its own children do not run under it. */
#define SANITIZER_WAS_PUT_FIRST "4"

/* Folders where the shim may be, from the one that the program is in. */
static const char *const folders[] = {"", "../lib/portwitness/", "../lib/"};

static char *beside_program(char *tried, size_t size) {
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return NULL;
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL)
        return NULL;
    slash[1] = '\0';
    snprintf(tried, size, "%s" SHIM_NAME, self);
    for (unsigned i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[PATH_MAX + 64];
        snprintf(path, sizeof path, "%s%s" SHIM_NAME, self, folders[i]);
        char *found = realpath(path, NULL);
        if (found != NULL)
            return found;
    }
    return NULL;
}

char *environment_find_shim(void) {
    char tried[PATH_MAX + 64] = SHIM_NAME;
    const char *given = getenv("PORTWITNESS_SHIM");
    if (given != NULL)
        snprintf(tried, sizeof tried, "%s", given);
    char *found = given != NULL ? realpath(given, NULL) : beside_program(tried, sizeof tried);
    if (found == NULL) {
        complain(NULL, "%s: the shim cannot be found: %s", tried, strerror(errno));
        return NULL;
    }
    if (access(found, R_OK) != 0) {
        complain(NULL, "%s: the shim cannot be read: %s", found, strerror(errno));
        free(found);
        return NULL;
    }
    if (strpbrk(found, ": ") != NULL) {
        complain(NULL, "%s: LD_PRELOAD takes no path with a space or a colon", found);
        free(found);
        return NULL;
    }
    return found;
}

/* The loader splits lists at spaces and colons (ld.so(8)). */
static bool is_listed(const char *list, const char *name) {
    size_t length = strlen(name);
    while (*list != '\0') {
        size_t part = strcspn(list, ": ");
        if (part == length && memcmp(list, name, length) == 0)
            return true;
        list += part;
        list += strspn(list, ": ");
    }
    return false;
}

/* Is the element the shim, or a copy of it at another path? Two would record every call twice. */
static bool is_shim(const char *element, size_t length, const char *shim) {
    size_t name = strlen(SHIM_NAME);
    if (length == strlen(shim) && memcmp(element, shim, length) == 0)
        return true;
    return length >= name && memcmp(element + length - name, SHIM_NAME, name) == 0 &&
           (length == name || element[length - name - 1] == '/');
}

static void append(char *list, const char *text, size_t length) {
    size_t end = strlen(list);
    memcpy(list + end, text, length);
    list[end + length] = '\0';
}

/* The list with the shim in it once: in the place of the first that is one, else behind the last.
 * To be freed; NULL without memory. */
static char *with_shim(const char *list, const char *shim) {
    char *made = calloc(1, strlen(list) + 1 + strlen(shim) + 1);
    bool has_shim = false;
    while (made != NULL && *list != '\0') {
        size_t gap = strspn(list, ": ");
        const char *element = list + gap;
        size_t length = strcspn(element, ": ");
        bool is_one = is_shim(element, length, shim);
        if (!is_one || !has_shim)
            append(made, list, gap);
        if (!is_one)
            append(made, element, length);
        else if (!has_shim)
            append(made, shim, strlen(shim));
        has_shim = has_shim || is_one;
        list = element + length;
    }
    if (made == NULL || has_shim)
        return made;
    append(made, ":", made[0] != '\0');
    append(made, shim, strlen(shim));
    return made;
}

char *environment_preload(const char *present, const char *shim, const char *sanitizer) {
    if (present == NULL)
        present = "";
    if (sanitizer == NULL || is_listed(present, sanitizer))
        sanitizer = "";
    char *list = with_shim(present, shim);
    char *value = NULL;
    if (list != NULL &&
        asprintf(&value, "%s%s%s", sanitizer, *sanitizer != '\0' ? ":" : "", list) < 0)
        value = NULL;
    free(list);
    return value;
}

static bool sets(const char *entry, const char *name) {
    size_t length = strlen(name);
    return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

/* Puts NAME=VALUE in the place of what is there, or behind the last. */
static bool set(char **environment, size_t *count, const char *name, const char *value) {
    char *entry = NULL;
    if (value == NULL || asprintf(&entry, "%s=%s", name, value) < 0)
        return false;
    for (size_t i = 0; i < *count; i++) {
        if (!sets(environment[i], name))
            continue;
        free(environment[i]);
        environment[i] = entry;
        return true;
    }
    environment[(*count)++] = entry;
    return true;
}

static const char *value_of(char *const environment[], const char *name) {
    for (; *environment != NULL; environment++)
        if (sets(*environment, name))
            return *environment + strlen(name) + 1;
    return NULL;
}

/* See shim/shared/run_variable.h. Filters that may do harm are given as 0, so that
 * every program finds more than that on itself. */
static const char *value_for_shim(char *text, size_t size, const struct pw_policy_config *policy) {
    static const struct pw_policy_config kernel = {.kind = PW_POLICY_KERNEL};
    unsigned filters = filters_are_harmless() ? filters_of_run() : 0;
    if (policy == NULL)
        policy = &kernel;
    if (filters == 0 && policy->kind == PW_POLICY_KERNEL && policy->low == 0)
        return "1";
    snprintf(text, size, "1:%u:%" PRIu32 ".%" PRIu32 ".%u.%u.%" PRIu64, filters, policy->kind,
             policy->for_ms, policy->low, policy->high, policy->seed);
    return text;
}

/* What the plugin is to find, and takes out again (integrations/pytest). */
static bool set_pytest(char **environment, size_t *count, char *const from[],
                       const struct run_environment *plan) {
    if (plan->plugins == NULL)
        return true;
    char *path = pytest_plugin_path(value_of(from, "PYTHONPATH"), plan->plugins);
    bool good = set(environment, count, "PYTHONPATH", path) &&
                set(environment, count, "PORTWITNESS_PYTEST", plan->pytest);
    free(path);
    return good;
}

char **environment_make(char *const from[], const struct run_environment *plan) {
    size_t count = 0;
    size_t kept = 0;
    while (from[count] != NULL)
        count++;
    char **made = calloc(count + 8, sizeof *made);
    if (made == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        made[kept] = strdup(from[i]);
        if (made[kept++] == NULL) {
            environment_free(made);
            return NULL;
        }
    }
    char *preload = NULL;
    char run[RUN_VARIABLE_BYTES];
    if (plan->shim != NULL)
        preload = environment_preload(value_of(from, "LD_PRELOAD"), plan->shim, plan->sanitizer);
    bool good = (plan->shim == NULL || set(made, &kept, "LD_PRELOAD", preload)) &&
                set(made, &kept, "PORTWITNESS_TRACE", plan->trace) &&
                set(made, &kept, RUN_VARIABLE, value_for_shim(run, sizeof run, plan->policy)) &&
                (plan->sanitizer == NULL || plan->sanitizer[0] == '\0' ||
                 set(made, &kept, "PORTWITNESS_RESTORED", SANITIZER_WAS_PUT_FIRST)) &&
                set_pytest(made, &kept, from, plan) &&
                (plan->follow || set(made, &kept, "PORTWITNESS_NO_FOLLOW", "1"));
    free(preload);
    if (good)
        return made;
    environment_free(made);
    return NULL;
}

void environment_free(char **environment) {
    for (char **entry = environment; entry != NULL && *entry != NULL; entry++)
        free(*entry);
    free(environment);
}
