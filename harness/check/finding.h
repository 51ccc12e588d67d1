/* What a check of traces comes to: one finding each, with the sides of it. */
#ifndef PORTWITNESS_CHECK_FINDING_H
#define PORTWITNESS_CHECK_FINDING_H

#include "harness/base/certainty.h"
#include "harness/base/endpoint.h"
#include "harness/check/cause.h"

enum finding_kind {
    FINDING_LOST_RACE,          /* a claim whose bind by number, or listen, failed */
    FINDING_DOUBLE_HAND_OUT,    /* two claims that overlap, and nobody failed this time */
    FINDING_COLLISION,          /* two announced claims that overlap */
    FINDING_MODEL_DISAGREEMENT, /* the kernel's answer is impossible in every order */
    FINDING_RACE_WINDOW,        /* a claim with a window that went well */
    FINDING_ADDRESS_IN_USE,     /* any other EADDRINUSE of a bind by number or a listen */
    FINDING_REUSE_TRAP,         /* two SO_REUSEADDR sockets bound to a port on which one listens */
    FINDING_SELF_CONNECT,       /* a connect that was given its destination's port */
    FINDING_STALE_PORT_CONNECT, /* a connection to a released port, answered by a stranger */
    FINDING_EXHAUSTED,          /* a port-0 request that failed for want of ports */
    FINDING_SHARED_PORT,        /* two who do not know of each other share an endpoint */
    FINDING_LEFTOVER_PROCESS,   /* a process outlived the command and holds ports */
    FINDING_INFERRED_RELEASE,   /* from here on: limits of the evidence */
    FINDING_BLIND_SPOT,
    FINDING_LOST_RECORDS,
    FINDING_TORN,
    FINDING_KINDS
};

enum severity { SEVERITY_NOTE, SEVERITY_HAZARD, SEVERITY_ERROR };

/* One call of one process, as its record says. process 0: there is no such side. */
struct call {
    uint32_t trace;    /* index in check.traces */
    uint64_t unit;     /* number of the record */
    uint64_t process;  /* serial */
    uint64_t begin_ns; /* CLOCK_MONOTONIC, in the trace's boot */
    uint64_t end_ns;
    uint64_t site; /* return address in the process; 0: none */
    /* Of a listen whose record has no frames: number of the bind of its socket, by the same thread;
     * else 0. */
    uint64_t bind_unit;
    uint64_t place; /* in the user's code, to be compared: record_place in
                       harness/trace/record_frames.h */
    uint64_t cookie;
    struct endpoint endpoint;
    struct endpoint peer;    /* of a connect; protocol 0: not known */
    uint16_t requested_port; /* 0: a port-0 request */
    uint16_t error;          /* errno, 0 for success */
    bool reuse_address;      /* SO_REUSEADDR was set */
    bool is_inferred;        /* the error was not reported, but follows from what was asked for */
    bool was_kept;           /* by the policy `keep`, until this bind */
    uint8_t call;            /* row of calls.def */
    uint8_t kind;            /* enum pw_kind */
};

/* How it is known who had the port. */
enum holder_source {
    HOLDER_NOT_ASKED,
    HOLDER_TRACE,     /* `other` is a call in a trace */
    HOLDER_TABLE,     /* the kernel's socket table at that moment: the fields below */
    HOLDER_TIME_WAIT, /* a connection that had ended */
    HOLDER_NOBODY     /* nobody was seen */
};

/* How the holder has the port: by a socket that it bound, by one that it got, or by what is left of
 * one. */
enum holder_how {
    HOW_NOT_KNOWN,
    HOW_BOUND,
    HOW_INHERITED,  /* at a fork or an exec */
    HOW_PASSED,     /* by SCM_RIGHTS or pidfd_getfd */
    HOW_ACCEPTED,   /* a connection accepted from a listener that is gone */
    HOW_CONNECTION, /* the source port of a connection that it made */
    HOW_TIME_WAIT,
    HOW_OUTSIDE /* a process that is not recorded */
};

enum { TABLE_PIDS_MAX = 4 };

/* What is not known is 0, and NULL of a text. */
struct table_holder {
    uint32_t pid;
    uint32_t parent_pid;
    uint32_t uid;        /* UINT32_MAX: not known */
    unsigned state;      /* as the kernel counts: 10 listens */
    unsigned unnamed;    /* enum pw_unnamed: why there is no pid */
    uint64_t start_time; /* CLOCK_MONOTONIC in ns */
    uint64_t started_ns; /* CLOCK_REALTIME */
    struct endpoint endpoint;
    char *command;
    char *folder; /* the working folder */
    char *user;
    char *control_group; /* lines of /proc/PID/cgroup */
    uint64_t others;     /* processes that have the socket as well; this and the next of a
                            leftover process too */
    uint32_t other_pids[TABLE_PIDS_MAX];
    bool sought; /* by `run`, which says why where it names nobody */
};

struct finding {
    enum finding_kind kind;
    enum severity severity;
    enum certainty certainty;
    struct endpoint endpoint; /* that it is about; protocol 0: about none */
    uint64_t netns;
    uint64_t ns; /* when: the begin of what happened last */
    /* The call that lost or failed; of a race window the one that went well; of a connection the
     * connect. */
    struct call subject;
    /* The assignment that the subject relies on (claims, picks that say nothing of the endpoint),
     * or the family's former one (stale-port-connect). */
    struct call assigned;
    /* How that one's port was released: 0 not seen. [from, to] is when. */
    uint64_t released_from_ns;
    uint64_t released_to_ns;
    bool release_inferred;
    /* Who took it or has it: taker, holder, passer-by, stranger; of two claims the other one's bind
     * by number, with its assignment behind it. */
    struct call other;
    struct call other_assigned;
    enum holder_source holder;
    enum holder_how how;
    /* Who has the socket of `other`, in its trace, where `how` is inherited, passed or accepted: a
     * serial; 0: who bound it. */
    uint64_t held_by;
    uint64_t held_since_ns;   /* 0: not known */
    uint64_t binder_ended_ns; /* when the process of `other` had ended, 0: it had not, as far as is
                                 known */
    struct table_holder table;
    enum finding_cause cause;
    /* Of an address in use: where the process then went, process 0 if nowhere. */
    struct call instead;
    /* What the process of the subject ended with, as of waitpid; -1: not known. */
    int status;
    /* How many calls this one stands for (repeated attempts, requests that failed alike). */
    uint64_t times;
    /* Of "exhausted": ports in the range, reserved ones, and how many the trace saw held. */
    uint32_t range_low;
    uint32_t range_high;
    uint32_t reserved;
    uint32_t held;        /* by sockets */
    uint32_t connections; /* ... that are connections */
    uint32_t time_wait;   /* by connections that were closed within the last minute */
    uint32_t range_user_ports;
    uint64_t range_user; /* the process that had most of them: a serial; 0: none */
    char *marker;        /* name of the test of `subject`, NULL: none known */
    char *assigned_marker;
    char *other_marker;
    char *other_assigned_marker;
    /* Of each: it was named by who started the process, not by the process itself. */
    bool marker_is_inherited;
    bool assigned_marker_is_inherited;
    bool other_marker_is_inherited;
    bool other_assigned_marker_is_inherited;
    char *instead_marker; /* of `instead`, to tell whether another test made that call */
    bool instead_marker_is_inherited;
    char *variable;     /* of an inherited number: where it stands in the environment; NULL: not
                           known */
    char *detail;       /* of a note: what, in words; of others NULL */
    bool explained;     /* of a lost race: the binder may have known the number from who has it */
    bool both_served;   /* of a shared port: connections, or a number from port 0, came to both */
    bool started_again; /* the same program was started once more, and got the port */
    bool from_holder;   /* the number came from the holder, which has it from port 0 */
    bool is_step;       /* the thread went on to the next number, and was refused that, too */
    bool suppressed;
    bool known; /* stands in the baseline */
};

/* Zero-initialized there are none. */
struct findings {
    struct finding *list;
    size_t count;
    size_t room;
};

/* Was this connect given its destination's port and address as its own? */
bool call_is_self_connect(const struct call *call);

/* Is it shown, and does it count: is it neither suppressed nor known? */
bool finding_counts(const struct finding *finding);

/* "lost-race" */
const char *finding_name(enum finding_kind kind);

/* The kind with that name, FINDING_KINDS if there is none. */
enum finding_kind finding_kind_of(const char *name);

/* "inherited"; NULL where it is not known. */
const char *holder_how_name(enum holder_how how);

/* "error", "hazard", "note" */
const char *severity_name(enum severity severity);

/* Makes the texts copies of their own. */
void table_holder_own(struct table_holder *holder);

/* Frees the texts. */
void table_holder_free(struct table_holder *holder);

/* Frees the texts of one that is taken out. */
void finding_free(struct finding *finding);

/* Adds a finding of that kind, with its usual severity, CERTAIN, with times 1 and status -1, and
 * all else 0. Good until the next is added. */
struct finding *findings_add(struct findings *findings, enum finding_kind kind);

/* Takes out what is told already in a refusal: that the connection which has the port is connected
 * to itself. */
void findings_merge_self_connects(struct findings *findings);

/* Puts them in order: errors first, then hazards, then notes; within these those of processes that
 * failed, the last first, and the others by time. */
void findings_sort(struct findings *findings);

/* Frees all. */
void findings_free(struct findings *findings);

#endif
