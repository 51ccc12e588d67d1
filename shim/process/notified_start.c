/* Only what cannot be seen otherwise is put under a filter, so that nothing else is slowed down,
 * and a set-user-ID program, which would lose its rights under no_new_privs, keeps them. */
#include "shim/process/notified_start.h"

#include "shim/process/sandbox.h"
#include "shim/shared/notify_join.h"
#include "shim/shared/recorder.h"

void notified_start(const struct program_facts *facts) {
    struct pw_notify_area *area = notify_area(recorder_header());
    if (area != NULL && notify_is_needed(facts) && !sandbox_is_on())
        (void)notify_join(area);
}
