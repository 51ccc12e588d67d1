/* What of a command line is the same in each run. */
#ifndef PORTWITNESS_REPORT_STABLE_TEXT_H
#define PORTWITNESS_REPORT_STABLE_TEXT_H

#include <stddef.h>

/* The text with N for each number, the last part of each absolute path, and * for one right
 * in a folder for temporary files. What is longer than the size is cut. Returns `to`. */
const char *stable_text(const char *text, char *to, size_t size);

#endif
