/* Host addresses of mappings, read and written as Go does it. */
#ifndef PORTWITNESS_BASE_LISTEN_ADDRESS_H
#define PORTWITNESS_BASE_LISTEN_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define LISTEN_ADDRESS_TEXT_SIZE 48

/* An IPv4 address is kept mapped (::ffff:a.b.c.d), as Go keeps it. */
struct listen_address {
    bool valid;
    uint8_t bytes[16];
};

/* What net.ParseIP makes of the text; not valid if that is nothing. */
struct listen_address listen_address_parse(const char *text);

bool listen_address_is_v4(const struct listen_address *address);

/* 0.0.0.0, mapped or not. */
bool listen_address_is_any_v4(const struct listen_address *address);

/* The address ::. */
bool listen_address_is_any_v6(const struct listen_address *address);

bool listen_address_equal(const struct listen_address *a, const struct listen_address *b);

/* As Go prints a net.IP: "<nil>" if it is not valid, an IPv4 address with dots though mapped, an
 * IPv6 one without brackets. Returns `text`. */
const char *listen_address_text(char text[LISTEN_ADDRESS_TEXT_SIZE],
                                const struct listen_address *address);

#endif
