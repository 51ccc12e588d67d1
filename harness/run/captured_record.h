/* The record of a call that an event reports. */
#ifndef PORTWITNESS_RUN_CAPTURED_RECORD_H
#define PORTWITNESS_RUN_CAPTURED_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/capture/outside_event.h"
#include "harness/capture/outside_frames.h"
#include "harness/capture/remote_program.h"

/* How the lines of the program are found. */
struct captured_lines {
    struct outside_frames *frames;
    const struct remote_program *program; /* NULL: not known */
};

/* Writes it for the process with that serial. `is_unbound`: nobody has been seen to give the socket
 * a port, so that a call other than bind was a port-0 request, if there is a port now. The number
 * of the record, 0 where none was written of a bind, listen or connect. */
uint64_t captured_record_write(const struct outside_event *event, uint64_t process, bool is_unbound,
                               struct captured_lines lines);

#endif
