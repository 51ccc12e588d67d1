/* shutdown: a listener that was given its port by number 0 loses it here, though it stays open. */
#include <errno.h>

#include "shim/gate.h"
#include "shim/policy/policy.h"
#include "shim/real.h"
#include "shim/socket/sockets.h"

int call_shutdown(int fd, int how, const void *site) {
    struct socket_facts facts;
    struct record record;
    struct call_context context = {.number = NUMBER_shutdown, .site = site};
    if (descriptor_find(fd) == NULL || gate() != GATE_OPEN || !descriptor_copy(fd, &facts))
        return real.shutdown(fd, how);
    context.begin_ns = monotonic_ns();
    bool listens = (facts.flags & PW_FLAG_LISTENING) != 0;
    uint16_t before = facts.port;
    if (policy_on && listens && how != SHUT_WR)
        policy_before_release(&facts);
    if (!socket_record_begin(&record, PW_KIND_SHUTDOWN, 2, fd, &facts, &context))
        return real.shutdown(fd, how);
    int result = real.shutdown(fd, how);
    int error = errno;
    record_numbers(&record)->number[0] = (uint64_t)(unsigned)how;
    record.units[0].start.error = (uint16_t)(result < 0 ? error : 0);
    if (result == 0 && listens && how != SHUT_WR) {
        facts.flags &= ~(uint32_t)PW_FLAG_LISTENING;
        facts.port = (facts.flags & PW_FLAG_BY_NUMBER) != 0 ? facts.port : 0;
        socket_keep(fd, &facts);
    }
    record_commit(&record, 0);
    if (policy_on && listens && facts.port == 0)
        policy_note_released(&facts, before);
    errno = error;
    return result;
}
