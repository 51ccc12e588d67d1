/* The strings that this program was started with: arguments, then environment. */
#ifndef PORTWITNESS_PROCESS_START_STRINGS_H
#define PORTWITNESS_PROCESS_START_STRINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the kernel put them; NULL where that is not known. */
struct start_strings {
    const char *arguments;
    const char *arguments_end;
    const char *environment;
    const char *environment_end;
    char *const *variables; /* the array that points to these; NULL: not known to be there */
};

/* Set once, when this program image is entered in the trace. */
void start_strings_set(const struct start_strings *strings);
const struct start_strings *start_strings(void);

/* Does a port's number stand in them? PW_FLAG_IN_ARGUMENTS, PW_FLAG_IN_ENVIRONMENT,
 * PW_FLAG_SEARCH_CUT as they apply. The number counts where no other digit touches it. */
uint64_t start_strings_hold(uint16_t port);

/* Copies the name of the first environment variable in which the number stands, cut to `size`, with
 * a NUL; its length, 0 where there is none. */
size_t start_strings_variable(uint16_t port, char *name, size_t size);

/* Its decimal digits, without a NUL; how many. */
size_t start_strings_digits(uint16_t port, char digits[5]);

/* Do the digits stand in a text, as a number of their own? */
bool start_strings_have(const char *from, const char *end, const char *digits, size_t length);

#endif
