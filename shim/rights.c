/*
 * Both ends of a passed descriptor walk the same list: the sender's tells that a socket is in
 * flight, the receiver's that it has arrived.
 */
#include "shim/rights.h"

#include <string.h>

void rights_each(const struct msghdr *message,
                 void (*note)(int fd, const struct call_context *context),
                 const struct call_context *context) {
    struct msghdr copy = *message; /* CMSG_NXTHDR wants one that is not const */
    if (copy.msg_control == NULL)
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
            note(fd, context);
        }
    }
}
