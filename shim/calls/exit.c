/* _exit and _Exit go past every destructor. */
#include "shim/gate.h"
#include "shim/process/process.h"
#include "shim/real.h"

void call__exit(int status, const void *site) {
    (void)site;
    if (gate() == GATE_OPEN)
        process_ends(NUMBER__exit, (status & 0xff) << 8);
    gate_leave_vfork();
    real._exit(status);
}

void call__Exit(int status, const void *site) {
    (void)site;
    if (gate() == GATE_OPEN)
        process_ends(NUMBER__Exit, (status & 0xff) << 8);
    gate_leave_vfork();
    real._Exit(status);
}
