/* A sequence of operations, what the model says of each and what the kernel does. */
#ifndef PORTWITNESS_EXPLAIN_EXPLANATION_H
#define PORTWITNESS_EXPLAIN_EXPLANATION_H

#include <stdio.h>

#include "harness/model/operation.h"

struct explanation {
    struct operation *list;
    char **texts;
    size_t count;
    size_t room;
    size_t text_room;
    struct operation_names names;
};

/* Begins with none. */
void explanation_begin(struct explanation *explanation);

/* Adds the operation in `text`; false with *problem filled where it is not one. */
bool explanation_add(struct explanation *explanation, const char *text,
                     struct operation_problem *problem);

/* Moves this process into a network namespace that has the devices and the addresses of the
 * operations. NULL, or what could not be done, with errno set. */
const char *explanation_enter_network(const struct explanation *explanation);

/* Writes a line an operation, or one JSON object. With `kernel` the calls are made as well, and
 * false is returned where an answer differs. */
bool explanation_write(const struct explanation *explanation, bool kernel, bool json, FILE *to);

/* Frees all. */
void explanation_free(struct explanation *explanation);

#endif
