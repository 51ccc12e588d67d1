/* How each kind of finding is detected. All work on a finished history whose proofs are found. */
#ifndef PORTWITNESS_CHECK_DETECTORS_DETECTORS_H
#define PORTWITNESS_CHECK_DETECTORS_DETECTORS_H

#include "harness/check/history.h"

/* lost-race, race-window, double-hand-out. */
void detect_claims(struct history *history, struct findings *findings);

/* lost-race and race-window of numbers that were seen to be free by binding them; of other
 * refusals notes that the process had bound the number before. Runs after detect_claims. */
void detect_probes(struct history *history, struct findings *findings);

/* Fills in that the process, or a related one, had bound the number before, and when it was
 * released. */
void probes_fill_in(const struct history *history, uint32_t probe, struct finding *finding);

/* race-window of a number that was picked in another network namespace; of those that were refused
 * notes the pick. Runs after detect_claims. */
void detect_other_namespaces(struct history *history, struct findings *findings);

/* address-in-use, reuse-trap: what was refused and was not a claim. Runs after these. */
void detect_refusals(struct history *history, struct findings *findings);

/* shared-port. */
void detect_shared_ports(const struct history *history, struct findings *findings);

/* stale-port-connect. */
void detect_stale_connections(const struct history *history, struct findings *findings);

/* Did the connection, as far as is known, go to the listener behind this binding? */
bool connection_is_answered_by(const struct history *history, const struct connection *connection,
                               uint32_t binding);

/* collision. */
void detect_collisions(const struct history *history, struct findings *findings);

/* model-disagreement. */
void detect_impossible_answers(const struct history *history, struct findings *findings);

/* leftover-process. */
void detect_leftovers(const struct history *history, struct findings *findings);

/* Gives each finding of the machine its process's status and its severity, when the tests of its
 * calls are known. */
void annotate_findings(const struct machine *machine, struct findings *findings);

#endif
