/* One call on a socket, as the model and the kernel are asked it. */
#ifndef PORTWITNESS_MODEL_OPERATION_H
#define PORTWITNESS_MODEL_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum operation_kind {
    OPERATION_SOCKET,    /* makes socket `socket`: datagram, family6, uid */
    OPERATION_REUSEADDR, /* value */
    OPERATION_REUSEPORT, /* value */
    OPERATION_V6ONLY,    /* value */
    OPERATION_NO_PORT,   /* value: IP_BIND_ADDRESS_NO_PORT */
    OPERATION_PORTS,     /* low, high: IP_LOCAL_PORT_RANGE of the socket; 0 and 0: none */
    OPERATION_DEVICE,    /* device */
    OPERATION_BIND,      /* address, port */
    OPERATION_LISTEN,
    OPERATION_CONNECT,    /* address, port */
    OPERATION_DISCONNECT, /* connect to AF_UNSPEC */
    OPERATION_SHUTDOWN,   /* both directions */
    OPERATION_CLOSE,
    OPERATION_RANGE,    /* low, high: ip_local_port_range of the system */
    OPERATION_RESERVED, /* low, high: ip_local_reserved_ports; 0 and 0: none */
    OPERATION_KINDS
};

enum { OPERATION_NAME_SIZE = 16, OPERATION_SOCKETS_MAX = 64 };

/* An IP address: 4 bytes where family6 is not set. */
struct model_address {
    bool family6;
    uint8_t bytes[16];
};

struct operation {
    enum operation_kind kind;
    unsigned socket; /* which one, from 0 */
    bool datagram;
    bool family6;
    bool value;
    uint32_t uid;
    uint32_t device; /* a number for an interface, 0: none */
    struct model_address address;
    uint16_t port;
    uint16_t low;
    uint16_t high;
};

/* The names that a text gives to sockets and interfaces. Zero-initialized there are none. */
struct operation_names {
    char socket[OPERATION_SOCKETS_MAX][OPERATION_NAME_SIZE];
    unsigned count;
    char device[8][OPERATION_NAME_SIZE]; /* device n is device[n - 1] */
    unsigned devices;
    uint32_t uid[OPERATION_SOCKETS_MAX];
};

/* Why a text is not an operation: part of a sentence, with the word that is wrong. */
struct operation_problem {
    char what[192];
};

/* Reads "a tcp", "a uid 1000", "a reuseaddr on", "a device eth0", "a bind [::]:80", "a listen",
 * "a connect 127.0.0.1:80", "range 20000 20003" and so on. "NAME uid N" is to stand before the
 * socket is made, and gives no operation (*none is set). false with *problem filled. */
bool operation_read(const char *text, struct operation_names *names, struct operation *operation,
                    bool *none, struct operation_problem *problem);

/* Writes the operation in that language; sockets without a name are "s0", "s1", ... Returns `text`.
 */
const char *operation_text(const struct operation *operation, const struct operation_names *names,
                           char *text, size_t size);

#endif
