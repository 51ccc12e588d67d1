/*
 * What is known of each descriptor number of this process: whether it is an IP socket, which one,
 * and what was asked of it. A look costs two loads; nothing locks.
 */
#ifndef PORTWITNESS_SOCKET_DESCRIPTORS_H
#define PORTWITNESS_SOCKET_DESCRIPTORS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All fields relaxed: a program that uses one descriptor in two threads orders them itself. */
struct descriptor {
    _Atomic uint64_t cookie; /* 0: no IP socket, or nothing known */
    _Atomic uint64_t netns;
    _Atomic uint32_t uid;
    _Atomic uint32_t device;
    _Atomic uint32_t flags; /* PW_FLAG_ options, _LISTENING, _BY_NUMBER, and DESCRIPTOR_... */
    _Atomic uint16_t port;  /* the local port as far as known, 0: none */
    _Atomic uint16_t protocol;
    _Atomic uint8_t family;
    _Atomic uint8_t type;
};

/* A plain copy, taken before an entry changes. */
struct socket_facts {
    uint64_t cookie;
    uint64_t netns;
    uint32_t uid;
    uint32_t device;
    uint32_t flags;
    uint16_t port;
    uint16_t protocol;
    uint8_t family;
    uint8_t type;
};

/* The address of this socket was read already (one record a socket and port is enough). */
#define DESCRIPTOR_READ (UINT32_C(1) << 31)

/* Made by socket() here and not used since: the number cannot have become another socket unless
 * both its close and the next socket's making went past us, so the first bind need not ask. */
#define DESCRIPTOR_FRESH (UINT32_C(1) << 30)

enum {
    DESCRIPTOR_BLOCK = 1024, /* entries */
    DESCRIPTOR_BLOCKS = 1024 /* numbers up to 1,048,575: the kernel's own default (fs.nr_open) */
};

/* Blocks of entries, made when a number first needs one; for descriptor_find alone. */
extern _Atomic(struct descriptor *) descriptor_blocks[DESCRIPTOR_BLOCKS];

/* Bound to a port that is not known: in a sandbox the kernel is not asked. */
#define DESCRIPTOR_NAMELESS (UINT32_C(1) << 28)

/* Its port is the source port of a connection or of datagrams: nobody binds that number again. */
#define DESCRIPTOR_SOURCE (UINT32_C(1) << 27)

/* The policy `keep` has tried to keep its port, or has nothing to do with it; and has kept it. */
#define DESCRIPTOR_KEPT (UINT32_C(1) << 26)
#define DESCRIPTOR_WAS_KEPT (UINT32_C(1) << 23)

/* ... and SO_REUSEADDR has been on since, or might have been before: others may share the port. */
#define DESCRIPTOR_SHARED (UINT32_C(1) << 25)

/* Its port was named by the program: no port-0 request gave it, as a policy may by number. */
#define DESCRIPTOR_NAMED (UINT32_C(1) << 24)

/* There is no record of this descriptor yet. Most sockets are bound at once, and the record of that
 * says all; a record of the socket itself is due only where somebody else gets hold of it before.
 */
#define DESCRIPTOR_UNRECORDED (UINT32_C(1) << 29)

/* The entry of an IP socket, or NULL: any other descriptor, or one never seen. Here, since every
 * close, dup and send of the guest passes it. */
static inline struct descriptor *descriptor_find(int fd) {
    unsigned number = (unsigned)fd;
    if (number >= DESCRIPTOR_BLOCK * DESCRIPTOR_BLOCKS)
        return NULL;
    struct descriptor *block =
        atomic_load_explicit(&descriptor_blocks[number / DESCRIPTOR_BLOCK], memory_order_acquire);
    if (block == NULL)
        return NULL;
    struct descriptor *entry = &block[number % DESCRIPTOR_BLOCK];
    return atomic_load_explicit(&entry->cookie, memory_order_relaxed) != 0 ? entry : NULL;
}

/* Copies the entry into `facts`; false where it is not an IP socket. */
bool descriptor_copy(int fd, struct socket_facts *facts);

/* Copies the entry and forgets it, before the number is closed; false where that is not an IP
 * socket. */
bool descriptor_take(int fd, struct socket_facts *facts);

/* Enters a socket. What stood there is overwritten. */
void descriptor_set(int fd, const struct socket_facts *facts);

/* There is a record of the descriptor from now on. */
void descriptor_recorded(int fd);

/* Forgets a number. */
void descriptor_clear(int fd);

/* One past the highest number that was ever entered. */
int descriptor_limit(void);

/* Whether a send on it may bind the socket. Nearly every send ends with this one look at the table.
 */
bool descriptor_may_bind_by_send(int fd, int flags);

#endif
