/*
 * The C++ library itself reads such names (the Itanium ABI names the function), and where C++
 * programs run it is there. So it is loaded when the first such name turns up, and nobody needs
 * another library to build or to run this; binutils' libiberty would do the same, but there is only
 * an archive of it, under another licence.
 */
#include "harness/check/symbol_name.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { LONGEST = 4096, RUST_HASH = 16 };

typedef char *demangle_function(const char *mangled, char *buffer, size_t *size, int *status);

static demangle_function *find_demangle(void) {
    static bool tried;
    static demangle_function *found;
    if (!tried) {
        tried = true;
        void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
        void *symbol = library != NULL ? dlsym(library, "__cxa_demangle") : NULL;
        memcpy(&found, &symbol, sizeof found); /* ISO C knows no cast from one to the other */
    }
    return found;
}

/* Rust ends its names in "::h" and the hash of a build, which the next build changes. */
static void cut_hash(char *name) {
    size_t length = strlen(name);
    if (length < RUST_HASH + strlen("::h"))
        return;
    char *end = name + length - RUST_HASH - strlen("::h");
    if (strncmp(end, "::h", strlen("::h")) == 0 &&
        strspn(end + strlen("::h"), "0123456789abcdef") == RUST_HASH)
        *end = '\0';
}

char *symbol_name(const char *linked) {
    int status = 0;
    if (linked == NULL || strncmp(linked, "_Z", 2) != 0 || strlen(linked) > LONGEST)
        return NULL;
    demangle_function *demangle = find_demangle();
    char *name = demangle != NULL ? demangle(linked, NULL, NULL, &status) : NULL;
    if (name != NULL)
        cut_hash(name);
    return name;
}
