/* The description of a network namespace, where no shim is in it to write one. */
#ifndef PORTWITNESS_RUN_NAMESPACE_RECORD_H
#define PORTWITNESS_RUN_NAMESPACE_RECORD_H

#include <stdint.h>

/* Writes it once for each cookie. What the kernel's settings are is known of our own namespace
 * alone, whose cookie is `own`. */
void namespace_record(uint64_t netns, uint64_t own);

#endif
