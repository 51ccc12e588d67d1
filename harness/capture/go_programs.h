/* The Go programs that calls came from last, kept open with their tables. */
#ifndef PORTWITNESS_CAPTURE_GO_PROGRAMS_H
#define PORTWITNESS_CAPTURE_GO_PROGRAMS_H

#include <sys/types.h>
#include <time.h>

#include "harness/capture/go_owner.h"

enum { GO_PROGRAMS_MAX = 16 };

struct go_program {
    dev_t device; /* with the inode, and when it was changed: which file */
    ino_t inode;
    struct timespec changed;
    uint64_t used; /* the greater, the later; 0: this place is free */
    bool is_go;    /* of one that is not, that is all that is known */
    int file;
    struct go_table table;
    struct go_root root;
};

/* Zero-initialized it is empty. */
struct go_programs {
    uint64_t clock;
    struct go_program program[GO_PROGRAMS_MAX];
};

/* The program that `file`, a descriptor opened for reading, is open on: read now, or kept. The
 * descriptor stays the caller's. NULL where it is not a Go program, or has no table. Good until the
 * next call. */
struct go_program *go_programs_find(struct go_programs *programs, int file);

/* Closes what is open; it is empty then. */
void go_programs_close(struct go_programs *programs);

#endif
