/* The same as notified_start.h for posix_spawn, whose child runs none of our code: it is to start
 * portwitness-exec, which lies beside the shim, and that the program. */
#ifndef PORTWITNESS_PROCESS_NOTIFIED_SPAWN_H
#define PORTWITNESS_PROCESS_NOTIFIED_SPAWN_H

#include <stdbool.h>
#include <stddef.h>

#include "shim/process/program_start.h"

struct notified_spawn {
    const char
        *path; /* to be started in the program's place, with `argv`; NULL: the program itself */
    char **argv;
    size_t size; /* of a mapping that both are in */
};

/* `path` as the guest gave it; `moves`: the child may be in another folder when it looks for it.
 * false, with path NULL, where the program needs no filter or nobody is there to give it one. */
bool notified_spawn_begin(struct notified_spawn *spawn, const struct program_start *start,
                          const char *path, char *const argv[], bool moves);
void notified_spawn_end(struct notified_spawn *spawn);

#endif
