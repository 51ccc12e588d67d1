/* Ports by io_uring: socket, bind, listen and connect are entries of a ring, and no system call of
 * their own; see guest.h.
 *
 *   uring probe     ends with 0 if this kernel has them all (6.11 and later), otherwise says why
 * not
 */
#include <errno.h>
#include <liburing.h>

#include "guest.h"

/* Of Linux 6.11, include/uapi/linux/io_uring.h; the header of liburing may be older. */
enum { OP_BIND = 56, OP_LISTEN = 57 };

static struct io_uring ring;
static int has_socket, has_connect, has_bind, has_listen;

/* Hands the entry in and waits for its result. */
static int result_of(const char *call) {
    struct io_uring_cqe *done;
    int result = io_uring_submit_and_wait(&ring, 1);
    if (result >= 0)
        result = io_uring_wait_cqe(&ring, &done);
    if (result >= 0) {
        result = done->res;
        io_uring_cqe_seen(&ring, done);
    }
    if (result < 0)
        fail(call, -result);
    return result;
}

static int checked(const char *call, int result) {
    if (result < 0)
        fail(call, errno);
    return result;
}

int guest_socket(int family, int type) {
    if (!has_socket)
        return checked("socket", socket(family, type, 0));
    io_uring_prep_rw(IORING_OP_SOCKET, io_uring_get_sqe(&ring), family, NULL, 0, (unsigned)type);
    return result_of("socket");
}

void guest_bind(int fd, const union address *address, socklen_t length) {
    if (!has_bind) {
        checked("bind", bind(fd, &address->any, length));
        return;
    }
    io_uring_prep_rw(OP_BIND, io_uring_get_sqe(&ring), fd, address, 0, length);
    result_of("bind");
}

void guest_listen(int fd) {
    if (!has_listen) {
        checked("listen", listen(fd, 16));
        return;
    }
    io_uring_prep_rw(OP_LISTEN, io_uring_get_sqe(&ring), fd, NULL, 16, 0);
    result_of("listen");
}

void guest_connect(int fd, const union address *address, socklen_t length) {
    if (!has_connect) {
        checked("connect", connect(fd, &address->any, length));
        return;
    }
    io_uring_prep_rw(IORING_OP_CONNECT, io_uring_get_sqe(&ring), fd, address, 0, length);
    result_of("connect");
}

void guest_read(int fd, union address *address, socklen_t *length) {
    checked("getsockname", getsockname(fd, &address->any, length));
}

void guest_close(int fd) { checked("close", close(fd)); }

static void probe(void) {
    struct io_uring_probe *found = io_uring_get_probe_ring(&ring);
    if (found == NULL)
        return;
    has_socket = io_uring_opcode_supported(found, IORING_OP_SOCKET);
    has_connect = io_uring_opcode_supported(found, IORING_OP_CONNECT);
    has_bind = io_uring_opcode_supported(found, OP_BIND);
    has_listen = io_uring_opcode_supported(found, OP_LISTEN);
    io_uring_free_probe(found);
}

int main(int count, char **words) {
    int result = io_uring_queue_init(8, &ring, 0);
    if (result < 0) {
        printf("no io_uring: %s\n", strerror(-result));
        return 1;
    }
    probe();
    if (count != 2 || strcmp(words[1], "probe") != 0)
        return run_guest(count, words);
    printf("io_uring:%s%s%s%s\n", has_socket ? " socket" : "", has_connect ? " connect" : "",
           has_bind ? " bind" : "", has_listen ? " listen" : "");
    return 0;
}
