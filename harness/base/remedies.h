/* What would let a program be seen that was not. */
#ifndef PORTWITNESS_BASE_REMEDIES_H
#define PORTWITNESS_BASE_REMEDIES_H

/* An option, or something to do, in a few words; `reason` is an enum pw_blind, `capture` the
 * PW_CAPTURE_... bits of the run. NULL where nothing is known that would help. */
const char *remedy_of_blind_spot(unsigned reason, unsigned capture);

/* The same for one that was refused its filter; `what` is an enum pw_notify_count. */
const char *remedy_of_refusal(unsigned what);

#endif
