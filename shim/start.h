/* Starting the shim: settings from the environment, the trace, the first records. */
#ifndef PORTWITNESS_START_H
#define PORTWITNESS_START_H

/* Done once, by the constructor or by whichever wrapper is called before it. Calls from within are
 * harmless. Keeps errno. */
void shim_start(void);

/* For an entry that finds nothing looked up: starts the shim, and where that is going on already,
 * looks the real calls up. */
void shim_prepare(void);

#endif
