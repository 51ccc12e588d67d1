/* All short sequences over a few calls. */
#ifndef PORTWITNESS_PROPERTY_EXHAUSTIVE_H
#define PORTWITNESS_PROPERTY_EXHAUSTIVE_H

#include "harness/model/model.h"

/* Plays every sequence of four calls on two sockets, for six pairs of kinds, in a range of two
 * ports; of these each `step`-th from number `first` on. true if model and kernel agree on all; the
 * first on which they do not is printed. */
bool exhaustive_run(enum model_rule off, unsigned first, unsigned step);

#endif
