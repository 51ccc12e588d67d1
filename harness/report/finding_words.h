/* How the sides of a finding are headed, in both forms of the text. */
#ifndef PORTWITNESS_REPORT_FINDING_WORDS_H
#define PORTWITNESS_REPORT_FINDING_WORDS_H

#include "harness/check/check.h"

/* Is one process both the subject of the finding and the other side? */
bool finding_is_of_one_process(const struct check *check, const struct finding *finding);

/* The name of the error that the call failed with; NULL: none. A connection that is being made has
 * not failed. */
const char *finding_failure(const struct call *call);

/* " (inferred)", to stand behind it, where the error was not reported; else "". */
const char *finding_inferred(const struct call *call);

/* The line that says that no holder was seen, and why that may be. */
extern const char finding_no_holder[];

/* "Lost", before the call that lost. */
const char *finding_subject_heading(const struct finding *finding);

/* "Given for port 0 to", "Picked on": what the assignment was to the finding, by its cause. */
const char *finding_assigned_heading(const struct finding *finding);

/* "Held by", "Taken by" */
const char *finding_other_heading(const struct finding *finding);

/* "which inherited it at exec": how the holder came by the socket of another; NULL where it did
 * not, or that is not known. */
const char *finding_how_text(const struct check *check, const struct finding *finding);

/* Did the one that was assigned the number release it before, so that there is a window? */
bool finding_was_released(const struct finding *finding);

/* How long anybody could have had the port; 0 where there was no such time. And who could. */
uint64_t finding_window_ns(const struct finding *finding);
const char *finding_window_words(const struct finding *finding);

#endif
