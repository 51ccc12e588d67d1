/* What Linux answers to bind, listen and connect, as a pure library: no system calls.
 *
 * The rules are those of net/ipv4/inet_connection_sock.c, inet_hashtables.c, udp.c and af_inet.c,
 * and of net/ipv6/af_inet6.c; tests/property holds them against the kernel. */
#ifndef PORTWITNESS_MODEL_MODEL_H
#define PORTWITNESS_MODEL_MODEL_H

#include "harness/model/operation.h"

/* What decided an answer. Each can be switched off, to show that a test notices it. */
enum model_rule {
    RULE_NONE,
    RULE_NO_OVERLAP,       /* addresses that do not meet do not conflict */
    RULE_WILDCARD,         /* 0.0.0.0 and :: meet every address of their family */
    RULE_DUAL_STACK,       /* :: without V6ONLY meets IPv4 as well */
    RULE_V6ONLY,           /* V6ONLY keeps IPv4 out */
    RULE_MAPPED,           /* ::ffff:a.b.c.d is a.b.c.d */
    RULE_PROTOCOL,         /* TCP and UDP have ports of their own */
    RULE_DEVICE,           /* sockets on two devices do not meet */
    RULE_REUSEADDR,        /* both SO_REUSEADDR: they share the port */
    RULE_LISTENING,        /* ... but not with a listener (TCP) */
    RULE_REUSEPORT,        /* both SO_REUSEPORT: they share the port */
    RULE_USER,             /* ... if one user made them */
    RULE_BUCKET_REUSEPORT, /* TCP: the port remembers SO_REUSEPORT of a user, and is not searched */
    RULE_FIRST_DECIDES,    /* UDP: the first socket in the way with SO_REUSEPORT ends the search */
    RULE_PLAIN_CONFLICT,   /* nothing helps: the address is in use */
    RULE_LISTEN_CONFLICT,  /* listen asks again, as a listener */
    RULE_AUTO_STRICT,      /* TCP port 0: no option lets a port be shared */
    RULE_PARITY,         /* TCP port 0: ports of the other parity than the range's low end first */
    RULE_LOWER_HALF,     /* TCP port 0 with SO_REUSEADDR: the lower half of the range first */
    RULE_ODD_TOP,        /* TCP: the top of a range of odd size is never given */
    RULE_ANY_FREE,       /* UDP port 0: any free port of the range */
    RULE_CONNECT_PARITY, /* TCP connect: ports of the low end's parity first */
    RULE_CONNECT_SHARES, /* TCP connect: ports that connections alone use, to other peers */
    RULE_RESERVED,       /* reserved ports are not given */
    RULE_SOCKET_RANGE,   /* IP_LOCAL_PORT_RANGE narrows the range */
    RULE_EXHAUSTED,      /* no port is left: EADDRINUSE, EADDRNOTAVAIL or EAGAIN, by the call */
    RULE_PRIVILEGED,     /* ports below 1024 need CAP_NET_BIND_SERVICE */
    RULE_NOT_LOCAL,      /* the address is not one of this host's */
    RULE_BOUND_BEFORE,   /* a socket is bound once: EINVAL */
    RULE_FAMILY,         /* an address of the other family */
    RULE_STATE,          /* the socket's state does not allow the call */
    RULE_NO_PORT,        /* IP_BIND_ADDRESS_NO_PORT: the port comes later */
    RULE_PORT_LOCK,      /* a port bound by number is kept */
    RULE_PORT_LOST,      /* a port of a port-0 request goes with the connection, or the listening */
    RULE_CONNECTED_ADDRESS, /* a connected socket has its source address */
    RULE_TIME_WAIT,         /* a closed connection keeps its port for a while */
    RULE_CONNECTION_EXISTS, /* the same two endpoints cannot be connected twice */
    RULE_REFUSED,           /* nobody listens there */
    RULE_FREE,              /* nothing was in the way */
    MODEL_RULES
};

/* A short name ("bucket-reuseport"), and the rule in words. */
const char *model_rule_name(enum model_rule rule);
const char *model_rule_words(enum model_rule rule);

enum model_state { MODEL_CLOSED, MODEL_LISTENS, MODEL_CONNECTED };

/* Addresses as the kernel keeps them: both families of each socket. */
struct model_local {
    uint8_t v6[16];
    uint32_t v4; /* in network order, as in the kernel; 0: any */
};

struct model_socket {
    bool open;
    bool datagram;
    bool family6;
    bool reuseaddr;
    bool reuseport;
    bool v6only;
    bool v6only_before; /* the bind that is being answered */
    bool no_port;
    bool address_lock;  /* bound to an address */
    bool port_lock;     /* bound by number */
    bool by_connect;    /* its port came with a connect */
    bool time_wait;     /* no socket any more */
    bool was_connected; /* and was not disconnected by a call since */
    bool at_tail;       /* UDP: behind the others, as IPv6 sockets with SO_REUSEPORT are */
    enum model_state state;
    uint32_t uid;
    uint32_t device;
    uint16_t low; /* IP_LOCAL_PORT_RANGE */
    uint16_t high;
    uint16_t port;
    uint16_t peer_port;
    struct model_address peer;
    struct model_local local;
    size_t listener; /* of a connection that waits to be accepted: its listener plus 1 */
    size_t other;    /* the other end of a connection: its index plus 1; 0: none */
    uint64_t age;    /* order of binding */
};

/* What TCP remembers of a port while anything has it (struct inet_bind_bucket). */
struct model_bucket {
    bool reuseport; /* the latest had it, with this user and address */
    uint32_t uid;
    bool family6;
    bool v6only;
    struct model_local local;
};

struct model {
    struct model_socket *sockets; /* those of operations first, by number; then others */
    size_t count;
    size_t room;
    struct model_bucket *buckets; /* of the 65536 ports */
    uint8_t *reserved;            /* a byte for each port */
    uint16_t low;
    uint16_t high;
    struct model_address *addresses; /* of this host, beside the loopback ones */
    uint32_t *address_devices;
    size_t address_count;
    size_t address_room;
    uint64_t clock;
    bool off[MODEL_RULES]; /* rules switched off */
    uint64_t *hits; /* how often each rule mattered, MODEL_RULES of them; NULL: not counted */
};

/* The answer to one operation. */
struct model_answer {
    int error; /* errno, 0 for success */
    enum model_rule rule;
    bool chooses;       /* the kernel chooses a port: give it to model_chose */
    bool may_fail;      /* ... or finds none, by where it begins to look: then as exhausted */
    bool may_take_over; /* EADDRNOTAVAIL, or success where TIME_WAIT has begun: the model cannot
                           know which */
    uint16_t *possible; /* the ports that it may choose, in order */
    size_t possible_count;
    size_t possible_room;
};

/* Counts a rule that mattered. */
void model_hit(const struct model *model, enum model_rule rule);

/* A host with loopback alone and the range from `low` to `high`. */
void model_begin(struct model *model, uint16_t low, uint16_t high);

/* Gives the host another address, on a device. */
void model_add_address(struct model *model, const struct model_address *address, uint32_t device);

/* What the kernel answers, and does: the model changes. To be freed by model_answer_free. */
struct model_answer model_apply(struct model *model, const struct operation *operation);

/* Takes the port that was chosen, after an answer that has `chooses` and no error. */
void model_chose(struct model *model, const struct operation *operation, uint16_t port);

/* Notes that none was found, after an answer that has `may_fail`. The error is that of an
 * exhausted range. */
int model_found_none(struct model *model, const struct operation *operation);

/* Frees. */
void model_answer_free(struct model_answer *answer);
void model_end(struct model *model);

#endif
