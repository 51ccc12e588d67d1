/* The value of --shared. */
#ifndef PORTWITNESS_CLI_SHARING_H
#define PORTWITNESS_CLI_SHARING_H

#include <sys/types.h>

/* Reads it: NULL is mode 0666, digits are an octal mode, anything else a group with mode 0660.
 * NULL, or what is wrong with it. */
const char *sharing_read(const char *text, unsigned *mode, gid_t *group);

#endif
