/* Where the code of a call site comes from: one record a module and process. */
#ifndef PORTWITNESS_PROCESS_MODULE_MAP_H
#define PORTWITNESS_PROCESS_MODULE_MAP_H

/* Makes sure that the trace holds the mapping that `site` lies in. Async-signal-safe: the loader's
 * lock is never taken, /proc/self/maps is read instead. */
void module_note(const void *site);

/* The same for all code that is mapped now: later nobody may look. */
void modules_note_all(void);

#endif
