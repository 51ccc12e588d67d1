/* A holder that is not recorded: who it is, since when, and how to end it. */
#ifndef PORTWITNESS_REPORT_OUTSIDE_HOLDER_H
#define PORTWITNESS_REPORT_OUTSIDE_HOLDER_H

#include <jansson.h>
#include <stdio.h>

#include "harness/check/check.h"

enum { END_TEXT_SIZE = 160 };

/* Writes the lines of a finding whose holder is HOLDER_TABLE. */
void outside_holder_write(const struct check *check, const struct finding *finding, FILE *to);

/* Writes the line that ends a holder who is recorded and none of the command's, if he runs. */
void outside_holder_write_stranger(const struct check *check, const struct finding *finding,
                                   FILE *to);

/* Writes what is to be said of a process that is left behind, beside the calls. */
void outside_holder_write_left(const struct check *check, const struct finding *finding, FILE *to);

/* Adds what only such a holder has to the object of the JSON form: null where `holder` is NULL or
 * nothing is known. */
void outside_holder_add_json(json_t *object, const struct check *check,
                             const struct finding *finding);

/* The command that ends the holder, or shows who it is; "" where there is none. Returns `text`. */
const char *outside_holder_end(const struct table_holder *holder, char text[END_TEXT_SIZE]);

#endif
