/* The hooks of a control group report no errno. */
#include "harness/capture/bind_error.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UNPRIVILEGED_DEFAULT = 1024 };

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static uint64_t own_namespace(void) {
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (file < 0)
        return 0;
    if (getsockopt(file, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0)
        cookie = 0;
    close(file);
    return cookie;
}

void bind_rules_read(struct bind_rules *rules) {
    *rules =
        (struct bind_rules){.netns = own_namespace(), .unprivileged_from = UNPRIVILEGED_DEFAULT};
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
    if (file == NULL)
        return;
    unsigned value;
    if (fscanf(file, "%u", &value) == 1)
        rules->unprivileged_from = value;
    fclose(file);
}

/* Every host has these addresses. */
static bool is_everywhere(const uint8_t address[16]) {
    struct in6_addr own;
    memcpy(&own, address, sizeof own);
    if (IN6_IS_ADDR_UNSPECIFIED(&own) || IN6_IS_ADDR_LOOPBACK(&own))
        return true;
    if (!IN6_IS_ADDR_V4MAPPED(&own))
        return false;
    bool is_wildcard = memcmp(address + 12, "\0\0\0\0", 4) == 0;
    return is_wildcard || address[12] == 127;
}

void bind_error_infer(const struct bind_rules *rules, struct outside_event *event) {
    if (event->error != OUTSIDE_ERROR_NOT_KNOWN || !is_everywhere(event->requested))
        return;
    bool is_own = event->netns != 0 && event->netns == rules->netns;
    unsigned unprivileged_from = is_own ? rules->unprivileged_from : UNPRIVILEGED_DEFAULT;
    bool may =
        event->requested_port == 0 || event->requested_port >= unprivileged_from || event->uid == 0;
    /* The wildcard and port 0: perhaps it succeeded, under IP_BIND_ADDRESS_NO_PORT. */
    if (!may || event->requested_port == 0)
        return;
    event->error = EADDRINUSE;
    event->inferred = 1;
}
