/* What somebody who reads of a finding asks next: in which test was that, and did it matter? */
#include "harness/check/ancestry.h"
#include "harness/check/detectors/detectors.h"
#include "harness/check/markers.h"
#include "harness/check/severity.h"

void annotate_findings(const struct history *history, struct findings *findings) {
    const struct machine *machine = history->machine;
    markers_name_tests(history, findings);
    for (size_t i = 0; i < findings->count; i++) {
        struct finding *finding = &findings->list[i];
        if (!machine_has(machine, finding->subject.trace) || finding->subject.process == 0)
            continue;
        finding->status = ancestry_status(machine, finding->subject.process);
        severity_set(machine, finding);
    }
}
