/*
 * Sees what happens to sockets, whoever makes the calls: programs at the hooks of a control group.
 * None of them changes what the guest gets; each returns 1, which lets the call go on.
 *
 * bind4 and bind6 run before a bind, post_bind4 and post_bind6 behind a successful one. So a bind
 * that failed shows as a request that nothing followed, and is reported at the next call on the
 * socket or at its release, with an error that is not known.
 */
#include "harness/capture/programs/binds.bpf.h"
#include "harness/capture/programs/connections.bpf.h"
#include "harness/capture/programs/moves.bpf.h"
#include "harness/capture/programs/processes.bpf.h"

/* Some helpers are for programs alone whose licence is compatible with the GPL. */
char _license[] SEC("license") = "Dual MIT/GPL";
