/* A handler may have interrupted the interpreter anywhere. It runs with its signal blocked, which
 * is all that there is to know it by. */
#include "shim/frames/in_handler.h"

#include <signal.h>
#include <stddef.h>

#include "shim/shared/raw_syscall.h"

bool may_be_in_handler(void) {
    unsigned long blocked[_NSIG / 8 / sizeof(unsigned long)] = {0};
    return raw_syscall4(SYS_rt_sigprocmask, SIG_BLOCK, 0, RAW(blocked), _NSIG / 8) < 0 ||
           blocked[0] != 0;
}
