/* Ports by libc's calls, or with RAW_CALLS by instructions of its own: see guest.h. It is built in
 * ways that a preloaded library cannot enter, or cannot see. */
#include "calls.h"
#include "guest.h"

static long checked(const char *call, long result) {
    if (result < 0)
        fail(call, -result);
    return result;
}

int guest_socket(int family, int type) {
    return (int)checked("socket", CALL(socket, family, type, 0));
}

void guest_bind(int fd, const union address *address, socklen_t length) {
    checked("bind", CALL(bind, fd, &address->any, length));
}

void guest_listen(int fd) { checked("listen", CALL(listen, fd, 16, 0)); }

void guest_connect(int fd, const union address *address, socklen_t length) {
    checked("connect", CALL(connect, fd, &address->any, length));
}

void guest_read(int fd, union address *address, socklen_t *length) {
    checked("getsockname", CALL(getsockname, fd, &address->any, length));
}

void guest_close(int fd) { checked("close", CALL(close, fd, 0, 0)); }

int main(int count, char **words) { return run_guest(count, words); }
