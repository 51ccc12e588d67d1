/* Results that came too late: a signal had interrupted the call while it was made in the program's
 * place (before Linux 6.0, which has WAIT_KILLABLE_RECV). The program repeats it and must not be
 * told EINVAL for what has succeeded. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_LATE_H
#define PORTWITNESS_CAPTURE_NOTIFY_LATE_H

#include <stdbool.h>
#include <stdint.h>

enum { NOTIFY_LATE_KEPT = 256 };

/* Zero-initialized it is empty. The oldest is forgotten where it is full. */
struct notify_late {
    struct {
        uint64_t cookie; /* of the socket; 0: none */
        uint64_t arguments;
        int number;
        int error;
    } kept[NOTIFY_LATE_KEPT];
    unsigned next;
};

/* A hash of a call's arguments, by which its repetition is known. */
uint64_t notify_late_hash(const void *bytes, unsigned size);

void notify_late_keep(struct notify_late *late, uint64_t cookie, int number, uint64_t arguments,
                      int error);

/* The result of the same call on the same socket, once; false where there is none. */
bool notify_late_take(struct notify_late *late, uint64_t cookie, int number, uint64_t arguments,
                      int *error);

#endif
