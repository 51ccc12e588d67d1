/* recvmsg and recvmmsg: descriptors that arrive with SCM_RIGHTS (unix(7)); nothing else of them
 * concerns ports. */
#include <string.h>

#include "shim/gate.h"
#include "shim/real.h"
#include "shim/socket/rights.h"
#include "shim/socket/sockets.h"

static void note_arrived(int fd, const struct call_context *context) {
    struct socket_facts facts;
    if (socket_ask(fd, &facts))
        socket_adopt(fd, &facts, -1, context);
    else
        descriptor_clear(fd);
}

static void note_message(const void *message, int number, const void *site) {
    struct call_context context = {
        .number = number, .site = site, .begin_ns = 0, .flags = PW_FLAG_RECEIVED};
    struct msghdr copy;
    memcpy(&copy, message, sizeof copy); /* it need not be aligned */
    if (copy.msg_controllen < sizeof(struct cmsghdr) || gate() != GATE_OPEN)
        return;
    context.begin_ns = monotonic_ns();
    rights_each(&copy, note_arrived, &context);
}

ssize_t call_recvmsg(int fd, struct msghdr *message, int flags, const void *site) {
    ssize_t result = real.recvmsg(fd, message, flags);
    if (result >= 0)
        note_message(message, NUMBER_recvmsg, site);
    return result;
}

int call_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                  struct timespec *timeout, const void *site) {
    int result = real.recvmmsg(fd, messages, count, flags, timeout);
    const char *first = (const char *)messages;
    for (int i = 0; i < result; i++) /* each begins with its msghdr */
        note_message(first + (size_t)i * sizeof *messages, NUMBER_recvmmsg, site);
    return result;
}
