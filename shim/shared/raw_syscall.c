/* Whether own system calls may be made is asked at the one place that makes them, so that no way
 * through the shim can forget to. */
#include "shim/shared/raw_syscall.h"

_Atomic int raw_syscalls_forbidden;
_Thread_local bool raw_syscalls_forbidden_here;
_Thread_local bool raw_syscalls_pledged_here;
