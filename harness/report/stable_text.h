/* What of a command line is the same in each run. */
#ifndef PORTWITNESS_REPORT_STABLE_TEXT_H
#define PORTWITNESS_REPORT_STABLE_TEXT_H

#include <stddef.h>

/* The text with N for each number of four digits or more that stands alone, * for UUIDs, long
 * hexadecimal numbers and names that look random with all folders above them, and of each absolute
 * path the last two folders and the name. Of what is longer than the size the end is the hash of
 * all. Returns `to`. */
const char *stable_text(const char *text, char *to, size_t size);

#endif
