/* Reads the operations of `portwitness explain`. */
#ifndef PORTWITNESS_EXPLAIN_OPERATIONS_H
#define PORTWITNESS_EXPLAIN_OPERATIONS_H

#include "harness/explain/explanation.h"

/* Adds the operations of a file, a line each; "-" is standard input. false, with one line on
 * stderr, where it cannot be read or a line is not an operation. */
bool operations_read_file(struct explanation *explanation, const char *file);

/* Adds those of words, which end with NULL. */
bool operations_read_words(struct explanation *explanation, char *const *words);

#endif
