/* Where an exported function of a loaded module lies. */
#ifndef PORTWITNESS_PROCESS_MODULE_SYMBOL_H
#define PORTWITNESS_PROCESS_MODULE_SYMBOL_H

#include <stdbool.h>
#include <stdint.h>

/* The function of that name in the loaded file of that name ("libjvm.so"), whatever its version;
 * NULL where there is none. Only for a file that cannot be unloaded at this moment. Takes no lock;
 * reads /proc/self/maps, so the answer is to be kept. */
void *module_symbol(const char *file, const char *name);

/* The same in whatever the program was started with, in the order of the loader. To be called while
 * the shim starts: an allocator may be starting it, in the middle of its own first steps, and dlsym
 * allocates a message for each name that it does not find. Asks nobody. */
void *started_symbol(const char *name);

/* The function that dlsym(RTLD_NEXT, name) finds from here, in what the program was started with:
 * the first one behind this library in the order of the loader, in its default version. NULL where
 * only the loader can tell. `behind` is filled by the first call; its count is 0 and is_read false
 * before it. */
enum { MODULES_BEHIND_MOST = 64 };
struct modules_behind {
    struct {
        const void *table, *names, *hash, *versions;
        uintptr_t bias;
    } module[MODULES_BEHIND_MOST];
    unsigned count;
    bool is_read;
};
void *next_symbol(struct modules_behind *behind, const char *name);

/* The same as started_symbol for a variable. */
void *started_variable(const char *name);

#endif
