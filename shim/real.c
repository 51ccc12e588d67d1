/* Looked up once, when the shim starts, so that no wrapper ever meets the loader's lock. dlsym
 * takes about a thousand instructions for each call, so it is asked only where the modules' own
 * tables do not say it. */
#include "shim/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "shim/process/module_symbol.h"

struct real_calls real;

/* For a call that this C library does not have: a program that looks for it finds our entry. */
static long missing(void) {
    errno = ENOSYS;
    return -1;
}

static void look_up(struct modules_behind *behind, void *pointer, const char *name) {
    void *next = next_symbol(behind, name);
    long (*none)(void) = missing;
    if (next == NULL)
        next = dlsym(RTLD_NEXT, name);
    if (next == NULL)
        memcpy(&next, &none, sizeof next);
    memcpy(pointer, &next, sizeof next); /* ISO C has no cast from void * to a function pointer */
}

void real_resolve(void) {
    int saved = errno;
    struct modules_behind behind;
    behind.count = 0;
    behind.is_read = false;
#define CALL(number, result, name, parameters, arguments) look_up(&behind, &real.name, #name);
#define CALL_PLAIN(number, result, name) look_up(&behind, &real.name, #name);
#define CALL_VOID(number, name, parameters, arguments) look_up(&behind, &real.name, #name);
#define CALL_OWN(number, result, name, parameters) look_up(&behind, &real.name, #name);
#include "shim/shared/calls.def"
#undef CALL
#undef CALL_PLAIN
#undef CALL_VOID
#undef CALL_OWN
    errno = saved;
}
