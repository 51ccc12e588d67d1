/* The sockets that a trace names, and who holds descriptors of them. */
#ifndef PORTWITNESS_TRACE_TRACE_SOCKETS_H
#define PORTWITNESS_TRACE_TRACE_SOCKETS_H

#include <stdbool.h>

#include "harness/base/certainty.h"
#include "harness/base/map.h"

/* How the end of a binding, or the last descriptor of a socket, is known to have gone. */
enum end_known_by {
    END_NOT_SEEN = 0,
    END_CLOSED,         /* the last descriptor was closed */
    END_INFERRED,       /* the close was not seen; what came after shows it */
    END_EXIT,           /* the last process that held it ended */
    END_DESTROYED,      /* the kernel's notice */
    END_CONNECT_FAILED, /* the port of a port-0 request goes with a connect that fails */
    END_SHUTDOWN,       /* ... with the shutdown of a listener */
    END_DISCONNECT      /* ... with connect(AF_UNSPEC) */
};

/* How a process came by a descriptor. */
enum got_by {
    GOT_MADE,      /* it made the socket, or accepted the connection; or it is not known */
    GOT_INHERITED, /* at a fork or an exec */
    GOT_PASSED     /* by SCM_RIGHTS or pidfd_getfd */
};

/* That a process had a descriptor of a socket: from, to, and how it came by it. */
struct held_descriptor {
    uint64_t since_ns;
    uint64_t until_ns; /* 0: no end was seen */
    uint32_t process;  /* index */
    uint32_t next;     /* another of the same socket, MAP_NONE if none */
    uint8_t how;       /* enum got_by */
};

struct socket_state {
    uint64_t cookie;
    uint64_t netns;
    uint64_t released_ns;  /* the latest time at which a descriptor of it went */
    uint64_t destroyed_ns; /* 0: no notice */
    uint32_t binding;      /* the present one, MAP_NONE if none */
    uint32_t next_accepted;
    uint64_t first_until_ns; /* when that one released the last descriptor of all; 0: it did not */
    uint32_t first_process;  /* index of the process that was seen with it first */
    uint32_t past;           /* the latest of the holdings that were ended, and that matter */
    uint32_t holders;        /* descriptors */
    uint32_t in_flight;      /* descriptors in SCM_RIGHTS messages */
    uint16_t protocol;
    uint8_t type;
    uint8_t released_by; /* enum end_known_by */
    bool time_wait;      /* the notice said that TIME_WAIT stands */
    bool listening;
    bool client;   /* connected, or about to be */
    bool accepted; /* in the list of a listener; a damaged trace may name it once more */
    bool linger_zero;
    bool reuse_address;
    enum certainty certainty; /* POSSIBLE: a torn record concerns it */
};

/* One descriptor of a socket in one process. Those of one (process, descriptor) form a chain, since
 * a number may be in use again before the record of its close comes; free ones stay in it. It never
 * has more than SAME_NUMBER_MAX. */
struct holder {
    uint64_t since_ns;
    uint64_t superseded_ns; /* when the number turned up with another socket; 0: did not */
    uint32_t socket;        /* MAP_NONE: free */
    uint32_t next_same_number;
    uint32_t next_of_process;
    uint32_t process;
    int descriptor;
    uint8_t how; /* enum got_by */
};

/* As many threads may be between the close of a number and the end of its record, on a machine that
 * is busy enough. */
enum { SAME_NUMBER_MAX = 1024, HOLDERS_MAX = 4 << 20 };

/* Zero-initialized there are none. */
struct sockets {
    struct socket_state *list;
    size_t count;
    size_t room;
    struct map by_cookie;
    struct holder *holders;
    size_t holder_count;
    size_t holder_room;
    struct held_descriptor *past;
    size_t past_count;
    size_t past_room;
    uint32_t *by_socket; /* indexes of holders, by socket: made by sockets_settle */
    size_t by_socket_count;
    struct map by_number; /* (process index, descriptor) to the first holder of its chain */
    uint32_t *of_process; /* by process index: the first holder */
    size_t process_count;
    size_t process_room;
};

/* The index of the socket that a record of (process index, descriptor) with that cookie concerns,
 * made if need be. Without a cookie it is what the descriptor was last known to be. */
uint32_t sockets_find(struct sockets *sockets, uint32_t process, int descriptor, uint64_t cookie);

/* The descriptor is one of the socket's from `ns` on. */
void sockets_hold(struct sockets *sockets, uint32_t process, int descriptor, uint32_t socket,
                  uint64_t ns, enum got_by how);

/* The descriptor was closed. */
void sockets_release(struct sockets *sockets, uint32_t process, int descriptor, uint32_t socket,
                     uint64_t ns, enum end_known_by how);

/* All descriptors of a process are gone at `ns`. */
void sockets_release_all(struct sockets *sockets, uint32_t process, uint64_t ns,
                         enum end_known_by how);

/* A forked child has what its parent has. Beyond HOLDERS_MAX no more is copied, and the sockets
 * become POSSIBLE. */
void sockets_copy_holders(struct sockets *sockets, uint32_t parent, uint32_t child, uint64_t ns);

/* Settles descriptors whose number turned up with another socket and whose close never came. After
 * it nothing is held or released any more. */
void sockets_settle(struct sockets *sockets);

/* Called for each holding of a socket; false: enough. */
typedef bool sockets_take_holding(void *with, const struct held_descriptor *holding);

/* After sockets_settle: all who had a descriptor of the socket, except where one process alone had
 * it ever. */
void sockets_each_holding(const struct sockets *sockets, uint32_t socket,
                          sockets_take_holding *take, void *with);

/* Marks the sockets that a torn record of this process and descriptor may concern. */
void sockets_doubt(struct sockets *sockets, uint32_t process, int descriptor);

/* Frees all. */
void sockets_free(struct sockets *sockets);

#endif
