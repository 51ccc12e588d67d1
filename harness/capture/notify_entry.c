/*
 * Anybody in the network namespace may send here: what is kept is a listener of a process that is
 * in the mailbox, whose pid the kernel has put on it (SCM_CREDENTIALS).
 */
#include "harness/capture/notify_entry.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/capture/notify_answer.h"
#include "shim/shared/notify_door.h"

static struct {
    uint32_t pid; /* 0: free */
    int listener;
} waiting[PW_NOTIFY_SLOTS];
static unsigned next;

int notify_entry_open(struct pw_notify_area *area) {
    struct sockaddr_un name;
    uint64_t number = 0;
    int on = 1;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return -1;
    socklen_t length = notify_door_name(&name, number);
    int entry = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (entry < 0)
        return -1;
    if (setsockopt(entry, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
        bind(entry, (const struct sockaddr *)&name, length) != 0) {
        int error = errno;
        close(entry);
        errno = error;
        return -1;
    }
    area->door = number;
    return entry;
}

/* Programs that were killed before they were asked leave theirs; the oldest goes. */
static void keep(uint32_t pid, int listener) {
    unsigned row = 0;
    while (row < PW_NOTIFY_SLOTS && waiting[row].pid != 0 && waiting[row].pid != pid)
        row++;
    if (row == PW_NOTIFY_SLOTS)
        row = next++ % PW_NOTIFY_SLOTS;
    if (waiting[row].pid != 0)
        close(waiting[row].listener);
    waiting[row].pid = pid;
    waiting[row].listener = listener;
}

/* All descriptors but one are closed. */
static int one_of(const struct cmsghdr *part, int kept) {
    size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
        if (kept < 0 && notify_is_listener(fd))
            kept = fd;
        else
            close(fd);
    }
    return kept;
}

static void sort(struct msghdr *message) {
    struct ucred sender = {0};
    int listener = -1;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
            listener = one_of(part, listener);
        else if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_CREDENTIALS)
            memcpy(&sender, CMSG_DATA(part), sizeof sender);
    }
    if (listener >= 0 && sender.pid > 0)
        keep((uint32_t)sender.pid, listener);
    else if (listener >= 0)
        close(listener);
}

/* false where no more has come. */
static bool receive(int entry) {
    char byte;
    struct iovec part = {&byte, sizeof byte};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(4 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    if (recvmsg(entry, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) < 0)
        return errno == EINTR;
    sort(&message);
    return true;
}

int notify_entry_take(int entry, uint32_t pid) {
    while (receive(entry))
        continue;
    for (unsigned row = 0; row < PW_NOTIFY_SLOTS; row++) {
        if (waiting[row].pid != pid || pid == 0)
            continue;
        waiting[row].pid = 0;
        return waiting[row].listener;
    }
    return -1;
}
