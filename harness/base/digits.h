/* Numbers in decimal digits, where there are millions of them: printf takes ten times as long. */
#ifndef PORTWITNESS_BASE_DIGITS_H
#define PORTWITNESS_BASE_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { DIGITS_MAX = 20 };

/* Writes the number with at least that many digits, of which there are no more than DIGITS_MAX, and
 * no NUL; returns what is behind them. */
static inline char *digits_put(char *to, uint64_t number, unsigned least) {
    char digits[DIGITS_MAX];
    char *const end = digits + sizeof digits;
    char *first = end;

    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (end - first < (ptrdiff_t)least)
        *--first = '0';
    memcpy(to, first, (size_t)(end - first));
    return to + (end - first);
}

#endif
