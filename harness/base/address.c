/* A trace keeps all addresses as IPv6; people expect to see what the program asked for. */
#include "harness/base/address.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

const char *address_text(char text[ADDRESS_TEXT_SIZE], unsigned family, const uint8_t address[16],
                         uint32_t scope) {
    if (family == AF_INET)
        inet_ntop(AF_INET, address + 12, text, ADDRESS_TEXT_SIZE);
    else
        inet_ntop(AF_INET6, address, text, ADDRESS_TEXT_SIZE);
    if (family != AF_INET && scope != 0)
        snprintf(text + strlen(text), ADDRESS_TEXT_SIZE - strlen(text), "%%%" PRIu32, scope);
    return text;
}
