/* A storm in a range of its own neither disturbs the machine nor is disturbed by it, and a narrow
 * range shows in seconds what a wide one shows in days. */
#include "harness/system/network.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RANGE_FILE "/proc/sys/net/ipv4/ip_local_port_range"
#define RESERVED_FILE "/proc/sys/net/ipv4/ip_local_reserved_ports"

static bool write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t written = write(file, text, strlen(text));
    int error = errno;
    close(file);
    errno = error;
    return written == (ssize_t)strlen(text);
}

/* The whole file, cut to the room; NULL with errno set. */
static char *read_file(const char *path, char *text, size_t room) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return NULL;
    size_t used = 0;
    ssize_t got;
    while (used < room - 1 && (got = read(file, text + used, room - 1 - used)) > 0)
        used += (size_t)got;
    close(file);
    text[used] = '\0';
    return text;
}

static bool raise_loopback(void) {
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool good = ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    request.ifr_flags |= IFF_UP;
    good = good && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return good;
}

static bool map_user(unsigned user, unsigned group) {
    char text[64];
    (void)write_file("/proc/self/setgroups", "deny");
    snprintf(text, sizeof text, "0 %u 1", user);
    if (!write_file("/proc/self/uid_map", text))
        return false;
    snprintf(text, sizeof text, "0 %u 1", group);
    return write_file("/proc/self/gid_map", text);
}

static bool leave_network(void) {
    unsigned user = geteuid();
    unsigned group = getegid();
    if (unshare(CLONE_NEWNET) == 0)
        return true;
    return errno == EPERM && unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && map_user(user, group);
}

const char *network_make_private(unsigned low, unsigned high) {
    char text[64];
    if (!leave_network())
        return "no network namespace can be made";
    if (!raise_loopback())
        return "loopback cannot be brought up";
    snprintf(text, sizeof text, "%u %u", low, high);
    if (low != 0 && !write_file(RANGE_FILE, text))
        return "the local port range cannot be set";
    return NULL;
}

void port_range_reserve(struct port_range *range, const char *list) {
    while (*list >= '0' && *list <= '9') {
        char *end;
        unsigned long first = strtoul(list, &end, 10);
        unsigned long last = first;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        for (unsigned long port = first; port <= last && port <= 65535; port++)
            range->reserved[port] = true;
        list = *end == ',' ? end + 1 : end;
    }
}

bool port_range_read(struct port_range *range) {
    static char text[1 << 17];
    unsigned low;
    unsigned high;
    *range = (struct port_range){0};
    if (read_file(RANGE_FILE, text, sizeof text) == NULL)
        return false;
    if (sscanf(text, "%u %u", &low, &high) != 2 || low > high || high > 65535) {
        errno = EINVAL;
        return false;
    }
    range->low = (uint16_t)low;
    range->high = (uint16_t)high;
    if (read_file(RESERVED_FILE, text, sizeof text) != NULL)
        port_range_reserve(range, text);
    return true;
}

static size_t count(const struct port_range *range, unsigned first, unsigned end, unsigned step) {
    size_t found = 0;
    for (unsigned port = first; port < end; port += step)
        found += !range->reserved[port];
    return found;
}

size_t port_range_size(const struct port_range *range) {
    return count(range, range->low, range->high + 1u, 1);
}

/* As inet_csk_find_open_port() walks: an odd offset from the low end, in steps of two. */
size_t port_range_first_choice(const struct port_range *range, unsigned protocol,
                               bool reuse_address) {
    unsigned low = range->low;
    unsigned end = range->high + 1u;
    if (protocol == IPPROTO_UDP)
        return port_range_size(range);
    if (reuse_address && end - low >= 4)
        end = low + ((end - low) >> 2 << 1);
    unsigned remaining = end - low;
    if (remaining > 1)
        remaining &= ~1u;
    size_t odd = count(range, low + 1, low + remaining, 2);
    return odd > 0 ? odd : count(range, low, low + remaining, 2);
}
