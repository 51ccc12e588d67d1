/* What the command finds in its environment: the shim and the trace. */
#ifndef PORTWITNESS_RUN_RUN_ENVIRONMENT_H
#define PORTWITNESS_RUN_RUN_ENVIRONMENT_H

#include <stdbool.h>

#include "shim/shared/policy_format.h"

struct run_environment {
    const char *shim;      /* path of libportwitness.so; NULL: the command cannot load it */
    const char *trace;     /* absolute path of the trace */
    const char *sanitizer; /* soname that must be listed first, NULL or "": none */
    bool follow;
    const char *plugins; /* the folder of the plugin for pytest; NULL: not wanted */
    const char *pytest;  /* what that is to do */
    const struct pw_policy_config *policy; /* NULL: the kernel's own choice */
};

/* Finds libportwitness.so: $PORTWITNESS_SHIM, else beside this program, else in ../lib/portwitness
 * from there. An absolute path to be freed; NULL, with one line on stderr, where there is none. */
char *environment_find_shim(void);

/* The value for LD_PRELOAD: `present` (NULL: unset) with the shim behind it and the sanitizer's
 * runtime before it, each only if it is not listed yet. Another copy of the shim gives its place to
 * ours. To be freed; NULL without memory. */
char *environment_preload(const char *present, const char *shim, const char *sanitizer);

/* A copy of `from` with what the plan adds, for exec. PORTWITNESS_RUN says to the shim that the
 * trace exists: where it does not find it, after chroot say, it must not make another. Free with
 * environment_free; NULL without memory. */
char **environment_make(char *const from[], const struct run_environment *plan);

/* Frees an environment. */
void environment_free(char **environment);

#endif
