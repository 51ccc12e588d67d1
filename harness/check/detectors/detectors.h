/* What each kind of finding is told by. All work on a finished history whose proofs are found. */
#ifndef PORTWITNESS_CHECK_DETECTORS_DETECTORS_H
#define PORTWITNESS_CHECK_DETECTORS_DETECTORS_H

#include "harness/check/history.h"

/* lost-race, race-window, double-hand-out. */
void judge_claims(struct history *history, struct findings *findings);

/* address-in-use, reuse-trap: what was refused and was no claim. Runs after judge_claims. */
void judge_refusals(struct history *history, struct findings *findings);

/* wrong-door. */
void judge_connections(const struct history *history, struct findings *findings);

/* collision. */
void judge_announcements(const struct history *history, struct findings *findings);

/* model-disagreement. */
void judge_answers(const struct history *history, struct findings *findings);

/* Gives each finding of the machine its test's name and its process's status. */
void judge_circumstances(const struct history *history, struct findings *findings);

#endif
