/* A trace that cannot be read does not hide the others. */
#include "harness/trace/each_trace.h"

#include "harness/base/message.h"
#include "harness/base/output.h"

bool each_trace(const char *const *paths, trace_taker *take, void *with) {
    bool good = true;
    for (; *paths != NULL && !output_failed(); paths++) {
        struct trace_reader_problem problem;
        struct trace_reader *reader = trace_reader_open(*paths, &problem);

        if (reader == NULL) {
            good = complain(NULL, "%s: %s", *paths, problem.what);
            continue;
        }
        take(with, reader, *paths);
        trace_reader_close(reader);
    }
    return good;
}
