/* Settings and addresses belong to a network namespace: these are of the one that we run in. */
#include "harness/system/host_facts_read.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/base/memory.h"

static void read_range(struct host_facts *facts) {
    FILE *from = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

    if (from == NULL)
        return;
    if (fscanf(from, "%d %d", &facts->range_low, &facts->range_high) != 2)
        facts->range_low = facts->range_high = 0;
    fclose(from);
}

static void read_first_unprivileged(struct host_facts *facts) {
    FILE *from = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");

    facts->first_unprivileged = 1024;
    if (from == NULL)
        return;
    if (fscanf(from, "%d", &facts->first_unprivileged) != 1)
        facts->first_unprivileged = 1024;
    fclose(from);
}

/* "8080,9000-9010": the whole list may be long. */
static void read_reserved(struct host_facts *facts) {
    FILE *from = fopen("/proc/sys/net/ipv4/ip_local_reserved_ports", "re");
    int first;

    if (from == NULL)
        return;
    while (fscanf(from, "%d", &first) == 1) {
        int last = first;
        int next = fgetc(from);

        if (next == '-') {
            if (fscanf(from, "%d", &last) != 1)
                break;
            next = fgetc(from);
        }
        for (int port = first; port >= 0 && port <= last && port <= 65535; port++)
            facts->reserved[port / 8] |= (uint8_t)(1u << port % 8);
        if (next != ',')
            break;
    }
    fclose(from);
}

static void read_addresses(struct host_facts *facts) {
    struct ifaddrs *list;
    size_t room = 0;

    if (getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
        char text[INET6_ADDRSTRLEN];
        const void *bytes = NULL;

        if (at->ifa_addr == NULL)
            continue;
        if (at->ifa_addr->sa_family == AF_INET)
            bytes = &((const struct sockaddr_in *)(const void *)at->ifa_addr)->sin_addr;
        else if (at->ifa_addr->sa_family == AF_INET6)
            bytes = &((const struct sockaddr_in6 *)(const void *)at->ifa_addr)->sin6_addr;
        if (bytes == NULL || inet_ntop(at->ifa_addr->sa_family, bytes, text, sizeof text) == NULL)
            continue;
        facts->addresses = memory_grow(facts->addresses, &room, facts->address_count + 1,
                                       sizeof *facts->addresses);
        facts->addresses[facts->address_count++] = listen_address_parse(text);
    }
    freeifaddrs(list);
}

void host_facts_read(struct host_facts *facts) {
    *facts = (struct host_facts){0};
    read_range(facts);
    read_first_unprivileged(facts);
    read_reserved(facts);
    read_addresses(facts);
}

void host_facts_free(struct host_facts *facts) { free(facts->addresses); }
