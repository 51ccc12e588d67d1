/* The exit statuses of portwitness, all of them. `run` and `reserve` end with the command's own, so
 * what is theirs is distinguished from it, as by env(1) and timeout(1). */
#ifndef PORTWITNESS_BASE_STATUSES_H
#define PORTWITNESS_BASE_STATUSES_H

enum {
    STATUS_GOOD = 0,
    STATUS_FOUND = 1,     /* what was looked for: findings, failures, a difference, a refusal */
    STATUS_UNWRITTEN = 1, /* standard output could not be written */
    STATUS_USAGE = 2,     /* wrong usage, or input that cannot be read, or for want of memory */
    STATUS_INCOMPLETE = 3,
    STATUS_FAILED = 125, /* portwitness itself failed */
    STATUS_NOT_EXECUTABLE = 126,
    STATUS_NOT_FOUND = 127,
    STATUS_SIGNALLED = 128 /* plus the signal's number */
};

#endif
