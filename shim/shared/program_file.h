/* Looks at a program file before it is executed: can the shim enter it, and what must come first?
 */
#ifndef PORTWITNESS_SHARED_PROGRAM_FILE_H
#define PORTWITNESS_SHARED_PROGRAM_FILE_H

#include <stdbool.h>

#include "shim/shared/trace_format.h"

struct program_facts {
    int obstacle;    /* enum pw_blind: why the shim cannot enter; 0: it can, or that is not known */
    bool is_foreign; /* it is for another machine or word size, and no filter of ours sees its calls
                      */
    char
        sanitizer[64]; /* soname of a sanitizer's runtime that must be first in LD_PRELOAD, or "" */
    char path[2048];   /* the file as found, cut if longer: signal stacks are small */
};

/* `name` is a path, or, where `search_path` is not NULL and the name has no slash, is looked for in
 * that colon-separated list as execvp(3) does. A script's interpreter is looked at in its place.
 * false where no such file can be executed (facts->path still names what was tried).
 * Both texts may be the guest's: what cannot be read is not there, and the path is then empty.
 * Async-signal-safe; raw system calls only. */
bool program_inspect(const char *name, const char *search_path, struct program_facts *facts);

/* The same for the program that `fd` is open on, be it with O_PATH; its path is the kernel's. */
bool program_inspect_descriptor(int fd, struct program_facts *facts);

#endif
