/* What somebody may have meant who wrote something else. */
#ifndef PORTWITNESS_BASE_NEAR_MISS_H
#define PORTWITNESS_BASE_NEAR_MISS_H

#include <stddef.h>

/* How many letters have to be put in, taken out, changed, or swapped with the next, to make one
 * word of the other. Of words longer than 63 bytes only the first 63 are looked at. */
unsigned edit_distance(const char *one, const char *other);

/* The name nearest to the word; NULL where none is near, at most a third of its letters away. */
const char *near_miss(const char *word, const char *const names[], size_t count);

#endif
