/* A trace keeps all addresses as IPv6; people expect to see what the program asked for. */
#include "harness/base/address.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/base/digits.h"

const char *address_text(char text[ADDRESS_TEXT_SIZE], unsigned family, const uint8_t address[16],
                         uint32_t scope) {
    if (family == AF_INET) {
        char *to = text;
        for (unsigned i = 12; i < 16; i++) {
            to = digits_put(to, address[i], 1);
            *to++ = i < 15 ? '.' : '\0';
        }
        return text;
    }
    inet_ntop(AF_INET6, address, text, ADDRESS_TEXT_SIZE);
    if (scope != 0)
        snprintf(text + strlen(text), ADDRESS_TEXT_SIZE - strlen(text), "%%%" PRIu32, scope);
    return text;
}
