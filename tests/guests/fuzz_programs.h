/* Arguments of calls that start programs: paths, argument vectors and environments, of which
 * something is always bad, so that nothing is ever started. See fuzz_calls.c. */
#ifndef FUZZ_PROGRAMS_H
#define FUZZ_PROGRAMS_H

#include "tests/guests/fuzz_arguments.h"

static struct place put_text(const char *text) {
    size_t size = strlen(text) + 1;
    struct place place = good_place(TEXT, size);
    put_both(&place, text, size);
    return place;
}

/* A path that cannot be read: nowhere, or going on where nothing is. */
static struct place unreadable_path(void) {
    struct place place = {.area = TEXT, .offset = PAGE - 1};
    if (below(2) == 0)
        return bad_place();
    put_both(&place, "x", 1);
    return place;
}

/* `is_free`: libc passes the path on unread. */
static void add_path(struct invocation *to, bool is_free) {
    static const char *const paths[] = {"/nowhere/at/all", "", "/", "nothing-of-that-name",
                                        "/dev/null/x"};
    static char long_path[3000];
    struct place place;
    memset(long_path, 'x', sizeof long_path - 1);
    to->may_run = below(2) == 0;
    if (to->may_run)
        place = put_text("/bin/true");
    else if (is_free && below(2) == 0)
        place = unreadable_path();
    else
        place = put_text(below(8) == 0 ? long_path : PICK(paths));
    add_place(to, &place);
}

enum { STRINGS = 70 };

/* An array of texts; `is_bad`: of these, something must be bad, else anything may. */
static struct place put_array(enum area area, const char *const *texts, unsigned count,
                              bool is_bad) {
    static const uint64_t bad[] = {8, UINT64_C(0xffff800000000000), UINT64_MAX};
    char *pointers[STRINGS + 1] = {NULL};
    unsigned length = below(4) == 0 ? below(STRINGS) : 1 + below(4);
    unsigned way = is_bad ? 1 + below(3) : below(4);
    for (unsigned i = 0; i < length; i++)
        pointers[i] = (char *)(uintptr_t)texts[below(count)];
    if (way == 1)
        pointers[below(length + 1)] = (char *)(uintptr_t)PICK(bad);
    struct place place = good_place(area, sizeof pointers);
    if (way == 2) /* NULL would come where nothing can be read */
        place.offset = PAGE - length * (unsigned)sizeof *pointers;
    if (way == 3)
        return (struct place){.is_bad = true, .bad = PICK(bad)};
    put_both(&place, pointers, (length + 1) * sizeof *pointers);
    if (!is_bad && below(8) == 0) /* ends within a pointer */
        place.offset += 4;
    return place;
}

static struct place put_arguments(bool is_bad) {
    static const char *const texts[] = {"true", "x", ""};
    return put_array(MAIN, texts, 3, is_bad);
}

static struct place put_environment(bool is_bad) {
    static const char *const texts[] = {"A=1",
                                        "PATH=/bin",
                                        "LD_PRELOAD=",
                                        "LD_PRELOAD=a.so b.so",
                                        "PORTWITNESS_TRACE=relative",
                                        "PORTWITNESS_QUIET=1",
                                        "PORTWITNESS_RESTORED=9",
                                        "",
                                        "="};
    return put_array(CONTROL, texts, sizeof texts / sizeof *texts, is_bad);
}

/* Arguments and, where the call takes one, environment. */
static void add_vectors(struct invocation *to, bool with_environment) {
    bool is_argument = !with_environment || below(2) == 0;
    struct place place = put_arguments(to->may_run && is_argument);
    add_place(to, &place);
    if (!with_environment)
        return;
    place = put_environment(to->may_run && !is_argument);
    add_place(to, &place);
}

/* For execl and its like: few, the last one before NULL bad where the program is not. */
static void add_list(struct invocation *to, bool with_environment) {
    add_both(to, (long)"true");
    add_both(to, to->may_run ? 8 : (long)"x");
    add_both(to, 0);
    struct place place = put_environment(false);
    if (with_environment)
        add_place(to, &place);
}

static void add_exec_flags(struct invocation *to) {
    static const int flags[] = {0, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, 0x8000, -1};
    int flag = PICK(flags);
    add_both(to, flag);
}

/* libc counts the arguments itself. */
static void add_spawn(struct invocation *to, bool is_free) {
    static char *const good[] = {"true", NULL}, *const bad[] = {"true", (char *)8, NULL};
    struct place pid = good_place(LENGTH, sizeof(pid_t));
    if (below(4) == 0)
        pid = (struct place){.is_bad = true};
    add_place(to, &pid);
    add_path(to, is_free);
    add_both(to, 0);
    add_both(to, 0);
    add_both(to, to->may_run ? (long)bad : (long)good);
    struct place environment = put_environment(false);
    add_place(to, &environment);
}

static void add_shell_command(struct invocation *to, bool with_mode) {
    static const char *const modes[] = {"r", "w", "x", ""};
    struct place place = bad_place();
    if (place.bad == 0 && (with_mode || below(4) != 0))
        place.bad = 8; /* NULL asks whether there is a shell */
    add_place(to, &place);
    if (with_mode)
        add_both(to, (long)PICK(modes));
}

#endif
