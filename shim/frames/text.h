/* Texts that records name by their hash, each written once a process. */
#ifndef PORTWITNESS_FRAMES_TEXT_H
#define PORTWITNESS_FRAMES_TEXT_H

#include <stdint.h>

/* The name of "first NUL second" in the trace; NULL counts as empty. The text is written if this
 * process has not written it, as far as is remembered. 0: nothing could be written. Long texts are
 * cut. Lock-free. */
uint64_t text_intern(const char *first, const char *second);

#endif
