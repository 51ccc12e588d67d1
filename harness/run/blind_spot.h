/* The record of a program or a connection that could not be recorded, as `run` writes it. */
#ifndef PORTWITNESS_RUN_BLIND_SPOT_H
#define PORTWITNESS_RUN_BLIND_SPOT_H

#include <stdint.h>

#include "shim/shared/trace_format.h"

/* `process`: serial of who executed it, 0: not known, or `run`; `pid`: of what was not seen, 0:
 * none; `text`: the program's path, or what else names it. */
void blind_spot_record(unsigned reason, uint64_t process, uint32_t pid, const char *text);

#endif
