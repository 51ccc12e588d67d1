/* Where an exported function of a loaded module lies. */
#ifndef PORTWITNESS_PROCESS_MODULE_SYMBOL_H
#define PORTWITNESS_PROCESS_MODULE_SYMBOL_H

/* The function of that name in the loaded file of that name ("libjvm.so"), whatever its version;
 * NULL where there is none. Only for a file that cannot be unloaded at this moment. Takes no lock;
 * reads /proc/self/maps, so the answer is to be kept. */
void *module_symbol(const char *file, const char *name);

#endif
