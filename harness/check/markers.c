/* A suite has as many markers as tests, or more, and each call belongs to one of them: calls and
 * markers are gone through together, in the order of time. */
#include "harness/check/markers.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/check/ancestry.h"

enum { STEPS_MAX = 4096 };

/* A call whose test is wanted. */
struct wanted_name {
    const struct call *call;
    char **name;
    bool *is_inherited; /* it was given to the process from outside */
};

/* Of each process the latest marker up to some time. */
struct naming {
    const struct history *history;
    uint32_t *by_time;          /* all markers */
    struct map of_unit;         /* from the environment: the first that was found at that bind */
    struct map seen;            /* ... by process */
    struct map own;             /* of a process itself, by process */
    struct map mixed;           /* processes in which tests ran in several threads at once */
    struct map owned;           /* of `portwitness mark`, by owner */
    struct map below;           /* ... by owner, and by all that are above it */
    uint32_t of_all;            /* ... whose owner is not known; MAP_NONE: none */
    struct wanted_name *wanted; /* by the begin of the call */
    size_t wanted_count, room;
};

static const struct marker *marker_of(const struct naming *naming, uint32_t index) {
    return &naming->history->markers[index];
}

static bool is_from_environment(const struct naming *naming, uint32_t index) {
    return (marker_of(naming, index)->flags & PW_FLAG_MARKER_ENVIRONMENT) != 0;
}

/* Of two, of which either may be MAP_NONE; of one time the first. */
static uint32_t latest(const struct naming *naming, uint32_t one, uint32_t other) {
    if (one == MAP_NONE || other == MAP_NONE)
        return one == MAP_NONE ? other : one;
    uint64_t one_ns = marker_of(naming, one)->ns;
    uint64_t other_ns = marker_of(naming, other)->ns;
    if (one_ns != other_ns)
        return one_ns > other_ns ? one : other;
    return one < other ? one : other;
}

static void put_latest(const struct naming *naming, struct map *map, uint64_t key, uint32_t index) {
    map_put(map, key, latest(naming, map_get(map, key), index));
}

static bool is_end(const struct naming *naming, uint32_t index) {
    return (marker_of(naming, index)->flags & PW_FLAG_MARKER_END) != 0;
}

/* A runner that lets tests run in several threads says nothing about the calls of one of them. */
static void note_own(struct naming *naming, uint32_t index) {
    const struct marker *marker = marker_of(naming, index);
    uint32_t before = map_get(&naming->own, marker->process);
    if (before != MAP_NONE && !is_end(naming, before) && !is_end(naming, index) &&
        marker_of(naming, before)->thread != marker->thread)
        map_put(&naming->mixed, marker->process, 1);
    put_latest(naming, &naming->own, marker->process, index);
}

/* The latest of the process itself, the end of a test as well. */
static uint32_t find_own(const struct naming *naming, uint64_t process) {
    bool is_mixed = map_get(&naming->mixed, process) != MAP_NONE;
    return is_mixed ? MAP_NONE : map_get(&naming->own, process);
}

/* `portwitness mark` was started by the one whose test it names. */
static void note_mark(struct naming *naming, uint32_t index) {
    const struct machine *machine = naming->history->machine;
    if (marker_of(naming, index)->is_own) {
        note_own(naming, index);
        return;
    }
    uint64_t owner = ancestry_parent(machine, marker_of(naming, index)->process);
    if (owner == 0) {
        naming->of_all = latest(naming, naming->of_all, index);
        return;
    }
    put_latest(naming, &naming->owned, owner, index);
    for (int step = 0; owner != 0 && step < STEPS_MAX; step++) {
        put_latest(naming, &naming->below, owner, index);
        owner = ancestry_step(machine, owner);
    }
}

/* The latest of `portwitness mark` whose owner is related to the process, or not known, or that the
 * process or one above it has said itself. */
static uint32_t find_mark(const struct naming *naming, uint64_t process) {
    const struct machine *machine = naming->history->machine;
    uint32_t found =
        latest(naming, naming->of_all, map_get(&naming->below, ancestry_process(machine, process)));
    for (int step = 0; process != 0 && step < STEPS_MAX; step++) {
        found = latest(naming, found, map_get(&naming->owned, process));
        found = latest(naming, found, find_own(naming, process));
        process = ancestry_step(machine, process);
    }
    return found;
}

static uint64_t unit_of(const struct call *call) {
    return (uint64_t)call->trace << MACHINE_TAG_SHIFT | call->unit;
}

static void give_name(const struct naming *naming, const struct wanted_name *wanted,
                      uint32_t index) {
    const char *name = marker_of(naming, index)->name;
    *wanted->name = memory_copy(name, strlen(name));
    *wanted->is_inherited = (marker_of(naming, index)->flags & PW_FLAG_INHERITED) != 0;
}

/* What the process itself says. Else what stood in its environment: at the call itself, else when
 * it was last looked at. Else the latest that `portwitness mark` wrote before, or an ancestor said,
 * unless that is the end of a test. */
static void name_test(const struct naming *naming, const struct wanted_name *wanted) {
    const struct call *call = wanted->call;
    uint32_t index = find_own(naming, call->process);
    if (index == MAP_NONE || is_end(naming, index))
        index = map_get(&naming->of_unit, unit_of(call));
    if (index == MAP_NONE || marker_of(naming, index)->process != call->process)
        index = map_get(&naming->seen, call->process);
    bool is_said = index != MAP_NONE && !is_end(naming, index);
    if (!is_said)
        index = find_mark(naming, call->process);
    if (index == MAP_NONE || is_end(naming, index))
        return;
    give_name(naming, wanted, index);
    *wanted->is_inherited = *wanted->is_inherited || !is_said;
}

static void name_forward(struct naming *naming) {
    size_t count = naming->history->marker_count;
    size_t seen = 0;
    size_t marks = 0;
    for (size_t i = 0; i < naming->wanted_count; i++) {
        const struct wanted_name *wanted = &naming->wanted[i];
        uint64_t ns = wanted->call->begin_ns;
        for (; seen < count && marker_of(naming, naming->by_time[seen])->ns < ns; seen++) {
            uint32_t index = naming->by_time[seen];
            if (is_from_environment(naming, index))
                put_latest(naming, &naming->seen, marker_of(naming, index)->process, index);
        }
        for (; marks < count && marker_of(naming, naming->by_time[marks])->ns <= ns; marks++)
            if (!is_from_environment(naming, naming->by_time[marks]))
                note_mark(naming, naming->by_time[marks]);
        if (*wanted->name == NULL)
            name_test(naming, wanted);
    }
}

/* Traces of version 0.1 have it behind the call, and do not say of which. */
static void name_backward(struct naming *naming) {
    struct map next = {0};
    size_t left = naming->history->marker_count;
    for (size_t i = naming->wanted_count; i-- > 0;) {
        const struct wanted_name *wanted = &naming->wanted[i];
        const struct call *call = wanted->call;
        uint32_t index;
        while (left > 0 &&
               marker_of(naming, index = naming->by_time[left - 1])->ns >= call->begin_ns) {
            if (is_from_environment(naming, index) && marker_of(naming, index)->unit == 0)
                map_put(&next, marker_of(naming, index)->process, index);
            left--;
        }
        index = map_get(&next, call->process);
        if (index != MAP_NONE && map_get(&naming->of_unit, unit_of(call)) == MAP_NONE)
            give_name(naming, wanted, index);
    }
    map_free(&next);
}

static int by_time(const void *one, const void *other, void *with) {
    const struct marker *markers = with;
    uint32_t a = *(const uint32_t *)one;
    uint32_t b = *(const uint32_t *)other;
    if (markers[a].ns != markers[b].ns)
        return markers[a].ns < markers[b].ns ? -1 : 1;
    return a < b ? -1 : a > b;
}

static int by_begin(const void *one, const void *other) {
    uint64_t a = ((const struct wanted_name *)one)->call->begin_ns;
    uint64_t b = ((const struct wanted_name *)other)->call->begin_ns;
    return a < b ? -1 : a > b;
}

static void sort_markers(struct naming *naming) {
    const struct history *history = naming->history;
    size_t room = 0;
    naming->by_time = memory_grow(NULL, &room, history->marker_count, sizeof *naming->by_time);
    for (uint32_t i = 0; i < history->marker_count; i++) {
        naming->by_time[i] = i;
        if (is_from_environment(naming, i) && history->markers[i].unit != 0 &&
            map_get(&naming->of_unit, history->markers[i].unit) == MAP_NONE)
            map_put(&naming->of_unit, history->markers[i].unit, i);
    }
    qsort_r(naming->by_time, history->marker_count, sizeof *naming->by_time, by_time,
            history->markers);
}

static void want(struct naming *naming, const struct call *call, char **name, bool *is_inherited) {
    if (call->process == 0 || *name != NULL)
        return;
    naming->wanted = memory_grow(naming->wanted, &naming->room, naming->wanted_count + 1,
                                 sizeof *naming->wanted);
    naming->wanted[naming->wanted_count++] = (struct wanted_name){call, name, is_inherited};
}

void markers_name_tests(const struct history *history, struct findings *findings) {
    struct naming naming = {.history = history, .of_all = MAP_NONE};
    if (history->marker_count == 0)
        return;
    for (size_t i = 0; i < findings->count; i++) {
        struct finding *finding = &findings->list[i];
        if (!machine_has(history->machine, finding->subject.trace) || finding->subject.process == 0)
            continue;
        want(&naming, &finding->subject, &finding->marker, &finding->marker_is_inherited);
        want(&naming, &finding->assigned, &finding->assigned_marker,
             &finding->assigned_marker_is_inherited);
        want(&naming, &finding->other, &finding->other_marker, &finding->other_marker_is_inherited);
        want(&naming, &finding->other_assigned, &finding->other_assigned_marker,
             &finding->other_assigned_marker_is_inherited);
        want(&naming, &finding->instead, &finding->instead_marker,
             &finding->instead_marker_is_inherited);
    }
    if (naming.wanted_count > 0) {
        qsort(naming.wanted, naming.wanted_count, sizeof *naming.wanted, by_begin);
        sort_markers(&naming);
        name_backward(&naming);
        name_forward(&naming);
    }
    free(naming.wanted);
    free(naming.by_time);
    map_free(&naming.of_unit);
    map_free(&naming.seen);
    map_free(&naming.own);
    map_free(&naming.mixed);
    map_free(&naming.owned);
    map_free(&naming.below);
}
