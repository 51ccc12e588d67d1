/* `nerdctl`: reads /proc/net/{tcp,udp} and their v6 twins and takes the lowest number in 49153 to
 * 60999 that it does not find there. For a specific address it looks at `::` and that address
 * alone; and nothing is bound while it chooses. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "harness/storm/strategies/strategy.h"

enum { FIRST = 49153, END = 60999, PORTS = 65536 };

static void parse_address(struct endpoint *endpoint, const char *hex, bool is_v6) {
    uint32_t words[4] = {0};
    for (int i = 0; i < (is_v6 ? 4 : 1); i++)
        (void)sscanf(hex + (size_t)i * 8, "%8x", &words[i]);
    endpoint_set_address(endpoint, is_v6 ? AF_INET6 : AF_INET, words);
}

static bool counts(const struct endpoint *found, const struct endpoint *wanted) {
    if (found->family == AF_INET6 && endpoint_is_wildcard(found))
        return true;
    return memcmp(found->address, wanted->address, sizeof found->address) == 0;
}

static void read_used(const char *path, bool is_v6, const struct endpoint *wanted,
                      bool used[PORTS]) {
    FILE *file = fopen(path, "re");
    char line[512];
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL) {
        char hex[64];
        unsigned port;
        struct endpoint found = {0};
        if (sscanf(line, " %*u: %63[0-9A-Fa-f]:%4x", hex, &port) != 2 ||
            strlen(hex) < (is_v6 ? 32u : 8u))
            continue;
        parse_address(&found, hex, is_v6);
        if (counts(&found, wanted))
            used[port & 0xffff] = true;
    }
    fclose(file);
}

void nerdctl_choose(struct publisher *publisher) {
    unsigned next = FIRST; /* one search goes on from where the last one ended */
    for (uint32_t i = 0; i < publisher->settings->mappings; i++) {
        struct publication *publication = &publisher->publications[i];
        bool used[PORTS] = {false};
        if (!publication_wants_number(publication))
            continue;
        bool datagram = publication->endpoint.protocol == IPPROTO_UDP;
        publisher_attempt(publisher, publication);
        read_used(datagram ? "/proc/net/udp" : "/proc/net/tcp", false, &publication->endpoint,
                  used);
        read_used(datagram ? "/proc/net/udp6" : "/proc/net/tcp6", true, &publication->endpoint,
                  used);
        while (next < END && used[next])
            next++;
        if (next < END) {
            publisher_chose(publication, next++);
            continue;
        }
        publisher_ended(publication, ATTEMPT_EXHAUSTED, EADDRINUSE);
        publication->given_up = true;
    }
}
