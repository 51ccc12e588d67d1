/* Numbers as people write them: digits alone. strtoul(3) takes blanks and signs before them. */
#ifndef PORTWITNESS_BASE_NUMBER_H
#define PORTWITNESS_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Reads the digits at *text, which is moved behind them. false where there are none, or where they
 * stand for more than `most`. */
bool read_digits(const char **text, uint64_t most, uint64_t *number);

/* Reads a text that is a number from `least` to `most`, and nothing else. */
bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *number);

/* Reads "LOW-HIGH", two numbers from 1 to 65535, the first not above the second. */
bool read_port_range(const char *text, uint16_t *low, uint16_t *high);

/* Reads a size such as 67108864, 64M or 2GiB, in powers of 1024. */
bool read_size(const char *text, uint64_t *bytes);

#endif
