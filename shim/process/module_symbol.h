/* Where an exported function of a loaded module lies. */
#ifndef PORTWITNESS_PROCESS_MODULE_SYMBOL_H
#define PORTWITNESS_PROCESS_MODULE_SYMBOL_H

/* The function of that name in the loaded file of that name ("libjvm.so"), whatever its version;
 * NULL where there is none. Only for a file that cannot be unloaded at this moment. Takes no lock;
 * reads /proc/self/maps, so the answer is to be kept. */
void *module_symbol(const char *file, const char *name);

/* The same in whatever the program was started with, in the order of the loader. To be called while
 * the shim starts: an allocator may be starting it, in the middle of its own first steps, and dlsym
 * allocates a message for each name that it does not find. Asks nobody. */
void *started_symbol(const char *name);

/* The same for a variable. */
void *started_variable(const char *name);

#endif
