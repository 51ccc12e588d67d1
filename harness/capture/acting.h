/* How a thread of `run` that makes a call in the place of a program says so to the eBPF programs of
 * another run: by its name, which is this and the program's pid. */
#ifndef PORTWITNESS_CAPTURE_ACTING_H
#define PORTWITNESS_CAPTURE_ACTING_H

#define ACTING_FOR "pw-for "
enum { ACTING_FOR_LENGTH = 7, ACTING_NAME_BYTES = 16 }; /* TASK_COMM_LEN, with NUL */

#endif
