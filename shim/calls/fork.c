/* fork and its like: the child has its serial before it exists, so nothing that the parent closes
 * right afterwards is mistaken for the child's. */
#include <string.h>

#include "shim/gate.h"
#include "shim/process/process.h"
#include "shim/real.h"
#include "shim/start.h"

static pid_t fork_and_note(pid_t (*next)(void), int number, const void *site) {
    struct fork_record fork_record;
    if (gate() != GATE_OPEN)
        return next();
    process_before_fork(&fork_record, number, site);
    pid_t pid = next();
    process_after_fork(&fork_record, pid);
    return pid;
}

pid_t call_fork(const void *site) { return fork_and_note(real.fork, NUMBER_fork, site); }

pid_t call__Fork(const void *site) { return fork_and_note(real._Fork, NUMBER__Fork, site); }

/* daemon(3) forks inside libc, and the parent ends there; only the child comes back. */
int call_daemon(int keep_directory, int keep_streams, const void *site) {
    struct fork_record fork_record;
    if (gate() != GATE_OPEN)
        return real.daemon(keep_directory, keep_streams);
    process_before_fork(&fork_record, NUMBER_daemon, site);
    int result = real.daemon(keep_directory, keep_streams);
    if (fork_record.begun && result == 0)
        record_commit(&fork_record.record, 0);
    process_after_fork(&fork_record, result);
    return result;
}

/* Called by entries.S before it jumps on to the real function, so that no frame of ours is on the
 * stack that the child returns over. */
__attribute__((visibility("hidden"))) void *vfork_prepare(void);
void *vfork_prepare(void) {
    if (real.vfork == NULL)
        shim_prepare();
    if (gate_is_open()) {
        process_before_vfork();
        gate_mark_vfork();
    }
    void *next;
    memcpy(&next, &real.vfork, sizeof next);
    return next;
}
