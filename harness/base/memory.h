/* Growing arrays and the like. The program that reads a trace cannot go on without memory, so it
 * ends here. */
#ifndef PORTWITNESS_BASE_MEMORY_H
#define PORTWITNESS_BASE_MEMORY_H

#include <stddef.h>

/* Makes room for `needed` elements of `size` bytes in `array`, which has room for *room. The array,
 * perhaps moved; new elements are not set. Ends the program with a message if there is no memory.
 */
void *memory_grow(void *array, size_t *room, size_t needed, size_t size);

/* `count` elements of `size` bytes, all zero, to be freed. Pages that are never written take no
 * memory and no time. Ends the program as above. */
void *memory_zeroed(size_t count, size_t size);

/* A copy of `length` bytes of text with a NUL behind them, to be freed. Ends the program as above.
 */
char *memory_copy(const char *text, size_t length);

#endif
