/* The seccomp filters that `run` was itself started under: a container's, say. */
#ifndef PORTWITNESS_RUN_FILTERS_H
#define PORTWITNESS_RUN_FILTERS_H

#include <stdbool.h>

/* How many they are; what the command starts has at least as many. */
unsigned filters_of_run(void);

/* Whether they let live what makes the shim's own system calls. Tried once, in a child. */
bool filters_are_harmless(void);

#endif
