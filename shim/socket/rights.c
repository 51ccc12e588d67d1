/*
 * Both ends of a passed descriptor walk the same list: the sender records that a socket is in
 * flight, the receiver that it has arrived.
 */
#include "shim/socket/rights.h"

#include <string.h>

static void note_each(const char *data, size_t size, void (*note)(int, const struct call_context *),
                      const struct call_context *context) {
    for (; size >= sizeof(int); size -= sizeof(int), data += sizeof(int)) {
        int fd;
        memcpy(&fd, data, sizeof fd);
        note(fd, context);
    }
}

/* Without the macros of cmsg(3), whose loads want a control buffer that is aligned. */
void rights_each(const struct msghdr *message, void (*note)(int, const struct call_context *),
                 const struct call_context *context) {
    const char *at = message->msg_control;
    size_t left = at != NULL ? message->msg_controllen : 0;
    struct cmsghdr part;
    while (left >= sizeof part) {
        memcpy(&part, at, sizeof part);
        size_t size = part.cmsg_len < left ? part.cmsg_len : left;
        if (size < CMSG_LEN(0))
            return;
        if (part.cmsg_level == SOL_SOCKET && part.cmsg_type == SCM_RIGHTS)
            note_each(at + CMSG_LEN(0), size - CMSG_LEN(0), note, context);
        size = CMSG_ALIGN(size);
        if (size >= left)
            return;
        at += size;
        left -= size;
    }
}
