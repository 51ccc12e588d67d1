/* Programs that have a container daemon do what they are asked, outside of the tree. */
#ifndef PORTWITNESS_RUN_DAEMON_CLIENT_H
#define PORTWITNESS_RUN_DAEMON_CLIENT_H

#include <stdbool.h>

/* Is this the path of such a program? */
bool daemon_client_is(const char *program);

#endif
