/* The names behind the numbers of a trace, as they stand in text output. All in lower case, except
 * errno names. Names are part of the text form: new ones are added, old ones stay. */
#ifndef PORTWITNESS_BASE_NAMES_H
#define PORTWITNESS_BASE_NAMES_H

#include <stdint.h>

/* "bind"; NULL for 0 or a number that this version does not know. */
const char *name_of_call(unsigned call);

/* "process-start"; NULL where not known. */
const char *name_of_kind(unsigned kind);

/* "shim"; NULL where not known. */
const char *name_of_source(unsigned source);

/* "EADDRINUSE"; NULL for 0 and for numbers that Linux does not use. */
const char *name_of_error(unsigned error);

/* "inet", "inet6"; NULL where not known. */
const char *name_of_family(unsigned family);

/* "stream"; NULL where not known. */
const char *name_of_type(unsigned type);

/* "tcp": of the protocol, or where that is 0 of the one that the type stands for. NULL where not
 * known. */
const char *name_of_protocol(unsigned type, unsigned protocol);

/* "reuseaddr": of one flag bit of a record; NULL where not known. */
const char *name_of_flag(uint64_t bit);

/* "static program": a cause of a blind spot; NULL where not known. */
const char *name_of_blind_spot(unsigned blind);

/* "kernel notices": a cause of loss (enum pw_lost), for sentences; NULL where not known. */
const char *name_of_loss(unsigned cause);

/* "passed": how a test ended (enum pw_outcome); NULL for 0 or where not known. And back; 0: none.
 */
const char *name_of_outcome(unsigned outcome);
unsigned outcome_of_name(const char *name);

/* "user": whose code a frame is (enum pw_frame_of); NULL where not known. */
const char *name_of_frame_owner(unsigned of);

/* "reuseaddr": an option of PW_KIND_OPTION; NULL where not known. */
const char *name_of_option(unsigned option);

#endif
