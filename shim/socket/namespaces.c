/*
 * Equal numbers in different network namespaces are not a collision, so each socket carries its
 * namespace's cookie; the port range stands beside it once, for whoever reads the trace elsewhere.
 */
#include "shim/socket/namespaces.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "shim/identity.h"
#include "shim/process/sandbox.h"
#include "shim/shared/raw_file.h"
#include "shim/shared/raw_syscall.h"
#include "shim/shared/recorder.h"

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

static size_t read_setting(const char *path, char *text, size_t size) {
    size_t got = raw_file_read_text(path, text, size);
    while (got > 0 && text[got - 1] == '\n')
        got--;
    text[got] = '\0';
    return got;
}

static const char *read_number(const char *text, uint64_t *number) {
    while (*text == ' ' || *text == '\t')
        text++;
    for (*number = 0; *text >= '0' && *text <= '9'; text++)
        *number = *number * 10 + (uint64_t)(*text - '0');
    return text;
}

/* true for the one caller that is to write the record. */
static bool is_first_to_record(uint64_t cookie) {
    struct pw_header *header = recorder_header();
    for (unsigned i = 0; header != NULL && i < PW_NAMESPACES_MAX; i++) {
        uint64_t known = 0;
        if (atomic_compare_exchange_strong(&header->namespaces[i], &known, cookie))
            return true;
        if (known == cookie)
            return false;
    }
    recorder_lost(PW_LOST_NAMESPACES, 1);
    return false;
}

void namespace_note(uint64_t cookie, bool is_current) {
    char text[512];
    struct stat status = {0};
    uint64_t low = 0, high = 0, reuse = 0;
    size_t reserved = 0;
    if (cookie == 0 || sandbox_is_on() || !is_first_to_record(cookie))
        return;
    uint64_t begin = monotonic_ns();
    if (is_current) {
        raw_syscall4(SYS_newfstatat, AT_FDCWD, RAW("/proc/thread-self/ns/net"), RAW(&status), 0);
        if (read_setting("/proc/sys/net/ipv4/ip_local_port_range", text, sizeof text) > 0)
            read_number(read_number(text, &low), &high);
        if (read_setting("/proc/sys/net/ipv4/ip_autobind_reuse", text, sizeof text) > 0)
            read_number(text, &reuse);
        reserved = read_setting("/proc/sys/net/ipv4/ip_local_reserved_ports", text, sizeof text);
    }
    struct record record;
    unsigned units = 2 + record_text_units(reserved, 10);
    if (!record_begin(&record, PW_KIND_NAMESPACE, units, identity_serial(), -1, begin))
        return;
    record.units[0].start.thread = identity_thread();
    record.units[0].start.source = PW_SOURCE_SHIM;
    record.units[0].start.flags = reserved == sizeof text - 1 ? PW_FLAG_TEXT_CUT : 0;
    uint64_t *number = record.units[1].numbers.number;
    number[0] = cookie;
    number[1] = status.st_ino;
    number[2] = low;
    number[3] = high;
    number[4] = reuse;
    record_text(&record, 2, text, reserved);
    record_commit(&record, 0);
}
