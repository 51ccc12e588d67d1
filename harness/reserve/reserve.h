/* A whole `portwitness reserve`. */
#ifndef PORTWITNESS_RESERVE_RESERVE_H
#define PORTWITNESS_RESERVE_RESERVE_H

#include <stddef.h>

/* Reserves so many ports, HELD_PORTS_MAX at most, and runs the command, which ends with NULL.
 * Returns the exit status: the command's, or 125 where portwitness failed. */
int reserve(size_t number, char *const *command);

#endif
