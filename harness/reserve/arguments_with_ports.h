/* The numbers of reserved ports, given to a command in its arguments and its environment. */
#ifndef PORTWITNESS_RESERVE_ARGUMENTS_WITH_PORTS_H
#define PORTWITNESS_RESERVE_ARGUMENTS_WITH_PORTS_H

#include <stdbool.h>

#include "harness/reserve/hold.h"

/* A copy of the arguments in which each {1}, {2} and so on is the number of that port. What stands
 * between other braces is left alone. Ended by NULL; to be freed by arguments_with_ports_free. NULL
 * without memory. */
char **arguments_with_ports(char *const arguments[], const struct held_ports *held);

/* Sets PORTWITNESS_PORT_1 and so on in our own environment; those of a reservation around us that
 * has more are taken away. false without memory. */
bool environment_with_ports(const struct held_ports *held);

/* Frees the copy. */
void arguments_with_ports_free(char **arguments);

#endif
