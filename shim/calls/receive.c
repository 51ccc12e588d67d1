/* recvmsg and recvmmsg: descriptors that arrive with SCM_RIGHTS (unix(7)); nothing else of them
 * concerns ports. */
#include <string.h>

#include "shim/process.h"
#include "shim/real.h"
#include "shim/sockets.h"

static void note_arrived(int fd, const struct call_context *context) {
    struct socket_facts facts;
    if (socket_ask(fd, &facts))
        socket_adopt(fd, &facts, -1, context);
    else
        descriptor_clear(fd);
}

static void note_rights(const struct msghdr *message, int number, const void *site) {
    struct call_context context = {
        .number = number, .site = site, .begin_ns = monotonic_ns(), .flags = PW_FLAG_RECEIVED};
    struct msghdr copy = *message;
    if (message->msg_control == NULL || message->msg_controllen < sizeof(struct cmsghdr) ||
        gate() != GATE_OPEN)
        return;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&copy); part != NULL;
         part = CMSG_NXTHDR(&copy, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS ||
            part->cmsg_len < CMSG_LEN(0))
            continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            note_arrived(fd, &context);
        }
    }
}

ssize_t call_recvmsg(int fd, struct msghdr *message, int flags, const void *site) {
    ssize_t result = real.recvmsg(fd, message, flags);
    if (result >= 0)
        note_rights(message, NUMBER_recvmsg, site);
    return result;
}

int call_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                  struct timespec *timeout, const void *site) {
    int result = real.recvmmsg(fd, messages, count, flags, timeout);
    for (int i = 0; i < result; i++)
        note_rights(&messages[i].msg_hdr, NUMBER_recvmmsg, site);
    return result;
}
