/* Looked up once, when the shim starts, so that no wrapper ever meets the loader's lock. */
#include "shim/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

struct real_calls real;

/* For a call that this C library does not have: a program that looks for it finds our entry. */
static long missing(void) {
    errno = ENOSYS;
    return -1;
}

static void look_up(void *pointer, const char *name) {
    void *next = dlsym(RTLD_NEXT, name);
    long (*none)(void) = missing;
    if (next == NULL)
        memcpy(&next, &none, sizeof next);
    memcpy(pointer, &next, sizeof next); /* ISO C has no cast from void * to a function pointer */
}

void real_resolve(void) {
    int saved = errno;
#define CALL(number, result, name, parameters, arguments) look_up(&real.name, #name);
#define CALL_PLAIN(number, result, name) look_up(&real.name, #name);
#define CALL_VOID(number, name, parameters, arguments) look_up(&real.name, #name);
#define CALL_OWN(number, result, name, parameters) look_up(&real.name, #name);
#include "shim/shared/calls.def"
#undef CALL
#undef CALL_PLAIN
#undef CALL_VOID
#undef CALL_OWN
    errno = saved;
}
