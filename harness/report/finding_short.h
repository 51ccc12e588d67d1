/* One finding in as many lines as fit a screen beside others. */
#ifndef PORTWITNESS_REPORT_FINDING_SHORT_H
#define PORTWITNESS_REPORT_FINDING_SHORT_H

#include "harness/report/finding_text.h"

/* What stands between head and summary, nine lines at most: what failed, where, who has the port
 * and how, since when, the window and the fix. */
void finding_short_write(const struct finding_writer *writing, const struct finding *finding);

#endif
