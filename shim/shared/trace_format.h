/*
 * The contract between the shim, which writes a trace, and the harness, which reads it.
 *
 * A trace is one sparse file: a header, an area kept for policies, then units of 64 bytes. A record
 * is one or more units taken with one atomic add at the start of the call that it records. Numbers
 * in this file are never given a second meaning: new ones are added, old ones stay.
 */
#ifndef PORTWITNESS_SHARED_TRACE_FORMAT_H
#define PORTWITNESS_SHARED_TRACE_FORMAT_H

#include <stdatomic.h>
#include <stdint.h>

#define PW_MAGIC "PORTWIT\n"
#define PW_VERSION 1u
#define PW_BYTE_ORDER 0x01020304u
#define PW_UNIT_SIZE 64u
#define PW_HEADER_SIZE 4096u
#define PW_POLICY_SIZE (1u << 20)
#define PW_UNITS_OFFSET (PW_HEADER_SIZE + PW_POLICY_SIZE)
#define PW_DEFAULT_MAX_SIZE (UINT64_C(4) << 30)
#define PW_MIN_MAX_SIZE (UINT64_C(2) << 20)
#define PW_RECORD_UNITS_MAX 64u
#define PW_NAMESPACES_MAX 64u

/* Feature bits: what a reader must understand to read the trace at all. None exists in version 1.
 */
#define PW_FEATURES_KNOWN UINT64_C(0)

#define PW_STACK_MAX 16u
#define PW_FRAMES_PER_UNIT 3u
#define PW_QUESTIONS 64u
#define PW_NO_EBPF_BYTES 256u

/* By what programs are seen beside the shim (pw_header.capture). */
#define PW_CAPTURE_KERNEL 1u  /* eBPF programs at a control group below that of `run` */
#define PW_CAPTURE_HOST 2u    /* ... at the root of all control groups */
#define PW_CAPTURE_SECCOMP 4u /* seccomp notifications of programs that cannot load the shim */

/* Why the trace took no more records (pw_header.stopped). */
enum pw_stop { PW_STOP_NONE = 0, PW_STOP_MAX_SIZE = 1, PW_STOP_DISK_FULL = 2 };

/* Causes of lost records and evidence, each a counter in pw_header.lost. */
enum pw_lost {
    PW_LOST_MAX_SIZE = 0,         /* records after the trace had reached its maximal size */
    PW_LOST_DISK_FULL = 1,        /* records after the disk had no room */
    PW_LOST_NO_ADDRESS_SPACE = 2, /* records beyond what the guest could map */
    PW_LOST_NOT_POPULATED = 3,    /* records that the guest was not allowed to make room for */
    PW_LOST_NOTICES = 4,          /* times that destroy notices overflowed or stayed out */
    PW_LOST_PROCESS_ENDS = 5,     /* processes whose end `run` could not watch */
    PW_LOST_SOCKETS = 6,          /* sockets that the guest was not allowed to ask about */
    PW_LOST_NAMESPACES = 7,       /* network namespaces that the header has no room to know */
    PW_LOST_EVENTS = 8,           /* events of the kernel that `run` did not read in time */
    PW_LOST_CALLS = 9,            /* calls that were notified, of programs that could not be looked
                                     at */
    PW_LOST_CAUSES = 16
};

struct pw_header {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint32_t unit_size;
    uint32_t units_offset; /* bytes */
    uint64_t features;
    uint64_t capacity; /* size of the whole file in bytes when it was made */
    uint32_t policy_offset;
    uint32_t policy_size;
    uint8_t boot_id[16];
    uint64_t monotonic_ns; /* the clock pair, read together when the trace was made */
    uint64_t realtime_ns;
    uint64_t seed;
    char policy[64];
    char host_id[64];
    uint32_t supervisor_pid; /* of `run`; 0: there is none */
    uint32_t stacks;         /* return addresses to record with a call, at most; 0: none */
    uint32_t questions;      /* that a process may ask of the kernel's table of sockets */
    uint32_t filters;        /* seccomp filters on whoever made the trace: without `run`, those that
                                its first process was under */
    uint32_t no_frames;      /* 1: interpreters are not asked for frames */
    uint32_t capture;        /* PW_CAPTURE_...: by what else than the shim `run` sees programs */
    uint64_t proc_device;    /* of /proc, st_dev, where that is of the pid namespace of whoever made
                                the trace; 0: not known */
    uint64_t pid_namespace;  /* inode of that namespace, 0: not known */
    uint32_t reserved[4];
    /* From here on words that change, each group in a cache line of its own. */
    _Alignas(64) _Atomic uint64_t next_unit; /* the next free unit; runs past the end when full */
    _Alignas(64) _Atomic uint64_t
        populated_to;          /* bytes from the file's start that surely have room */
    _Atomic uint32_t stopped;  /* enum pw_stop, sticky */
    _Atomic uint32_t finished; /* 1: `run` has written all that it saw itself */
    _Alignas(64) _Atomic uint64_t next_process; /* the last serial given */
    _Alignas(64) _Atomic uint64_t lost[PW_LOST_CAUSES];
    _Alignas(64) _Atomic uint64_t namespaces[PW_NAMESPACES_MAX]; /* cookies that have a record */
    /* What does not change again: why eBPF is not among `capture`; "" in older traces. */
    _Alignas(64) char no_ebpf[PW_NO_EBPF_BYTES];
};

_Static_assert(sizeof(struct pw_header) <= PW_HEADER_SIZE, "the header fits its page");

/* Every unit begins with one word: tag, count or index, kind, state, from the low byte up. */
enum pw_tag { PW_TAG_BLANK = 0, PW_TAG_CONTINUATION = 0x43, PW_TAG_START = 0x53 };
enum pw_state { PW_STATE_BEGUN = 1, PW_STATE_COMMITTED = 2 };

#define PW_HEAD(tag, count, kind, state)                                                           \
    ((uint32_t)(tag) | (uint32_t)(count) << 8 | (uint32_t)(kind) << 16 | (uint32_t)(state) << 24)
#define PW_HEAD_TAG(head) ((head)&0xffu)
#define PW_HEAD_COUNT(head) (((head) >> 8) & 0xffu)
#define PW_HEAD_KIND(head) (((head) >> 16) & 0xffu)
#define PW_HEAD_STATE(head) (((head) >> 24) & 0xffu)

/* Record kinds. Behind each, the units that follow the start unit. */
enum pw_kind {
    PW_KIND_PROCESS_START = 1, /* pw_process, text (arguments, each ended by NUL) */
    PW_KIND_FORK = 2,          /* pw_process of the child, written by its parent */
    PW_KIND_EXEC = 3,          /* pw_process (pid), text (path); committed before the call */
    PW_KIND_EXEC_FAILED = 4,   /* pw_process (pid), text (path) */
    PW_KIND_PROCESS_EXIT = 5,  /* pw_process (pid); by the process, or by `run` with source run */
    PW_KIND_SOCKET = 6,        /* pw_socket: it gets more holders before its first use */
    PW_KIND_BIND = 7,          /* pw_socket */
    PW_KIND_LISTEN = 8,        /* pw_socket */
    PW_KIND_CONNECT = 9,       /* pw_socket, pw_peer */
    PW_KIND_DISCONNECT = 10,   /* pw_socket: connect(AF_UNSPEC) */
    PW_KIND_AUTOBIND = 11,     /* pw_socket, pw_peer: a send bound the socket */
    PW_KIND_ACCEPT = 12,       /* pw_socket of the new socket, pw_peer (other_* = the listener) */
    PW_KIND_ADDRESS_READ = 13, /* nothing: the program read the address; the port is in the flags */
    PW_KIND_OPTION = 14,       /* pw_numbers: code = enum pw_option, number[0] = value */
    PW_KIND_DESCRIPTOR = 15,   /* pw_socket, pw_peer (other_descriptor): dup, received, inherited */
    PW_KIND_PASSED = 16,       /* nothing: a descriptor of the socket was sent by SCM_RIGHTS */
    PW_KIND_CLOSE = 17,        /* nothing: the descriptor was closed */
    PW_KIND_SHUTDOWN = 18,     /* pw_numbers: number[0] = how */
    PW_KIND_NAMESPACE = 19,    /* pw_numbers: cookie, inode, low, high, ip_autobind_reuse; text =
                                  ip_local_reserved_ports */
    PW_KIND_MODULE = 20,       /* pw_numbers: begin, end, offset in file, build id in [3..5], its
                                  length in code; text = path */
    PW_KIND_STACK = 21,        /* pw_numbers units of up to 7 return addresses, the innermost first,
                                  code = how many in this one; cookie = number of the record that
                                  they belong to */
    PW_KIND_STRING = 22,    /* text: file and function of a frame, with a NUL between; cookie = by
                               which frames name it: a hash of the file in its upper half, of
                               file and function in its lower */
    PW_KIND_DESTROYED = 23, /* pw_socket, pw_peer: the kernel's notice; code of pw_peer = state */
    PW_KIND_TABLE_ANSWER = 24, /* pw_socket, pw_peer, text (the owner's command line): a row of the
                                  kernel's table at EADDRINUSE; cookie = the refused socket's. State
                                  0: the table has no such row */
    PW_KIND_CLAIM = 25,        /* pw_socket, text: a claim announced */
    PW_KIND_MARKER = 26,       /* text: the name of a test that starts or ends */
    PW_KIND_BLIND_SPOT = 27, /* pw_numbers: code = enum pw_blind, number[0] = pid; text = program */
    PW_KIND_LOST = 28,       /* pw_numbers: code = enum pw_lost, number[0] = how many */
    /* pw_process of who has the socket with this cookie, which stood in a table answer, as `run`
     * found it; pw_numbers: code = enum pw_unnamed, inode, when the process started (CLOCK_REALTIME
     * in ns), how many others have the socket, up to four pids of these; text: command line,
     * working folder, user and /proc/PID/cgroup, with a NUL between. Without a cookie: the same of
     * the process with that serial, a stranger. */
    PW_KIND_HOLDER = 29,
    PW_KIND_LEFTOVER = 30,      /* pw_socket that the process had when the command had ended */
    PW_KIND_NUMBER_SOURCE = 31, /* text: the environment variable in which a number stands that was
                                   refused; cookie = number of the record of the call */
    PW_KIND_END = 32            /* one past the last kind of this version */
};

enum pw_outcome { PW_OUTCOME_PASSED = 1, PW_OUTCOME_FAILED = 2, PW_OUTCOME_SKIPPED = 3 };

enum pw_source {
    PW_SOURCE_SHIM = 1,
    PW_SOURCE_RUN = 2,
    PW_SOURCE_KERNEL = 3,
    PW_SOURCE_SUPERVISOR = 4
};

/* pw_start.error of a call that failed, where nothing says with which errno. */
#define PW_ERROR_NOT_KNOWN UINT16_MAX

/* Why a program or call could not be recorded. */
enum pw_blind {
    PW_BLIND_STATIC = 1, /* a static program: no loader, no preload */
    PW_BLIND_SETUID = 2, /* setuid, setgid or file capabilities: the loader ignores preloads */
    PW_BLIND_ARCHITECTURE = 3, /* another machine or word size */
    PW_BLIND_NO_ACCESS = 4,    /* started, but could not open the trace */
    PW_BLIND_UNREACHABLE = 5,  /* the shim or the trace does not exist in the program's root */
    PW_BLIND_UNREADABLE = 6,   /* the program file may be run but not read: it is not known */
    PW_BLIND_NOT_FOLLOWED = 7, /* environment cleared and following switched off */
    PW_BLIND_CONTAINER = 8,    /* a connect to a container daemon, which binds outside the tree */
    PW_BLIND_UNSEEN = 9,       /* a child that never reported; the reason is not known */
    PW_BLIND_NAMESPACE = 10,   /* sockets in a network namespace whose notices `run` does not get */
    PW_BLIND_OWN_CALLS = 11,   /* a Go program: loads the shim, but makes its system calls itself */
    PW_BLIND_SANDBOXED = 12,   /* put a seccomp filter on itself: what memory shows is recorded, but
                                  the kernel is not asked, nor in what it executes */
    PW_BLIND_DEPARTED = 13,    /* left the control group below which eBPF sees programs */
    PW_BLIND_UNEXAMINED = 14,  /* executed when no descriptor was free to look at its file with, and
                                  the shim did not report from it */
    PW_BLIND_OTHER_TRACE = 15  /* it was given another trace, as a run within the run does */
};

/* Why `run` names no process that has a socket. */
enum pw_unnamed {
    PW_UNNAMED_NOT = 0,       /* it names one */
    PW_UNNAMED_ENDED = 1,     /* the socket was gone when `run` looked */
    PW_UNNAMED_DENIED = 2,    /* it is there, and there are processes that `run` may not look at */
    PW_UNNAMED_ELSEWHERE = 3, /* it is there, and no process that `run` sees has it */
    PW_UNNAMED_ORPHAN = 4,    /* no process has it: the kernel ends the connection */
    PW_UNNAMED_NOT_KNOWN = 5, /* nobody has it, and whether it is there the kernel did not say */
    PW_UNNAMED_END = 6
};

/* Options that matter for a binding; the value is as given to setsockopt. */
enum pw_option {
    PW_OPTION_REUSEADDR = 1,
    PW_OPTION_REUSEPORT = 2,
    PW_OPTION_V6ONLY = 3,
    PW_OPTION_FREEBIND = 4,
    PW_OPTION_TRANSPARENT = 5,
    PW_OPTION_BIND_ADDRESS_NO_PORT = 6,
    PW_OPTION_LOCAL_PORT_RANGE = 7,
    PW_OPTION_LINGER = 8,     /* number[0] = on, number[1] = seconds */
    PW_OPTION_DEVICE = 9,     /* number[0] = interface index, 0 for none */
    PW_OPTION_MULTICAST = 10, /* a group was joined; number[0] = 1 */
    PW_OPTION_BROADCAST = 11
};

/* Flags of a record (pw_start.flags). The low bits are the socket's options at the call. */
#define PW_FLAG_REUSEADDR (UINT64_C(1) << 0)
#define PW_FLAG_REUSEPORT (UINT64_C(1) << 1)
#define PW_FLAG_V6ONLY (UINT64_C(1) << 2)
#define PW_FLAG_FREEBIND (UINT64_C(1) << 3)
#define PW_FLAG_TRANSPARENT (UINT64_C(1) << 4)
#define PW_FLAG_BIND_ADDRESS_NO_PORT (UINT64_C(1) << 5)
#define PW_FLAG_LOCAL_PORT_RANGE (UINT64_C(1) << 6)
#define PW_FLAG_LINGER_ZERO (UINT64_C(1) << 7)
#define PW_FLAG_OPTIONS UINT64_C(0xff)
#define PW_FLAG_LISTENING (UINT64_C(1) << 8) /* the socket listens */
#define PW_FLAG_BY_NUMBER (UINT64_C(1) << 9) /* bound by number: SOCK_BINDPORT_LOCK */
#define PW_FLAG_ERROR_INFERRED                                                                     \
    (UINT64_C(1) << 21) /* the call failed, and the errno is inferred from what it asked for */
#define PW_FLAG_PORT_ZERO (UINT64_C(1) << 10)   /* this call was a port-0 request */
#define PW_FLAG_IN_PROGRESS (UINT64_C(1) << 11) /* connect has begun and not ended */
/* What the record holds. */
#define PW_FLAG_HAS_REQUESTED (UINT64_C(1) << 16)
#define PW_FLAG_HAS_ASSIGNED (UINT64_C(1) << 17)
#define PW_FLAG_HAS_PEER (UINT64_C(1) << 18)
#define PW_FLAG_TEXT_CUT (UINT64_C(1) << 19)
#define PW_FLAG_HAS_FRAMES (UINT64_C(1) << 20) /* behind all else stand pw_frames units */
#define PW_FLAG_OTHERS_SEE (UINT64_C(1) << 23) /* of a blind spot: none, other means see it */
/* Of PW_KIND_PROCESS_START: the process is none of the command's, but the machine's. A record of
 * kind PW_KIND_HOLDER with its serial and no cookie follows. */
#define PW_FLAG_STRANGER (UINT64_C(1) << 22)
/* Where the number of a bind by number stood in the process's start-up strings. */
#define PW_FLAG_IN_ARGUMENTS (UINT64_C(1) << 24)
#define PW_FLAG_IN_ENVIRONMENT (UINT64_C(1) << 25)
#define PW_FLAG_SEARCH_CUT (UINT64_C(1) << 26) /* the strings were too long to search whole */
/* ... and in those of how many ancestors in a row, from the parent on, 7 at most. */
#define PW_FLAG_IN_ANCESTORS(count) ((uint64_t)((count) < 7 ? (count) : 7) << 27)
#define PW_ANCESTORS_OF_FLAGS(flags) ((unsigned)((flags) >> 27 & 7))
/* Of PW_KIND_ADDRESS_READ, the commonest record beside a bind: the port that was read, which so
 * needs no second unit. */
#define PW_FLAG_PORT(port) ((uint64_t)(port) << 48)
#define PW_PORT_OF_FLAGS(flags) ((uint16_t)((flags) >> 48))
/* Of PW_KIND_PROCESS_EXIT with PW_FLAG_STATUS_KNOWN: what waitpid(2) reports of the process. */
#define PW_FLAG_STATUS(status) ((uint64_t)((status)&0xffff) << 48)
#define PW_STATUS_OF_FLAGS(flags) ((int)((flags) >> 48))
/* Of PW_KIND_EXEC, where programs are seen by other means, too: why the shim cannot enter the
 * program (enum pw_blind), 0: it can. Whether those saw it is for `run` to say. */
#define PW_FLAG_OBSTACLE(reason) ((uint64_t)((reason)&255) << 48)
#define PW_OBSTACLE_OF_FLAGS(flags) ((unsigned)((flags) >> 48 & 255))
/* How it came about. */
#define PW_FLAG_VFORK_CHILD (UINT64_C(1) << 32)
#define PW_FLAG_CANCELLED (UINT64_C(1) << 33) /* the thread was cancelled in the call */
#define PW_FLAG_BY_FORK (UINT64_C(1) << 34)
#define PW_FLAG_BY_EXEC (UINT64_C(1) << 35)
#define PW_FLAG_RESTORED                                                                           \
    (UINT64_C(1) << 36) /* our variables had to be put back for the program                        \
                         */
#define PW_FLAG_DUPLICATED (UINT64_C(1) << 37)
#define PW_FLAG_INHERITED (UINT64_C(1) << 38)
#define PW_FLAG_RECEIVED (UINT64_C(1) << 39)
#define PW_FLAG_RELEASE_INFERRED                                                                   \
    (UINT64_C(1) << 40) /* a close that was not seen, inferred from what came */
#define PW_FLAG_TIME_WAIT (UINT64_C(1) << 41)    /* destroyed, but its TIME_WAIT stands */
#define PW_FLAG_POLICY (UINT64_C(1) << 42)       /* a policy chose the port */
#define PW_FLAG_ADDRESS_READ (UINT64_C(1) << 44) /* of a bind, set later: its address was read */
#define PW_FLAG_SIGNALLED (UINT64_C(1) << 43)    /* ended by a signal */
#define PW_FLAG_STATUS_KNOWN (UINT64_C(1) << 45) /* of an end: the highest bits are the status */
#define PW_FLAG_MARKER_END (UINT64_C(1) << 46)   /* the test ends */
#define PW_FLAG_MARKER_ENVIRONMENT                                                                 \
    (UINT64_C(1) << 47) /* the name stood in the environment; with END: does so no longer */
/* Of a marker with PW_FLAG_MARKER_END: how the test ended, 0: not known. */
#define PW_FLAG_OUTCOME(outcome) ((uint64_t)((outcome)&7) << 48)
#define PW_OUTCOME_OF_FLAGS(flags) ((unsigned)((flags) >> 48 & 7))

/* Of a port-0 request under a policy: numbers that the kernel refused before, and how it ended. */
#define PW_FLAG_TRIED(count) ((uint64_t)((count) < 255 ? (count) : 255) << 48)
#define PW_TRIED_OF_FLAGS(flags) ((unsigned)((flags) >> 48 & 255))
#define PW_FLAG_POLICY_BY_NUMBER (UINT64_C(1) << 56) /* the kernel holds it as bound by number */
#define PW_FLAG_POLICY_EARLY (UINT64_C(1) << 57)     /* before the end of its quarantine */
#define PW_FLAG_POLICY_LEFT (UINT64_C(1) << 58)      /* the policy had none: the kernel chose */
/* Of a bind by number: the port was kept for the run until then. */
#define PW_FLAG_POLICY_KEPT (UINT64_C(1) << 59)

/* The first unit of each record. process, kind, descriptor and begin_ns are stored at once; the
 * rest is there when the state in head is PW_STATE_COMMITTED. */
struct pw_start {
    _Atomic uint32_t head;
    int32_t descriptor; /* -1 where none */
    uint64_t process;   /* serial; 0: not known */
    uint64_t begin_ns;  /* CLOCK_MONOTONIC */
    uint64_t end_ns;
    uint64_t cookie; /* SO_COOKIE; 0: none or not known */
    uint64_t site;   /* return address of the call in the guest; 0: none */
    uint32_t thread;
    uint16_t error; /* errno, 0 for success */
    uint8_t source; /* enum pw_source */
    uint8_t call;   /* number of the row in calls.def, 0: none */
    uint64_t flags; /* PW_FLAG_... */
};

/* Addresses are 16 bytes: IPv6 as it is, IPv4 as ::ffff:a.b.c.d; `family` is the socket's own.
 * Ports are in host byte order. */
struct pw_socket {
    uint32_t head;
    uint8_t family; /* AF_INET, AF_INET6 */
    uint8_t type;   /* SOCK_STREAM, SOCK_DGRAM, ... */
    uint16_t protocol;
    uint64_t netns; /* SO_NETNS_COOKIE, 0: not known */
    uint8_t requested[16];
    uint8_t assigned[16];
    uint16_t requested_port;
    uint16_t assigned_port;
    uint32_t scope;
    uint32_t uid;    /* the user at the socket's creation, UINT32_MAX: not known */
    uint32_t device; /* interface index, 0: none */
};

struct pw_peer {
    uint32_t head;
    uint16_t port;
    uint16_t code; /* of PW_KIND_DESTROYED and TABLE_ANSWER: the TCP state */
    uint8_t address[16];
    union {
        uint32_t scope;
        uint32_t inode; /* TABLE_ANSWER: of the socket, as in /proc/PID/fd; 0: not known */
    };
    int32_t other_descriptor; /* the listener's, or the one that was duplicated; -1: none */
    uint64_t other_cookie;
    uint32_t pid; /* TABLE_ANSWER: the owner's, 0: not known */
    uint32_t uid;
    uint64_t start_time; /* TABLE_ANSWER: of the owner, clock ticks since boot; 0: not known */
    uint64_t record;     /* TABLE_ANSWER: number of the record of the call that was refused */
};

struct pw_process {
    uint32_t head;
    uint32_t pid; /* as the process itself sees it */
    uint32_t parent_pid;
    uint32_t uid;
    uint64_t serial;     /* FORK: the child's. PROCESS_START: its own */
    uint64_t parent;     /* serial of the parent, or of what ran in this pid before; 0: not known */
    uint64_t start_time; /* field 22 of /proc/PID/stat, clock ticks since boot; equal across exec */
    uint64_t pid_namespace; /* inode, 0: not known */
    char comm[16];
};

struct pw_numbers {
    uint32_t head;
    uint32_t code;
    uint64_t number[7];
};

/* Whose code a frame is, as far as the interpreter and the file's folder tell. */
enum pw_frame_of {
    PW_FRAME_LIBRARY = 1,    /* the language's own library */
    PW_FRAME_FRAMEWORK = 2,  /* what runs tests */
    PW_FRAME_DEPENDENCY = 3, /* a package that somebody installed */
    PW_FRAME_USER = 4
};

/* Beside it: what runs tests called this function, so it is a test, or prepares one. */
#define PW_FRAME_OF(of) ((of)&0xffu)
#define PW_FRAME_CALLED_BY_FRAMEWORK 0x100u
/* ... and of frames that are all of the language's library: the one that says most. */
#define PW_FRAME_WAY_IN 0x200u

/* A frame in the language of an interpreted program. */
struct pw_frame {
    uint64_t text; /* cookie of the PW_KIND_STRING; 0: none */
    uint32_t line; /* 0: not known */
    uint32_t of;   /* enum pw_frame_of, and whether a framework called it */
};

/* The frames of the call, the innermost first, in as many units as they need. */
struct pw_frames {
    uint32_t head;
    uint32_t code;   /* how many are in this unit */
    uint64_t thread; /* cookie of the string with the thread's name, 0: none */
    struct pw_frame frame[PW_FRAMES_PER_UNIT];
};

/* Text runs over as many units as it needs; the last is filled up with NUL. */
#define PW_TEXT_BYTES 60u
struct pw_text {
    uint32_t head;
    char bytes[PW_TEXT_BYTES];
};

union pw_unit {
    struct pw_start start;
    struct pw_socket socket;
    struct pw_peer peer;
    struct pw_process process;
    struct pw_numbers numbers;
    struct pw_frames frames;
    struct pw_text text;
    unsigned char bytes[PW_UNIT_SIZE];
};

_Static_assert(sizeof(union pw_unit) == PW_UNIT_SIZE, "a unit is 64 bytes");
_Static_assert(sizeof(struct pw_start) == 64 && sizeof(struct pw_socket) == 64,
               "no hidden padding");
_Static_assert(sizeof(struct pw_peer) == 64 && sizeof(struct pw_process) == 64,
               "no hidden padding");
_Static_assert(sizeof(struct pw_frames) == 64, "no hidden padding");
_Static_assert(sizeof(struct pw_numbers) == 64 && sizeof(struct pw_text) == 64,
               "no hidden padding");

#endif
