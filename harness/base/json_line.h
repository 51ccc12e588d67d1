/* JSON values of what traces hold, and lines of them. */
#ifndef PORTWITNESS_BASE_JSON_LINE_H
#define PORTWITNESS_BASE_JSON_LINE_H

#include <jansson.h>
#include <stdint.h>

/* A number; a decimal string where it does not fit a signed 64-bit integer. */
json_t *json_number(uint64_t number);

/* A number, or null where it is 0. */
json_t *json_number_or_null(uint64_t number);

/* Text that may hold any bytes: what is not UTF-8 becomes U+FFFD. */
json_t *json_text(const char *text, size_t length);

/* Text that ends with a NUL, or null where it is NULL. */
json_t *json_text_or_null(const char *text);

/* Writes the object as one line to standard output, keys in the order of their making, and drops
 * it. Errors are kept by the stream. */
void json_line_write(json_t *object);

#endif
