/* A program with more filters than `run` has put one on itself or was put under one on the way, and
 * is let alone; with as many it is recorded as any other, if the trial went well. */
#include "harness/run/filters.h"

#include "shim/shared/filter_trial.h"

static bool is_known;
static unsigned filters;
static bool harmless;

static void look(void) {
    if (is_known)
        return;
    is_known = true;
    filters = filter_count();
    harmless = filters == 0 || filter_trial();
}

unsigned filters_of_run(void) {
    look();
    return filters;
}

bool filters_are_harmless(void) {
    look();
    return harmless;
}
