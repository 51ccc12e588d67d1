/* Kind's texts hold addresses as Go's net.IP prints them, which is not in all cases what inet_ntop
 * does (::1.2.3.4 against ::102:304), and Kind compares those texts. */
#include "harness/base/listen_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};
static const uint8_t nothing[16];

struct listen_address listen_address_parse(const char *text) {
    struct listen_address address = {0};

    if (inet_pton(AF_INET, text, address.bytes + 12) == 1) {
        memcpy(address.bytes, mapped_prefix, sizeof mapped_prefix);
        address.valid = true;
    } else {
        address.valid = inet_pton(AF_INET6, text, address.bytes) == 1;
    }
    return address;
}

bool listen_address_is_v4(const struct listen_address *address) {
    return address->valid && memcmp(address->bytes, mapped_prefix, sizeof mapped_prefix) == 0;
}

bool listen_address_is_any_v4(const struct listen_address *address) {
    return listen_address_is_v4(address) && memcmp(address->bytes + 12, nothing, 4) == 0;
}

bool listen_address_is_any_v6(const struct listen_address *address) {
    return address->valid && memcmp(address->bytes, nothing, sizeof nothing) == 0;
}

bool listen_address_equal(const struct listen_address *a, const struct listen_address *b) {
    return a->valid == b->valid && (!a->valid || memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0);
}

/* The first of the longest runs of zero groups, if it has two or more. */
static void longest_zeros(const unsigned group[8], unsigned *start, unsigned *length) {
    *start = *length = 0;
    for (unsigned from = 0; from < 8; from++) {
        unsigned to = from;

        while (to < 8 && group[to] == 0)
            to++;
        if (to - from > *length && to - from >= 2) {
            *start = from;
            *length = to - from;
        }
    }
}

const char *listen_address_text(char text[LISTEN_ADDRESS_TEXT_SIZE],
                                const struct listen_address *address) {
    const uint8_t *bytes = address->bytes;
    unsigned group[8];
    unsigned start;
    unsigned length;
    size_t used = 0;

    if (!address->valid)
        return strcpy(text, "<nil>");
    if (listen_address_is_v4(address)) {
        snprintf(text, LISTEN_ADDRESS_TEXT_SIZE, "%u.%u.%u.%u", bytes[12], bytes[13], bytes[14],
                 bytes[15]);
        return text;
    }
    for (unsigned i = 0; i < 8; i++)
        group[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
    longest_zeros(group, &start, &length);
    text[0] = '\0';
    for (unsigned i = 0; i < 8; i++) {
        if (length > 0 && i == start) {
            used += (size_t)snprintf(text + used, LISTEN_ADDRESS_TEXT_SIZE - used, "::");
            i += length - 1;
            continue;
        }
        used +=
            (size_t)snprintf(text + used, LISTEN_ADDRESS_TEXT_SIZE - used, "%s%x",
                             i > 0 && (length == 0 || i != start + length) ? ":" : "", group[i]);
    }
    return text;
}
