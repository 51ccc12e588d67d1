/* A green "clean" below the tests of a Go program says nothing of them: all that was looked at is
 * the shell that started them. */
#include "harness/report/headline.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/names.h"
#include "harness/base/path_last.h"

enum { PROGRAMS_SHOWN = 4 };

/* What a program of that kind is, for those of which no call is seen; NULL: others. */
static const char *what_it_is(unsigned reason) {
    switch (reason) {
    case PW_BLIND_STATIC:
        return "a static program";
    case PW_BLIND_SETUID:
        return "setuid, setgid or has capabilities";
    case PW_BLIND_ARCHITECTURE:
        return "of another architecture or C library";
    case PW_BLIND_OWN_CALLS:
        return "a Go program that makes its system calls itself";
    case PW_BLIND_NO_ACCESS:
        return "not allowed to open the trace";
    case PW_BLIND_UNREACHABLE:
        return "unable to reach the shim or the trace";
    case PW_BLIND_NOT_FOLLOWED:
        return "not followed, and its environment was cleared";
    case PW_BLIND_UNEXAMINED:
        return "executed when no descriptor was free to look at it";
    case PW_BLIND_OTHER_TRACE:
        return "in the trace of another run";
    case PW_BLIND_UNSEEN:
        return "one that never reported";
    default:
        return NULL;
    }
}

/* `go test` builds and starts NAME.test. */
static bool is_test_binary(const char *program) {
    size_t length = strlen(program);
    return length > 5 && strcmp(program + length - 5, ".test") == 0;
}

/* One program that was not seen. */
struct unseen {
    const char *name;
    unsigned reason;
};

struct unseen_list {
    struct unseen list[PROGRAMS_SHOWN];
    uint64_t count; /* also of those beyond */
    bool urgent;
};

static void add(struct unseen_list *unseen, const char *program, unsigned reason) {
    const char *name = path_last_or_all(program);
    for (uint64_t i = 0; i < unseen->count && i < PROGRAMS_SHOWN; i++)
        if (strcmp(unseen->list[i].name, name) == 0)
            return;
    if (unseen->count < PROGRAMS_SHOWN)
        unseen->list[unseen->count] = (struct unseen){name, reason};
    unseen->count++;
}

/* The tests themselves come before the compilers that built them. */
static void gather(const struct check *check, struct unseen_list *unseen, bool tests) {
    for (size_t i = 0; i < check->trace_count; i++)
        for (size_t j = 0; j < check->traces[i].blind_spot_count; j++) {
            const struct check_blind_spot *spot = &check->traces[i].blind_spots[j];
            if (what_it_is(spot->reason) == NULL)
                continue;
            unseen->urgent = unseen->urgent || spot->is_command;
            for (size_t k = 0; k < spot->program_count; k++)
                if (is_test_binary(spot->programs[k]) == tests)
                    add(unseen, spot->programs[k], spot->reason);
            if (!tests)
                unseen->count += spot->more;
        }
    unseen->urgent = unseen->urgent || (tests && unseen->count > 0);
}

static struct unseen_list unseen_of(const struct check *check) {
    struct unseen_list unseen = {.count = 0};
    gather(check, &unseen, true);
    gather(check, &unseen, false);
    return unseen;
}

bool headline_is_urgent(const struct check *check) { return unseen_of(check).urgent; }

bool headline_text(const struct check *check, char text[HEADLINE_SIZE]) {
    const struct unseen_list unseen = unseen_of(check);
    enum check_verdict verdict = check_verdict(check);
    size_t used = 0;
    text[0] = '\0';
    if (unseen.count == 0 || (verdict != VERDICT_INCOMPLETE && !unseen.urgent))
        return false;
    if (unseen.count == 1) {
        snprintf(text, HEADLINE_SIZE, "%.200s was not checked: it is %s", unseen.list[0].name,
                 what_it_is(unseen.list[0].reason));
        return true;
    }
    for (uint64_t i = 0; i < unseen.count && i < PROGRAMS_SHOWN; i++)
        used += (size_t)snprintf(text + used, HEADLINE_SIZE - used, "%s%.120s (%s)",
                                 i == 0 ? "not checked: " : ", ", unseen.list[i].name,
                                 name_of_blind_spot(unseen.list[i].reason));
    if (unseen.count > PROGRAMS_SHOWN)
        snprintf(text + used, HEADLINE_SIZE - used, " and %" PRIu64 " more",
                 unseen.count - PROGRAMS_SHOWN);
    return true;
}
