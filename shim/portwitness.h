/*
 * What a test runner may call in a program that runs under `portwitness run`: it is exported by the
 * shim, which such a program has loaded already. There is nothing to link with, and the function is
 * not there where nothing is recorded:
 *
 *   C       if (portwitness_mark != NULL) portwitness_mark("login test", PORTWITNESS_STARTS);
 *   Python  mark = getattr(ctypes.CDLL(None), "portwitness_mark", None)
 */
#ifndef PORTWITNESS_H
#define PORTWITNESS_H

#ifdef __cplusplus
extern "C" {
#endif

enum portwitness_mark {
    PORTWITNESS_STARTS = 0,
    PORTWITNESS_PASSED = 1, /* it ended, and so */
    PORTWITNESS_FAILED = 2,
    PORTWITNESS_SKIPPED = 3,
    PORTWITNESS_ENDED = 4 /* how is not known */
};

/* The test `name` starts or ends in this process, in the thread that calls: findings name it. An
 * end may go without a name (NULL). 0; -1 where nothing is recorded. Async-signal-safe, and errno
 * is left alone. */
int portwitness_mark(const char *name, int what) __attribute__((weak));

#ifdef __cplusplus
}
#endif

#endif
