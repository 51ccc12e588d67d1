/* Where a number that was refused comes from. */
#ifndef PORTWITNESS_PROCESS_NUMBER_SOURCE_H
#define PORTWITNESS_PROCESS_NUMBER_SOURCE_H

#include <stdint.h>

/* Records the environment variable in which the port's number stood when the program was started,
 * if there is one, for the record with this number. */
void number_source_record(uint16_t port, uint64_t record);

#endif
