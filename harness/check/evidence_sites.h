/* Where in their programs the calls of findings were made: modules and stacks. */
#ifndef PORTWITNESS_CHECK_EVIDENCE_SITES_H
#define PORTWITNESS_CHECK_EVIDENCE_SITES_H

#include "harness/check/machine.h"

/* Reads the machine's traces once more, as pass number `pass`, and keeps the modules of the
 * processes that findings name and the stacks of their records. Nothing is read where there are no
 * findings. */
void evidence_sites_read(struct machine *machine, unsigned pass);

#endif
