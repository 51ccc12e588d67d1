/* What somebody who reads of a finding asks next: did it matter? */
#include <string.h>

#include "harness/base/test_name.h"
#include "harness/check/ancestry.h"
#include "harness/check/detectors/detectors.h"
#include "harness/check/severity.h"

/* A later test of the same process that binds a port of its own has nothing to do with it. */
static bool was_another_test(const struct finding *finding) {
    if (finding->marker == NULL || finding->instead_marker == NULL)
        return false;
    size_t length = test_name_length(finding->marker);
    size_t other_length = test_name_length(finding->instead_marker);
    return length != 0 && other_length != 0 &&
           (length != other_length ||
            memcmp(finding->marker, finding->instead_marker, length) != 0);
}

void annotate_findings(const struct machine *machine, struct findings *findings) {
    for (size_t i = 0; i < findings->count; i++) {
        struct finding *finding = &findings->list[i];
        if (!machine_has(machine, finding->subject.trace) || finding->subject.process == 0)
            continue;
        if (was_another_test(finding))
            finding->instead = (struct call){0};
        finding->status = ancestry_status(machine, finding->subject.process);
        severity_set(machine, finding);
    }
}
