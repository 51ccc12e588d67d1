/* The version of portwitness. */
#ifndef PORTWITNESS_CLI_VERSION_H
#define PORTWITNESS_CLI_VERSION_H

#define PORTWITNESS_VERSION "0.1.0"

#endif
