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

int guest_socket(int family, int type) {
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
    io_uring_prep_rw(IORING_OP_SOCKET, entry, family, NULL, 0, (unsigned)type);
    return result_of("socket");
}

void guest_bind(int fd, const union address *address, socklen_t length) {
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
    io_uring_prep_rw(OP_BIND, entry, fd, address, 0, length);
    result_of("bind");
}

void guest_listen(int fd) {
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
    io_uring_prep_rw(OP_LISTEN, entry, fd, NULL, 16, 0);
    result_of("listen");
}

void guest_connect(int fd, const union address *address, socklen_t length) {
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
    io_uring_prep_rw(IORING_OP_CONNECT, entry, fd, address, 0, length);
    result_of("connect");
}

void guest_read(int fd, union address *address, socklen_t *length) {
    if (getsockname(fd, &address->any, length) != 0)
        fail("getsockname", errno);
}

void guest_close(int fd) {
    if (close(fd) != 0)
        fail("close", errno);
}

static int probe(void) {
    static const int needed[] = {IORING_OP_SOCKET, IORING_OP_CONNECT, OP_BIND, OP_LISTEN};
    struct io_uring_probe *found = io_uring_get_probe_ring(&ring);
    int missing = found == NULL;
    for (size_t i = 0; !missing && i < sizeof needed / sizeof *needed; i++)
        missing = !io_uring_opcode_supported(found, needed[i]);
    if (missing)
        puts("this kernel has no bind and listen by io_uring");
    io_uring_free_probe(found);
    return missing;
}

int main(int count, char **words) {
    int result = io_uring_queue_init(8, &ring, 0);
    if (result < 0) {
        printf("no io_uring: %s\n", strerror(-result));
        return 1;
    }
    return count == 2 && strcmp(words[1], "probe") == 0 ? probe() : run_guest(count, words);
}
