/* Lines on stderr that hold text from elsewhere: file names, arguments. */
#ifndef PORTWITNESS_BASE_MESSAGE_H
#define PORTWITNESS_BASE_MESSAGE_H

#include <stdio.h>

/* Writes one line, its newline added. Bytes that would disturb a terminal or begin another line are
 * shown as '?', and what does not fit into 8 KiB is left off. */
__attribute__((format(printf, 2, 3))) void message_write(FILE *to, const char *format, ...);

#endif
