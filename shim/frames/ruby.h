/* Frames of Ruby, 3.1 or later. There are some where the interpreter makes a call without giving up
 * its lock: it keeps it for bind and listen, and gives it up for most connects. */
#ifndef PORTWITNESS_FRAMES_RUBY_H
#define PORTWITNESS_FRAMES_RUBY_H

#include "shim/frames/languages.h"

/* Looks for an interpreter: once, when the shim has started. */
void ruby_begin(void);

/* Whose code a file holds, as far as its path says. */
enum pw_frame_of ruby_code_of(const char *path);

/* See languages.h. */
frames_walk ruby_walk;

#endif
