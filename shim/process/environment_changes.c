/*
 * To copy the environment takes as long as fifty binds, to copy the array of its pointers as long
 * as one. So libc's functions that change it are counted; where the array is another than they
 * left, somebody has put his own there (bash and perl do), and his pointers are compared.
 */
#include "shim/process/environment_changes.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#include "shim/process/start_strings.h"
#include "shim/shared/guest_memory.h"
#include "shim/shared/recorder.h"

enum { POINTERS = 128, LATE_SHIFT = 24 /* 17 ms */ };

static _Atomic uint64_t begun;
static _Atomic uint64_t ended;
static _Atomic(char **) libcs_array; /* as the last of the calls left it */

void environment_changes_begin(void) { atomic_fetch_add(&begun, 1); }

void environment_changes_end(void) {
    atomic_store(&libcs_array, environ);
    atomic_fetch_add(&ended, 1);
}

/* Cheaper than a multiplication, and enough for what nobody wants to collide. */
static uint64_t add(uint64_t hash, uint64_t word) { return (hash << 7 | hash >> 57) + word; }

/* 0 says that it is not known. No bit may be set for that: strings that lie 32 bytes apart may
 * differ in that bit alone. */
static uint64_t known(uint64_t hash) { return hash != 0 ? hash : 1; }

static uint64_t add_in_place(uint64_t hash, char *const *at) {
    for (const char *text; (text = *(char *const volatile *)at) != NULL; at++)
        hash = add(hash, (uintptr_t)text);
    return hash;
}

static bool add_copied(uint64_t *hash, char *const *at) {
    char *copy[POINTERS];
    while (at != NULL) {
        size_t count = guest_page_rest(at) / sizeof *at;
        count = count > POINTERS ? POINTERS : count > 0 ? count : 1;
        if (!guest_copy(copy, at, count * sizeof *at))
            return false;
        for (size_t i = 0; i < count && at != NULL; i++) {
            *hash = add(*hash, (uintptr_t)copy[i]);
            at = copy[i] != NULL ? at + 1 : NULL;
        }
    }
    return true;
}

/* The array that the program was started with stays where it is. libc's own is moved by its
 * functions alone, so it stays for as long as no other thread can call them, and none was
 * interrupted. Any other may be bad, or be taken away. */
uint64_t environment_state(void) {
    uint64_t count = atomic_load(&ended);
    char *const *at = environ;
    uint64_t hash = add(count << 1, (uintptr_t)at);
    if (atomic_load(&begun) != count)
        return 0;
    if (at == NULL)
        return known(hash);
    if (at == start_strings()->variables)
        return known(add_in_place(hash, at));
    if (at == atomic_load(&libcs_array))
        return known(__libc_single_threaded ? add_in_place(hash, at)
                                            : add(hash, monotonic_ns() >> LATE_SHIFT));
    return add_copied(&hash, at) ? known(hash) : 0;
}
