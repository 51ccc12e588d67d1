/* Sockets of our own that are closed so that the kernel's notices of them show how far it has come:
 * when they have arrived, so have the notices of all sockets that ended before. */
#ifndef PORTWITNESS_SYSTEM_NOTICE_MARKS_H
#define PORTWITNESS_SYSTEM_NOTICE_MARKS_H

#include <stddef.h>
#include <stdint.h>

enum { NOTICE_MARKS_MAX = 1024 };

/* Opens and closes a socket on each processor that we may run on. Their cookies go to `cookies`;
 * how many they are. */
size_t notice_marks_make(uint64_t cookies[NOTICE_MARKS_MAX]);

#endif
