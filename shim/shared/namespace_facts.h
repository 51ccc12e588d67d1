/* The one record of a network namespace that a trace has, whoever comes upon it first. */
#ifndef PORTWITNESS_SHARED_NAMESPACE_FACTS_H
#define PORTWITNESS_SHARED_NAMESPACE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/trace_format.h"

/* Does the trace not know the namespace with that cookie yet? true for one caller alone, who is to
 * write the record then. */
bool namespace_is_new(uint64_t cookie);

/* Who writes the record. */
struct namespace_writer {
    uint64_t process; /* serial, 0: none of the trace's */
    uint32_t thread;
    enum pw_source source;
};

/* Writes it. `is_current`: it is the calling thread's own, so its port range can be read. By raw
 * system calls. */
void namespace_write(uint64_t cookie, bool is_current, const struct namespace_writer *writer);

#endif
