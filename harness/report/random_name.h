/* Names that a program made up when it ran. */
#ifndef PORTWITNESS_REPORT_RANDOM_NAME_H
#define PORTWITNESS_REPORT_RANDOM_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Is this part of a path, so many bytes of it, a name as mkdtemp(3), tempfile, pytest or a number
 * generator makes one? `temporary`: it is below a folder for temporary files, where less is enough
 * to take it for one. */
bool random_name_is(const char *name, size_t length, bool temporary);

/* The length of the UUID or hexadecimal number of eight digits or more, or behind 0x, that begins
 * there and ends where no letter or digit follows; 0: none does. */
size_t random_name_number(const char *text, size_t length);

#endif
