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

/* A marker from the environment stands behind the call that failed; others before what they name.
 */
static const struct marker *marker_of(const struct history *history,
                                      const struct finding *finding) {
    const struct machine *machine = history->machine;
    const struct marker *latest = NULL;
    const struct marker *found = NULL;
    for (size_t i = 0; i < history->marker_count; i++) {
        const struct marker *marker = &history->markers[i];
        bool environment = (marker->flags & PW_FLAG_MARKER_ENVIRONMENT) != 0;
        if (environment) {
            if (marker->process == finding->subject.process &&
                marker->ns >= finding->subject.begin_ns &&
                (found == NULL || marker->ns < found->ns))
                found = marker;
        } else if (marker->ns <= finding->subject.begin_ns &&
                   (latest == NULL || marker->ns > latest->ns) &&
                   is_for(machine, marker, finding->subject.process)) {
            latest = marker;
        }
    }
    if (found != NULL)
        return found;
    return latest != NULL && (latest->flags & PW_FLAG_MARKER_END) == 0 ? latest : NULL;
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
        const struct marker *marker = marker_of(history, finding);
        if (marker != NULL && finding->marker == NULL)
            finding->marker = memory_copy(marker->name, strlen(marker->name));
        severity_set(machine, finding);
    }
}
