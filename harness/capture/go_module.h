/* A Go program's description of itself (runtime.firstmoduledata), as far as its table of lines
 * needs it. Source: type moduledata in src/runtime/symtab.go of Go 1.18 to 1.27. */
#ifndef PORTWITNESS_CAPTURE_GO_MODULE_H
#define PORTWITNESS_CAPTURE_GO_MODULE_H

#include "harness/capture/go_table.h"

struct go_module {
    uint64_t text;           /* address as linked of Go's own code */
    uint64_t functions_data; /* ... of what inline trees are counted from, 0: not known */
};

/* Finds it by its first word, the address of the table (Go 1.18 or later): in the data as linked,
 * or in what the loader is to put there. false where it cannot be found. */
bool go_module_find(struct go_table *table, struct go_module *module);

#endif
