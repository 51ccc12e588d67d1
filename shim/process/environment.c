/*
 * Test tools clear environments, and then nobody would be recorded below them. The exec wrappers
 * put our variables back with a marker; the new program takes them out again before its main runs,
 * so it sees what it was given, and its own children are followed in the same way.
 */
#include "shim/process/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/process/guest_environment.h"
#include "shim/shared/guest_memory.h"
#include "shim/shared/rarely_touched.h"
#include "shim/shared/raw_syscall.h"
#include "shim/shared/recorder.h"
#include "shim/shared/run_variable.h"

#define PRELOAD "LD_PRELOAD"
#define TRACE "PORTWITNESS_TRACE"
#define QUIET "PORTWITNESS_QUIET"
#define MARKER "PORTWITNESS_RESTORED"
#define SHIM_NAME "libportwitness.so"

enum {
    RESTORED_PRELOAD = 1,   /* LD_PRELOAD was not there */
    RESTORED_APPENDED = 2,  /* the shim was put behind what was there */
    RESTORED_SANITIZER = 4, /* a sanitizer's runtime was put before it */
    RESTORED_TRACE = 8,
    RESTORED_QUIET = 16,
    CHANGED_TRACE = 32, /* a relative name was made absolute; it stays */
    RESTORED_RUN = 64
};

/* The texts stand one behind the other: few pages are touched at each start. Number 0 is "". */
RARELY_TOUCHED static _Alignas(1024) struct {
    size_t trace, trace_given, shim; /* where in `texts` */
    size_t used;
    bool no_follow;
    bool quiet;
    bool supervised;
    char run[RUN_VARIABLE_BYTES]; /* the value of PORTWITNESS_RUN */
    char texts[3 * PATH_MAX + 1];
} settings;

const char *environment_get(char *const *envp, const char *name) {
    size_t length = strlen(name);
    for (; envp != NULL && *envp != NULL; envp++)
        if (**envp == *name && strncmp(*envp, name, length) == 0 && (*envp)[length] == '=')
            return *envp + length + 1;
    return NULL;
}

static void take_out(const char *name) {
    size_t length = strlen(name);
    char **to = environ;
    for (char **from = environ; from != NULL && *from != NULL; from++)
        if (strncmp(*from, name, length) != 0 || (*from)[length] != '=')
            *to++ = *from;
    if (to != NULL)
        *to = NULL;
}

/* In this process's own environment, whose strings may be changed. */
static char *find_variable(const char *name) {
    return (char *)(uintptr_t)environment_get(environ, name);
}

/* Undoes in environ what environment_build did; the strings are this process's own. */
static void give_back(unsigned restored) {
    char *value = find_variable(PRELOAD);
    if ((restored & RESTORED_PRELOAD) != 0) {
        take_out(PRELOAD);
        value = NULL;
    }
    if (value != NULL && (restored & RESTORED_SANITIZER) != 0) {
        char *colon = strchr(value, ':');
        if (colon != NULL)
            memmove(value, colon + 1, strlen(colon));
    }
    if (value != NULL && (restored & RESTORED_APPENDED) != 0) {
        char *colon = strrchr(value, ':');
        if (colon != NULL)
            *colon = '\0';
    }
    if ((restored & RESTORED_TRACE) != 0)
        take_out(TRACE);
    if ((restored & RESTORED_QUIET) != 0)
        take_out(QUIET);
    if ((restored & RESTORED_RUN) != 0)
        take_out(RUN_VARIABLE);
    take_out(MARKER);
}

static bool copy_text(char *into, size_t size, const char *text, size_t length) {
    if (length >= size)
        return false;
    memcpy(into, text, length);
    into[length] = '\0';
    return true;
}

static size_t keep_text(const char *text, size_t length) {
    size_t at = settings.used;
    if (length >= PATH_MAX || at + length >= sizeof settings.texts)
        return 0;
    settings.used += length + 1;
    return copy_text(settings.texts + at, length + 1, text, length) ? at : 0;
}

/* Makes a path absolute, since the guest may change its directory. */
static size_t keep_absolute(const char *path, size_t length) {
    char made[PATH_MAX];
    if (length == 0 || path[0] == '/')
        return length != 0 ? keep_text(path, length) : 0;
    long got = raw_syscall3(SYS_getcwd, RAW(made), PATH_MAX, 0); /* counts the NUL */
    if (got <= 1 || made[0] != '/')
        return 0;
    size_t used = (size_t)got - 1;
    if (used > 1 && used + 1 < PATH_MAX)
        made[used++] = '/';
    bool fits = copy_text(made + used, PATH_MAX - used, path, length);
    return fits ? keep_text(made, used + length) : 0;
}

/* The element of an LD_PRELOAD value that is this library; its length in *length. */
static const char *find_shim(const char *value, size_t *length) {
    while (value != NULL && *value != '\0') {
        size_t part = strcspn(value, ": ");
        size_t name = strlen(SHIM_NAME);
        if (part >= name && memcmp(value + part - name, SHIM_NAME, name) == 0 &&
            (part == name || value[part - name - 1] == '/')) {
            *length = part;
            return value;
        }
        value += part + (value[part] != '\0');
    }
    return NULL;
}

static unsigned parse_number(const char *text) {
    unsigned bits = 0;
    for (; text != NULL && *text >= '0' && *text <= '9'; text++)
        bits = bits * 10 + (unsigned)(*text - '0');
    return bits;
}

static bool is_set(const char *name) {
    const char *value = find_variable(name);
    return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

static void read_run(void) {
    struct run_variable run;
    const char *value = find_variable(RUN_VARIABLE);
    settings.supervised = run_variable_read(value, &run);
    if (settings.supervised)
        copy_text(settings.run, sizeof settings.run, value, strlen(value));
}

enum environment environment_read(void) {
    const char *trace = find_variable(TRACE);
    size_t length = 0;
    if (trace == NULL || trace[0] == '\0')
        return ENVIRONMENT_NONE; /* none was put back here either: see environment_plan */
    const char *shim = find_shim(find_variable(PRELOAD), &length);
    settings.used = 1;
    if (shim != NULL && memchr(shim, '/', length) != NULL)
        settings.shim = keep_absolute(shim, length);
    else if (shim != NULL)
        settings.shim = keep_text(shim, length);
    settings.trace = keep_absolute(trace, strlen(trace));
    settings.trace_given = trace[0] == '/' ? settings.trace : keep_text(trace, strlen(trace));
    settings.quiet = is_set(QUIET);
    settings.no_follow = is_set("PORTWITNESS_NO_FOLLOW");
    read_run();
    const char *marker = find_variable(MARKER);
    if (marker != NULL) {
        unsigned restored = parse_number(marker);
        settings.supervised = settings.supervised || (restored & RESTORED_TRACE) != 0;
        give_back(restored);
    }
    bool good = settings.trace != 0 && settings.trace_given != 0;
    return good ? ENVIRONMENT_READ : ENVIRONMENT_TOO_LONG;
}

static const char *own_trace, *own_preload;

void environment_find_own(void) {
    own_trace = guest_environment_value(environ, TRACE);
    own_preload = guest_environment_value(environ, PRELOAD);
}

void environment_release(const char *from, const char *to) {
    size_t length = 0;
    if (own_trace >= from && own_trace < to)
        *(char *)(uintptr_t)own_trace = '\0';
    if (own_preload < from || own_preload >= to)
        return;
    char *shim = (char *)(uintptr_t)find_shim(own_preload, &length);
    if (shim == NULL)
        return;
    if (shim[length] != '\0')
        memmove(shim, shim + length + 1, strlen(shim + length));
    else
        shim[shim > own_preload ? -1 : 0] = '\0'; /* with the separator before it */
}

const char *environment_shim(void) { return settings.texts + settings.shim; }

const char *environment_trace(void) { return settings.texts + settings.trace; }

const char *environment_run(void) { return settings.run; }

bool environment_is_quiet(void) { return settings.quiet; }

bool environment_is_supervised(void) { return settings.supervised; }

bool environment_follows(void) { return !settings.no_follow; }

void environment_be_quiet(void) { settings.quiet = true; }

/* After chroot, or in another mount namespace. */
static int shim_obstacle(void) {
    if (environment_shim()[0] != '/')
        return 0;
    long answer = raw_syscall3(SYS_faccessat, AT_FDCWD, RAW(environment_shim()), R_OK);
    if (answer == -ENOENT || answer == -ENOTDIR)
        return PW_BLIND_UNREACHABLE;
    return answer == -EACCES ? PW_BLIND_NO_ACCESS : 0;
}

int environment_obstacle(void) {
    int shim = shim_obstacle();
    if (shim != 0)
        return shim;
    long answer = raw_syscall4(439 /* faccessat2, Linux 5.8 */, AT_FDCWD, RAW(environment_trace()),
                               R_OK | W_OK, AT_EACCESS);
    /* Capabilities that outlived a change of user end at exec; only access(2) leaves them out. */
    if (answer == 0 && raw_syscall3(SYS_geteuid, 0, 0, 0) != 0)
        answer = raw_syscall3(SYS_faccessat, AT_FDCWD, RAW(environment_trace()), R_OK | W_OK);
    if (answer == -ENOENT)
        return PW_BLIND_UNREACHABLE;
    return answer == -EACCES ? PW_BLIND_NO_ACCESS : 0;
}

static bool begins_with_sanitizer(const char *value, const char *sanitizer) {
    size_t length = strcspn(value, ": ");
    size_t name = strlen(sanitizer);
    return length >= name && memcmp(value + length - name, sanitizer, name) == 0;
}

/* `value` is a copy of the guest's, NULL where it has none. */
static void plan_preload(struct environment_plan *plan, const char *value) {
    const char *sanitizer = plan->facts->sanitizer;
    const char *found = find_shim(value, &plan->shim_length);
    int obstacle = plan->facts->obstacle;
    plan->preload_length = value != NULL ? strlen(value) : 0;
    plan->shim_at = found != NULL ? (size_t)(found - value) : 0;
    /* A loader prints an error for each library that it cannot use or find. */
    bool complains = obstacle == PW_BLIND_ARCHITECTURE || shim_obstacle() != 0;
    plan->useless = complains || obstacle == PW_BLIND_STATIC || obstacle == PW_BLIND_SETUID;
    if (plan->useless) {
        plan->drop = complains && found != NULL;
        return;
    }
    if (found == NULL && environment_shim()[0] != '\0') {
        plan->lost = settings.no_follow;
        if (plan->lost)
            return;
        plan->restored |= value == NULL ? RESTORED_PRELOAD : RESTORED_APPENDED;
    }
    if (sanitizer[0] != '\0' && (value == NULL || !begins_with_sanitizer(value, sanitizer)))
        plan->restored |= RESTORED_SANITIZER;
}

/* A value that is too long for a small stack goes into a mapping. */
static bool plan_long_preload(struct environment_plan *plan) {
    const size_t size = 128 * 1024 + 1; /* the kernel takes no longer one (MAX_ARG_STRLEN) */
    long map = raw_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map < 0 && map > -4096)
        return false;
    long length = guest_copy_string((char *)map, size, plan->preload);
    bool good = length >= 0 && length < (long)size;
    if (good)
        plan_preload(plan, (const char *)map);
    raw_syscall3(SYS_munmap, map, (long)size, 0);
    return good;
}

static bool examine_preload(struct environment_plan *plan) {
    char value[512];
    if (plan->preload == NULL) {
        plan_preload(plan, NULL);
        return true;
    }
    long length = guest_copy_string(value, sizeof value, plan->preload);
    if (length == (long)sizeof value)
        return plan_long_preload(plan);
    if (length >= 0)
        plan_preload(plan, value);
    return length >= 0;
}

struct survey {
    struct environment_plan *plan;
    const char *trace; /* the value in the guest's memory */
    char trace_begin;  /* its first character */
    bool has_quiet;
    bool has_run;
};

static bool look_at(const struct guest_variable *variable, void *context) {
    struct survey *survey = context;
    struct environment_plan *plan = survey->plan;
    plan->entries++;
    if (plan->preload == NULL && guest_variable_is(variable, PRELOAD))
        plan->preload = variable->text + sizeof PRELOAD;
    if (survey->trace == NULL && guest_variable_is(variable, TRACE)) {
        survey->trace = variable->text + sizeof TRACE;
        survey->trace_begin = variable->head[sizeof TRACE];
    }
    survey->has_quiet = survey->has_quiet || guest_variable_is(variable, QUIET);
    survey->has_run = survey->has_run || guest_variable_is(variable, RUN_VARIABLE);
    return true;
}

/* As `run` names it, and the shim to its children. */
static bool names_other_trace(const struct survey *survey) {
    return survey->trace != NULL && survey->trace_begin == '/' &&
           !guest_string_is(survey->trace, environment_trace()) &&
           !guest_string_is(survey->trace, settings.texts + settings.trace_given);
}

static void plan_settings(struct environment_plan *plan, const struct survey *survey) {
    const struct program_facts *facts = plan->facts;
    if (!plan->lost && survey->trace == NULL)
        plan->restored |= settings.no_follow ? 0 : RESTORED_TRACE;
    else if (survey->trace != NULL && survey->trace_begin != '/' &&
             guest_string_is(survey->trace, settings.texts + settings.trace_given))
        plan->restored |= CHANGED_TRACE;
    if (!plan->lost && !survey->has_run && settings.run[0] != '\0' && !settings.no_follow)
        plan->restored |= RESTORED_RUN;
    /* It could not take out again what it was given. */
    if (plan->useless)
        plan->restored &= CHANGED_TRACE;
    /* One warning a tree is enough, and none where the trace records a blind spot. */
    bool hushed = settings.quiet || facts->obstacle == PW_BLIND_NO_ACCESS ||
                  facts->obstacle == PW_BLIND_UNREACHABLE;
    if (hushed && !survey->has_quiet)
        plan->restored |= RESTORED_QUIET;
}

size_t environment_plan(struct environment_plan *plan, char *const *envp,
                        const struct program_facts *facts) {
    struct survey survey = {.plan = plan};
    memset(plan, 0, sizeof *plan);
    if (environment_trace()[0] == '\0')
        return 0;
    plan->given = envp;
    plan->facts = facts;
    if (!guest_environment_each(envp, look_at, &survey))
        return 0; /* the kernel will refuse it */
    if (survey.trace != NULL && survey.trace_begin == '\0')
        return 0; /* the guest wants this one to be left alone */
    if (!examine_preload(plan))
        return 0;
    plan_settings(plan, &survey);
    plan->elsewhere = names_other_trace(&survey);
    plan->at_once = plan->drop || (plan->restored & RESTORED_QUIET) != 0;
    plan->changed = plan->restored != 0 || plan->drop;
    if (!plan->changed)
        return 0;
    plan->bytes = (plan->entries + 7) * sizeof(char *) + sizeof facts->sanitizer +
                  strlen(environment_shim()) + strlen(environment_trace()) + RUN_VARIABLE_BYTES +
                  256 + plan->preload_length;
    return plan->bytes;
}

static char *put(char *at, const char *text, size_t length) {
    memcpy(at, text, length);
    at[length] = '\0';
    return at + length;
}

static char *put_text(char *at, const char *text) { return put(at, text, strlen(text)); }

static char *put_number(char *at, unsigned number) {
    char digits[10];
    unsigned count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0)
        *at++ = digits[--count];
    *at = '\0';
    return at;
}

/* Part of the guest's value; NULL where that cannot be read any more. */
static char *put_guest(char *at, const char *from, size_t length) {
    if (!guest_copy(at, from, length))
        return NULL;
    at[length] = '\0';
    return at + length;
}

/* [sanitizer:]given[:shim] */
static char *put_preload(const struct environment_plan *plan, char *at) {
    bool add_shim = (plan->restored & (RESTORED_PRELOAD | RESTORED_APPENDED)) != 0;
    if ((plan->restored & RESTORED_SANITIZER) != 0) {
        at = put_text(at, plan->facts->sanitizer);
        at = put_text(at, ":");
    }
    if (plan->preload != NULL)
        at = put_guest(at, plan->preload, plan->preload_length);
    if (at == NULL)
        return NULL;
    if (plan->preload != NULL && add_shim)
        at = put_text(at, ":");
    return add_shim ? put_text(at, environment_shim()) : at;
}

static char *put_without_shim(const struct environment_plan *plan, char *at) {
    size_t before = plan->shim_at;
    size_t after = plan->shim_at + plan->shim_length;
    if (before > 0 && after == plan->preload_length)
        before--; /* the separator goes too */
    else if (after < plan->preload_length)
        after++;
    at = put_guest(at, plan->preload, before);
    return at == NULL ? NULL : put_guest(at, plan->preload + after, plan->preload_length - after);
}

static bool is_replaced(const struct environment_plan *plan,
                        const struct guest_variable *variable) {
    if (guest_variable_is(variable, PRELOAD))
        return plan->drop || (plan->restored & (RESTORED_APPENDED | RESTORED_SANITIZER)) != 0;
    if (guest_variable_is(variable, TRACE))
        return (plan->restored & CHANGED_TRACE) != 0;
    return guest_variable_is(variable, MARKER);
}

struct building {
    const struct environment_plan *plan;
    char **next;
    size_t taken;
};

static bool take_over(const struct guest_variable *variable, void *context) {
    struct building *building = context;
    if (building->taken == building->plan->entries)
        return false; /* it has grown meanwhile */
    building->taken++;
    if (!is_replaced(building->plan, variable))
        *building->next++ = (char *)(uintptr_t)variable->text;
    return true;
}

char **environment_build(const struct environment_plan *plan, void *space) {
    char **list = space;
    struct building building = {plan, list, 0};
    if (!guest_environment_each(plan->given, take_over, &building))
        return NULL;
    char **next = building.next;
    char *text = (char *)(list + plan->entries + 7);
    if (plan->drop ||
        (plan->restored & (RESTORED_PRELOAD | RESTORED_APPENDED | RESTORED_SANITIZER)) != 0) {
        *next++ = text;
        text = put_text(text, PRELOAD "=");
        text = plan->drop ? put_without_shim(plan, text) : put_preload(plan, text);
        if (text == NULL)
            return NULL;
        text++;
    }
    if ((plan->restored & (RESTORED_TRACE | CHANGED_TRACE)) != 0) {
        *next++ = text;
        text = put_text(put_text(text, TRACE "="), environment_trace()) + 1;
    }
    if ((plan->restored & RESTORED_QUIET) != 0) {
        *next++ = text;
        text = put_text(text, QUIET "=1") + 1;
    }
    if ((plan->restored & RESTORED_RUN) != 0) {
        *next++ = text;
        text = put_text(put_text(text, RUN_VARIABLE "="), settings.run) + 1;
    }
    if ((plan->restored & ~(unsigned)CHANGED_TRACE) != 0) {
        *next++ = text;
        put_number(put_text(text, MARKER "="), plan->restored);
    }
    *next = NULL;
    return list;
}
