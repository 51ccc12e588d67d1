/* Every record of traces as JSON Lines. */
#ifndef PORTWITNESS_REPORT_EXPORT_H
#define PORTWITNESS_REPORT_EXPORT_H

#include <stdbool.h>

/* Writes an object a record of the traces, whose names end with NULL, to standard output. false,
 * with a line on stderr for each, where a trace could not be read. */
bool export_write(const char *const *traces);

#endif
