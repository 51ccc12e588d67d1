/* What the kernel reports of a socket, whoever made the call: the common form of all means by which
 * programs are seen that the shim is not in. */
#ifndef PORTWITNESS_CAPTURE_OUTSIDE_EVENT_H
#define PORTWITNESS_CAPTURE_OUTSIDE_EVENT_H

#include <stdint.h>

#include "shim/shared/trace_format.h"

enum outside_kind {
    OUTSIDE_EXEC = 1, /* the process executed a program */
    OUTSIDE_BIND,     /* a bind, successful or not */
    OUTSIDE_LISTEN,
    OUTSIDE_CONNECT,  /* TCP: the connection is being made, from the local port */
    OUTSIDE_READ,     /* the local address was read (getsockname) */
    OUTSIDE_RELEASED, /* nobody has a descriptor of the socket any more */
    OUTSIDE_CLOSED,   /* its port is free, or its TIME_WAIT stands (see time_wait) */
    OUTSIDE_PROCESS,  /* the process, which was not seen to execute a program, makes its first call
                       */
    OUTSIDE_LEFT /* the process is in another control group from now on, where nobody sees it */
};

/* The call failed, and nobody can say with which errno. */
#define OUTSIDE_ERROR_NOT_KNOWN PW_ERROR_NOT_KNOWN

/* More than a trace keeps (PW_STACK_MAX): Go makes four calls of its own below a bind. */
enum { OUTSIDE_ADDRESSES_MAX = 24 };

/* What the kernel knows of a process: it may have ended before /proc can be read. */
enum { OUTSIDE_PATH_BYTES = 256, OUTSIDE_ARGUMENTS_BYTES = 512 };
struct outside_process {
    uint8_t kind; /* enum outside_kind: EXEC, PROCESS or LEFT; EXEC in an event PROCESS: it runs
                     another program than its parent, and when that came is not known */
    uint8_t ours; /* as in struct outside_event */
    uint16_t
        length;   /* of the arguments, each ended by NUL; if it is all that fits, there are more */
    uint32_t pid; /* this and the next as in struct outside_event */
    uint32_t thread;
    uint32_t uid;
    uint64_t begin_ns;
    uint64_t start_time;      /* ticks since the host's boot, as in /proc/PID/stat; 0: not known */
    uint32_t parent;          /* pid, 0: not known */
    uint32_t inner_pid;       /* the pid that it has for itself, */
    uint32_t inner_namespace; /* in the pid namespace with that inode; 0: not known */
    char comm[16];            /* "": not known */
    /* EXEC only */
    char path[OUTSIDE_PATH_BYTES]; /* the file as who executed it named it; "": not known */
    char arguments[OUTSIDE_ARGUMENTS_BYTES];
};

/* In this order, for the eBPF programs hand over no more of it than there is to say. */
struct outside_event {
    uint8_t kind;   /* enum outside_kind */
    uint8_t source; /* enum pw_source: PW_SOURCE_KERNEL or PW_SOURCE_SUPERVISOR */
    uint8_t family; /* AF_INET, AF_INET6; the socket's own */
    uint8_t type;   /* SOCK_STREAM, SOCK_DGRAM, ... */
    uint16_t protocol;
    uint16_t error;    /* errno, 0 for success */
    uint64_t begin_ns; /* CLOCK_MONOTONIC of the host, as in a trace */
    uint64_t end_ns;
    uint64_t cookie;
    uint64_t netns; /* SO_NETNS_COOKIE, 0: not known */
    uint32_t pid;   /* of the process (thread group), as `run` sees it; 0: none, or not known */
    uint32_t thread;
    uint32_t uid;            /* of the caller, UINT32_MAX: not known */
    uint32_t device;         /* that the socket is bound to, 0: none */
    uint8_t state;           /* RELEASED and CLOSED: TCP state before it */
    uint8_t time_wait;       /* CLOSED: TIME_WAIT stands in its place */
    uint8_t bound;           /* RELEASED: if it had a port, that is free now; else CLOSED follows */
    uint8_t call;            /* number of the row in calls.def, 0: not known */
    uint8_t inferred;        /* the error was inferred, not reported */
    uint8_t options_known;   /* the flags hold REUSEADDR and REUSEPORT as they were */
    uint8_t ours;            /* of the command, not of a stranger (capture of the host) */
    uint8_t addresses;       /* how many return addresses there are below */
    uint16_t requested_port; /* ports in host byte order, 0: none */
    uint16_t local_port;
    uint16_t peer_port;
    uint64_t flags; /* PW_FLAG_REUSEADDR and the like, as far as known; PW_FLAG_PORT_ZERO */
    /* As in struct pw_socket: 16 bytes, IPv4 mapped. */
    uint8_t requested[16];
    uint8_t local[16];
    uint8_t peer[16];
    uint64_t
        address[OUTSIDE_ADDRESSES_MAX]; /* return addresses in the program, the innermost first */
    int32_t descriptor;                 /* -1: not known */
    uint32_t scope;
    char comm[16];
    const struct outside_process *process; /* EXEC, PROCESS, LEFT; NULL: what /proc says is all */
};

/* Takes an event; it, and what it points to, is good during the call. */
typedef void outside_take(void *with, const struct outside_event *event);

#endif
