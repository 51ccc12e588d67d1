/* _exit and _Exit go past every destructor. */
#include "shim/process.h"
#include "shim/real.h"

void call__exit(int status, const void *site) {
    (void)site;
    if (gate() == GATE_OPEN)
        process_ends(NUMBER__exit);
    real._exit(status);
}

void call__Exit(int status, const void *site) {
    (void)site;
    if (gate() == GATE_OPEN)
        process_ends(NUMBER__Exit);
    real._Exit(status);
}
