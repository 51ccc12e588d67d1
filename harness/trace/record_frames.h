/* The frames that a record has in the language of the program. */
#ifndef PORTWITNESS_TRACE_RECORD_FRAMES_H
#define PORTWITNESS_TRACE_RECORD_FRAMES_H

#include "harness/trace/reader.h"

/* How many frames the record has, the innermost first. */
unsigned record_frame_count(const struct trace_record *record);

/* The frame with that index below the count. */
const struct pw_frame *record_frame(const struct trace_record *record, unsigned index);

/* The name of the thread: a string's cookie, 0 where it has none. */
uint64_t record_frame_thread(const struct trace_record *record);

/* The index of the innermost frame of the user's own code, else of the innermost that is not of the
 * language's library or a test framework, else 0. The count must not be 0. */
unsigned record_frame_nearest(const struct trace_record *record);

/* A number for the place that the record's call came from: of the frame that record_frame_nearest
 * answers, and of the package between it and the call, and then with the highest bit set; else the
 * return address. 0: not known. Two calls with the same came from one place. */
uint64_t record_place(const struct trace_record *record);

/* Whether a place is one of a frame. */
static inline bool place_is_of_frame(uint64_t place) { return place >> 63 != 0; }

/* Whether two such places are in one file. */
bool places_share_file(uint64_t one, uint64_t other);

#endif
