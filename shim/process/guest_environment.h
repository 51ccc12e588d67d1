/* An environment as the guest gave it to exec, or has it now: an array of pointers that may be bad,
 * to texts that another thread may take away. */
#ifndef PORTWITNESS_PROCESS_GUEST_ENVIRONMENT_H
#define PORTWITNESS_PROCESS_GUEST_ENVIRONMENT_H

#include <stdbool.h>

/* Of each text so much is copied at once; no name that is looked for is longer. */
enum { GUEST_HEAD = 24 };

struct guest_variable {
    const char *text;      /* in the guest's memory */
    char head[GUEST_HEAD]; /* a copy of its beginning */
};

/* Calls visit for each until it returns false (NULL counts as empty). false where it did, or where
 * not all could be read. */
bool guest_environment_each(char *const *envp,
                            bool (*visit)(const struct guest_variable *variable, void *context),
                            void *context);

/* Whether it is the variable of this name. */
bool guest_variable_is(const struct guest_variable *variable, const char *name);

/* Where the value of a variable is in the guest's memory, or NULL. */
const char *guest_environment_value(char *const *envp, const char *name);

#endif
