/* What somebody who reads of a finding asks next: in which test was that, and did it matter? */
#include <string.h>

#include "harness/base/memory.h"
#include "harness/check/ancestry.h"
#include "harness/check/detectors/detectors.h"
#include "harness/check/severity.h"

/* `portwitness mark` was started by the one whose test it names. */
static bool is_for(const struct machine *machine, const struct marker *marker, uint64_t process) {
    uint64_t owner = ancestry_parent(machine, marker->process);
    return owner == 0 || ancestry_is_related(machine, owner, process);
}

static bool is_from_environment(const struct marker *marker) {
    return (marker->flags & PW_FLAG_MARKER_ENVIRONMENT) != 0;
}

/* What stood in the environment: at the call itself, else when the process had last looked. Traces
 * of version 0.1 have it behind the call, and do not say of which. */
static const struct marker *find_in_environment(const struct history *history,
                                                const struct call *call) {
    uint64_t unit = (uint64_t)call->trace << MACHINE_TAG_SHIFT | call->unit;
    const struct marker *before = NULL;
    const struct marker *behind = NULL;
    for (size_t i = 0; i < history->marker_count; i++) {
        const struct marker *marker = &history->markers[i];
        if (!is_from_environment(marker) || marker->process != call->process)
            continue;
        if (marker->unit == unit)
            return marker;
        if (marker->ns < call->begin_ns && (before == NULL || marker->ns > before->ns))
            before = marker;
        if (marker->unit == 0 && marker->ns >= call->begin_ns &&
            (behind == NULL || marker->ns < behind->ns))
            behind = marker;
    }
    return behind != NULL ? behind : before;
}

/* The latest that `portwitness mark` wrote before, unless that one says that the test ends. */
static const struct marker *find_mark(const struct history *history, const struct call *call) {
    const struct marker *latest = NULL;
    for (size_t i = 0; i < history->marker_count; i++) {
        const struct marker *marker = &history->markers[i];
        if (!is_from_environment(marker) && marker->ns <= call->begin_ns &&
            (latest == NULL || marker->ns > latest->ns) &&
            is_for(history->machine, marker, call->process))
            latest = marker;
    }
    return latest != NULL && (latest->flags & PW_FLAG_MARKER_END) == 0 ? latest : NULL;
}

static char *name_test(const struct history *history, const struct call *call) {
    if (call->process == 0 || history->marker_count == 0)
        return NULL;
    const struct marker *marker = find_in_environment(history, call);
    if (marker == NULL)
        marker = find_mark(history, call);
    return marker != NULL ? memory_copy(marker->name, strlen(marker->name)) : NULL;
}

void annotate_findings(const struct history *history, struct findings *findings) {
    const struct machine *machine = history->machine;
    for (size_t i = 0; i < findings->count; i++) {
        struct finding *finding = &findings->list[i];
        bool ours = false;
        for (size_t j = 0; j < machine->count; j++)
            ours = ours || machine->members[j] == finding->subject.trace;
        if (!ours || finding->subject.process == 0)
            continue;
        finding->status = ancestry_status(machine, finding->subject.process);
        if (finding->marker == NULL)
            finding->marker = name_test(history, &finding->subject);
        if (finding->other_marker == NULL)
            finding->other_marker = name_test(history, &finding->other);
        severity_set(machine, finding);
    }
}
