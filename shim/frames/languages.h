/* The languages whose stacks can be walked. */
#ifndef PORTWITNESS_FRAMES_LANGUAGES_H
#define PORTWITNESS_FRAMES_LANGUAGES_H

#include <stdbool.h>

#include "shim/frames/frames.h"

/* Adds the frames of the calling thread, which is about to make a call on `fd` that returns to
 * `site`. false, at once, where the thread is not running code of that language, or may not be
 * asked. Nothing of the program may change by it, and no lock of the language be waited for. */
typedef bool frames_walk(struct frames *frames, int fd, const void *site);

extern frames_walk *const languages[];
extern const unsigned languages_count;

/* Looks which of them the program has: once, from the constructor. */
void languages_begin(void);

#endif
