/* Starting the shim: settings from the environment, the trace, the first records. */
#ifndef PORTWITNESS_START_H
#define PORTWITNESS_START_H

/* Done once, by the constructor or by whichever wrapper is called before it. Calls from within are
 * harmless. Keeps errno. */
void shim_start(void);

#endif
