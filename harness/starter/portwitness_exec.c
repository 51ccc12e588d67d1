/*
 * Puts itself under the filter of notify_filter.h and becomes another program. For what libc starts
 * in a child that runs nobody's code but its own (posix_spawn): the shim has it start this in the
 * program's place, which keeps process, descriptors and signals as they are.
 *
 *   portwitness-exec TRACE PROGRAM ARGUMENT0 ARGUMENT...
 *
 * Where there is nobody to answer for the filter, the program is executed without. Static, so that
 * no library of the program's environment has a part in it.
 */
#include <errno.h>
#include <unistd.h>

#include "shim/shared/notify_join.h"
#include "shim/shared/trace_file.h"

enum { STATUS_USAGE = 2, STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

int main(int count, char **arguments) {
    struct trace_map map;
    struct trace_problem problem;
    if (count < 4)
        return STATUS_USAGE;
    if (trace_open(arguments[1], &map, &problem)) {
        struct pw_notify_area *area = notify_area(map.base);
        if (area != NULL)
            (void)notify_join(area);
    }
    execve(arguments[2], arguments + 3, environ);
    return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}
