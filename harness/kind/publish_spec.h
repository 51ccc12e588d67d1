/* Port mappings as `docker run -p` and compose files write them. */
#ifndef PORTWITNESS_KIND_PUBLISH_SPEC_H
#define PORTWITNESS_KIND_PUBLISH_SPEC_H

#include "harness/kind/mapping.h"

/* Reads [[ADDRESS:][HOST]:]CONTAINER[/PROTOCOL], where HOST and CONTAINER are a number or
 * FIRST-LAST and an IPv6 address may stand in brackets. Fills ports, address and protocol of
 * *mapping, the strings to be freed. false with `problem->column` and `what` filled (the column
 * counts within the specification, from 1). */
bool publish_spec_read(const char *spec, struct mapping *mapping, struct input_problem *problem);

/* Reads a number or FIRST-LAST, 0 to 65535. false if the text is neither; *first is 0 then. */
bool publish_spec_range(const char *text, size_t length, int32_t *first, int32_t *last);

/* Is it tcp, udp or sctp, in whatever case? */
bool publish_spec_protocol(const char *text);

#endif
