/* Lines for people, on stderr as a rule. */
#ifndef PORTWITNESS_BASE_MESSAGE_H
#define PORTWITNESS_BASE_MESSAGE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* Writes one line, with '?' for each control character or mark of direction in it: names can hold
 * those, and a terminal would obey them. What is longer than 8 KiB is cut. */
void message_write(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes one such line to stderr behind "portwitness COMMAND: ", or "portwitness: " where `command`
 * is NULL: what is wrong, and with what. Always false, so that a reader can return it. */
bool complain(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts such a line into `text`, without its newline; what is longer than `size` is cut. */
void message_put(char *text, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* "" for one and "s" for any other number: the end of a word that is counted. */
const char *plural(unsigned long long count);

#endif
