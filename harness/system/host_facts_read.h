/* The facts of this host, from the kernel. */
#ifndef PORTWITNESS_SYSTEM_HOST_FACTS_READ_H
#define PORTWITNESS_SYSTEM_HOST_FACTS_READ_H

#include "harness/system/host_facts.h"

/* Fills *facts from /proc/sys/net/ipv4 and the interfaces of this network namespace. What cannot be
 * read stays unknown. */
void host_facts_read(struct host_facts *facts);

/* Frees what is in it. */
void host_facts_free(struct host_facts *facts);

#endif
