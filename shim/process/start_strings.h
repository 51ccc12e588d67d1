/* Does a port's number stand in the strings that this program was started with? */
#ifndef PORTWITNESS_PROCESS_START_STRINGS_H
#define PORTWITNESS_PROCESS_START_STRINGS_H

#include <stdint.h>

/* PW_FLAG_IN_ARGUMENTS, PW_FLAG_IN_ENVIRONMENT, PW_FLAG_SEARCH_CUT as they apply. The number counts
 * where no other digit touches it. */
uint64_t start_strings_hold(uint16_t port);

#endif
