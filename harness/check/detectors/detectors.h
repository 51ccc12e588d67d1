/* How each kind of finding is detected. All work on a finished history whose proofs are found. */
#ifndef PORTWITNESS_CHECK_DETECTORS_DETECTORS_H
#define PORTWITNESS_CHECK_DETECTORS_DETECTORS_H

#include "harness/check/history.h"

/* lost-race, race-window, double-hand-out. */
void detect_claims(struct history *history, struct findings *findings);

/* address-in-use, reuse-trap: what was refused and was not a claim. Runs after detect_claims. */
void detect_refusals(struct history *history, struct findings *findings);

/* stale-port-connect. */
void detect_stale_connections(const struct history *history, struct findings *findings);

/* collision. */
void detect_collisions(const struct history *history, struct findings *findings);

/* model-disagreement. */
void detect_impossible_answers(const struct history *history, struct findings *findings);

/* leftover-process. */
void detect_leftovers(const struct history *history, struct findings *findings);

/* Gives each finding of the machine its test's name and its process's status. */
void annotate_findings(const struct history *history, struct findings *findings);

#endif
