/* What the selected sockets of a machine did, by port and in the order of time. */
#ifndef PORTWITNESS_CHECK_HISTORY_H
#define PORTWITNESS_CHECK_HISTORY_H

#include "harness/check/selection.h"
#include "harness/trace/bindings.h"

#define HISTORY_NS_PER_TICK (UINT64_C(1000000000) / 100) /* USER_HZ: of start times */

/* What a binding's record holds beside what is in struct binding. One for each, by its index. */
struct request {
    uint64_t end_ns;
    uint64_t site;
    uint64_t place; /* record_place */
    uint64_t cookie;
    uint64_t flags;
    uint64_t read_ns;    /* when the program had its number; 0: nobody asked for it */
    uint64_t reader;     /* who asked */
    uint64_t listen_ns;  /* when it had begun to listen; 0: it did not */
    uint64_t closing_ns; /* when the latest close of a descriptor of its socket began, and ended */
    uint64_t closed_ns;
    uint64_t alive_ns;        /* it surely had the port then: a connection was accepted from it */
    uint64_t accepted_ns;     /* when the latest accept from it had ended */
    struct call instead;      /* of one that failed: the bind by which its thread got over it */
    struct endpoint peer;     /* of a connect */
    uint32_t previous;        /* the earlier binding of the same socket, MAP_NONE if none */
    uint32_t proved_by[2];    /* of an assignment: the bind by number that proves a claim, over TCP
                                 and UDP; MAP_NONE: none */
    uint32_t proves;          /* of a bind by number: the assignment, MAP_NONE: none */
    uint64_t latest_given_ns; /* ... and when the latest had been given that it may prove instead */
    bool is_explained;      /* ... if the binder knew the number from a socket that had it still */
    bool is_step;           /* ... its thread then tried the next number, which failed, too */
    bool is_told;           /* a finding reports it already */
    bool has_alternative;   /* ... if there is another */
    uint32_t probed;        /* ... or the bind by number by which a related process had seen that it
                               is free; MAP_NONE: none */
    uint64_t asked_ns;      /* when another process had last asked for port 0 in its namespace */
    uint32_t picked;        /* ... or the one that it had the number from, though it says nothing of
                               this endpoint; MAP_NONE: none */
    uint32_t failed_listen; /* index of the listen on it that failed, MAP_NONE: none */
    uint32_t repeats;      /* of a bind that failed: the earlier one of the process that it repeats,
                              MAP_NONE: none */
    uint32_t times;        /* of that earlier one: how many repeat it */
    uint32_t next_waiting; /* another failed bind of the thread that waits, MAP_NONE if none */
    uint32_t thread;
    uint32_t uid;
    uint32_t device;
    uint8_t kind;                     /* enum pw_kind */
    uint8_t tier;                     /* of a bind that proves: enum tier in proofs.h */
    enum certainty proof_certainty;   /* of a bind that proves: is it this assignment? */
    enum certainty release_certainty; /* ... and had its port been released before? */
};

/* Of both. */
static inline enum certainty request_certainty(const struct request *request) {
    return certainty_worse(request->proof_certainty, request->release_certainty);
}

/* A listen that failed with EADDRINUSE on a bound socket. */
struct failed_listen {
    struct call call;
    uint64_t netns;
    struct call instead; /* as of a bind that failed */
    uint32_t binding;    /* of its socket, MAP_NONE if it was not seen */
    uint32_t thread;
};

struct connection {
    struct call call; /* its endpoint is the peer's */
    uint64_t netns;
};

struct announced_claim {
    struct call call;
    uint64_t netns;
};

struct marker {
    uint64_t ns;
    uint64_t unit; /* tagged: of the bind that it was found at; 0: none */
    uint64_t process;
    uint64_t flags;
    uint32_t thread;
    bool is_own; /* the process itself said so, and not a `portwitness mark` that it had started */
    char *name;
};

/* Who asked for port 0 last, and in which namespace. */
struct asker {
    uint64_t process;
    uint64_t netns;
    uint64_t ns;
};

struct given_range {
    uint64_t netns;
    uint32_t low;
    uint32_t high;
};

enum { HISTORY_RANGES = 64 };

/* The environment variable in which a refused number stood. */
struct number_source {
    uint64_t unit; /* tagged: of the record that failed */
    char *variable;
};

/* What the kernel's table said at an EADDRINUSE. */
struct table_answer {
    uint64_t unit; /* tagged: of the record that failed */
    struct table_holder holder;
    uint64_t cookie;           /* of the socket */
    uint32_t before;           /* another of the same record, MAP_NONE if none */
    enum holder_source source; /* HOLDER_TABLE, HOLDER_TIME_WAIT or HOLDER_NOBODY */
};

/* What `run` found out about a socket of a table answer. */
struct outside_holder {
    struct table_holder holder; /* without state and endpoint */
};

/* A socket that a process had when the command had ended. */
struct leftover {
    struct call call; /* by the process that has it; the endpoint is the socket's */
    uint64_t netns;
};

struct history {
    const struct machine *machine;
    struct bindings bindings;
    struct request *requests;
    size_t request_room;
    struct map of_cookie;  /* to the latest binding of the socket */
    struct map of_group;   /* sockets, by cookie, that joined a multicast group, or may broadcast */
    uint32_t *by_port;     /* binding indexes, by port and begin */
    uint32_t *outlived_by; /* for each place there: the latest before it, of the port, that ended
                              later; MAP_NONE: none */
    size_t by_port_count;
    uint32_t first_of_port[SELECTION_PORTS + 1];
    struct failed_listen *failed_listens;
    size_t failed_listen_count, failed_listen_room;
    struct connection *connections;
    size_t connection_count, connection_room;
    uint32_t first_connection[SELECTION_PORTS + 1]; /* ... by the peer's port and begin */
    struct announced_claim *claims;
    size_t claim_count, claim_room;
    struct marker *markers;
    size_t marker_count, marker_room;
    struct number_source *sources;
    size_t source_count, source_room;
    struct map source_of_unit; /* the first one */
    struct table_answer *answers;
    size_t answer_count, answer_room;
    struct map answer_of_unit; /* the latest one */
    struct asker askers[2][2]; /* over TCP, and over UDP: two processes, the latest first */
    struct given_range ranges[HISTORY_RANGES];
    unsigned range_count;
    struct outside_holder *outside;
    size_t outside_count, outside_room;
    struct map outside_of_cookie; /* the first one about a socket */
    struct leftover *leftovers;
    size_t leftover_count, leftover_room;
    uint64_t *torn; /* when requests began whose records are torn: in order */
    size_t torn_count, torn_room;
    struct map waiting;         /* thread to the latest failed bind, plus 1, that waits for what
                                   comes instead; 0: none */
    struct map listens_waiting; /* the same of failed listens */
};

/* A new history, empty; to be freed by history_free. */
struct history *history_make(const struct machine *machine);

/* Takes one record, in the order of the trace. All records must be shown to it; those of sockets
 * that are not selected are passed over. */
void history_note(struct history *history, const struct selection *selection,
                  const struct trace_record *record);

/* After the last record. */
void history_finish(struct history *history);

/* The call behind a binding. */
struct call history_call(const struct history *history, uint32_t binding);

/* What a binding is bound to, or was to be. */
struct endpoint history_endpoint(const struct history *history, uint32_t binding);

/* Is its socket one of UDP? */
bool history_is_udp(const struct history *history, uint32_t binding);

/* What the socket of a record was bound to, or with `assigned` false was to be bound to. */
struct endpoint history_record_endpoint(const struct trace_record *record, bool assigned);

/* The other end of a connect; its record has a peer. */
struct endpoint history_record_peer(const struct trace_record *record);

/* "tcp" for SOCK_STREAM and so on, where the socket names no protocol. */
unsigned history_protocol(unsigned type, unsigned protocol);

/* Are these in one network namespace? One that is not known may be any. */
bool history_same_namespace(uint64_t one, uint64_t other);

/* Does the kernel give this port for port 0, in that namespace? */
bool history_is_in_range(const struct history *history, uint64_t netns, unsigned port);

/* May both have the port at a time? They may where they do not meet, and where the kernel lets
 * them share (bind(2), SO_REUSEADDR and SO_REUSEPORT in socket(7)). `newcomer` is the one bound
 * later; `ns` is when it asked to bind, or, with `listening`, to listen. */
bool history_may_share(const struct history *history, uint32_t newcomer, uint32_t holder,
                       uint64_t ns, bool listening);

/* Where in by_port the requests for the port that had begun by `ns` end. */
uint32_t history_end_of_port(const struct history *history, unsigned port, uint64_t ns);

/* When the binding at the place in by_port ended: UINT64_MAX if that was not seen, 0 if there was
 * none.
 */
uint64_t history_end_ns(const struct history *history, uint32_t place);

/* The latest place in by_port, at `place` or before it, of a binding of the port that had not ended
 * by `ns`; MAP_NONE: there is none. */
uint32_t history_lasting(const struct history *history, uint32_t place, uint64_t ns);

/* When the latest request before `ns` began whose record is torn; 0: none. */
uint64_t history_torn_before(const struct history *history, uint64_t ns);

/* Frees it. */
void history_free(struct history *history);

#endif
