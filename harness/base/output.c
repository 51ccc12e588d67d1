/* A report that was cut by a full disk or a closed pipe must not look like a short one. */
#include "harness/base/output.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/message.h"

void output_begin(void) { signal(SIGPIPE, SIG_IGN); }

bool output_failed(void) { return ferror(stdout) != 0; }

bool output_finish(void) {
    int error = errno;
    bool failed = ferror(stdout) != 0;

    if (fflush(stdout) != 0) {
        error = errno;
        failed = true;
    }
    if (fclose(stdout) != 0 && !failed) {
        error = errno;
        failed = true;
    }
    if (failed)
        complain(NULL, "standard output: %s", strerror(error));
    return !failed;
}
