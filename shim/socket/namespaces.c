/*
 * Equal numbers in different network namespaces are not a collision, so each socket carries its
 * namespace's cookie; the port range stands beside it once, for whoever reads the trace elsewhere.
 */
#include "shim/socket/namespaces.h"

#include <stdatomic.h>
#include <sys/socket.h>

#include "shim/identity.h"
#include "shim/process/sandbox.h"
#include "shim/shared/namespace_facts.h"
#include "shim/shared/raw_syscall.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static _Atomic uint64_t cached_cookie;
static _Atomic bool can_differ; /* threads may be in different namespaces */

uint64_t namespace_of_socket(int fd) {
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    if (raw_syscall6(SYS_getsockopt, fd, SOL_SOCKET, SO_NETNS_COOKIE, RAW(&cookie), RAW(&length),
                     0) < 0)
        return 0;
    return cookie;
}

uint64_t namespace_of_new_socket(int fd) {
    uint64_t cookie = atomic_load_explicit(&cached_cookie, memory_order_relaxed);
    if (cookie != 0)
        return cookie;
    cookie = namespace_of_socket(fd);
    if (!atomic_load_explicit(&can_differ, memory_order_relaxed))
        atomic_store_explicit(&cached_cookie, cookie, memory_order_relaxed);
    namespace_note(cookie, true);
    return cookie;
}

void namespace_changed(void) {
    atomic_store_explicit(&can_differ, true, memory_order_relaxed);
    atomic_store_explicit(&cached_cookie, 0, memory_order_relaxed);
}

void namespace_note(uint64_t cookie, bool is_current) {
    if (cookie == 0 || sandbox_is_on() || !namespace_is_new(cookie))
        return;
    const struct namespace_writer writer = {identity_serial(), identity_thread(), PW_SOURCE_SHIM};
    namespace_write(cookie, is_current, &writer);
}
