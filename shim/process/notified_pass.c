/* The tokens stand in the trace, which others may write to: a wrong one only has the call notified.
 */
#include "shim/process/notified_pass.h"

#include "shim/shared/notify_filter.h"
#include "shim/shared/notify_join.h"
#include "shim/shared/recorder.h"

struct notified_pass notified_pass;

void notified_pass_begin(void) {
    const struct pw_notify_area *area = notify_area(recorder_header());
    if (area == NULL || !notify_filter_is_on())
        return;
    notified_pass.token[0] = (long)area->token[0];
    notified_pass.token[1] = (long)area->token[1];
}
