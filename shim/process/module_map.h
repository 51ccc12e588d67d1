/* Where the code of a call site comes from: one record a module and process. */
#ifndef PORTWITNESS_PROCESS_MODULE_MAP_H
#define PORTWITNESS_PROCESS_MODULE_MAP_H

#include <stdbool.h>
#include <stdint.h>

enum module_kind {
    MODULE_PLAIN,
    MODULE_OF_JDK /* a library in which the class library's native methods make network calls */
};

/* Makes sure that the trace holds the mapping that `site` lies in. Async-signal-safe: the loader's
 * lock is never taken, /proc/self/maps is read instead. */
void module_note(const void *site);

/* Whether a call was made from a library of the JDK, as far as sites were noted. */
bool module_of_jdk_is_known(void);

/* As module_note, and what kind of module it is, by its file's name. The answer is remembered. */
enum module_kind module_kind(const void *site);

/* Where the first file with that name begins that is mapped to be executed, 0 if there is none: who
 * only reads the file may have it mapped, too, and not as it is loaded. Reads /proc/self/maps each
 * time, and is as async-signal-safe as that. */
uint64_t module_begin(const char *name);

/* The same for all code that is mapped now: later nobody may look. */
void modules_note_all(void);

#endif
