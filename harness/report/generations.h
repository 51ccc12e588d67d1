/* A process and those above it, in one trace. */
#ifndef PORTWITNESS_REPORT_GENERATIONS_H
#define PORTWITNESS_REPORT_GENERATIONS_H

#include "harness/trace/processes.h"

enum { GENERATIONS_MAX = 64 };

/* The images of one process count as one generation. */
struct generations {
    const struct process *chain[GENERATIONS_MAX]; /* from the topmost down to the process */
    unsigned count;
};

/* Fills *generations for the process with that serial; count 0: it is not known. */
void generations_of(struct generations *generations, const struct processes *processes,
                    uint64_t serial);

/* How many of the topmost generations are the same. */
unsigned generations_in_common(const struct generations *one, const struct generations *other);

/* Are these images of one process? */
bool generations_are_one(const struct process *one, const struct process *other);

#endif
