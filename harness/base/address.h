/* Addresses as text. */
#ifndef PORTWITNESS_BASE_ADDRESS_H
#define PORTWITNESS_BASE_ADDRESS_H

#include <stdint.h>

#define ADDRESS_TEXT_SIZE 64

/* Writes the address of 16 bytes, IPv4 mapped, as a socket of that family shows it: "127.0.0.1",
 * "::1", "fe80::1%2" with a scope. Returns `text`. */
const char *address_text(char text[ADDRESS_TEXT_SIZE], unsigned family, const uint8_t address[16],
                         uint32_t scope);

#endif
