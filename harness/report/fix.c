/* Whoever finds a report in a CI log wants to know what to change, and that depends on the cause:
 * port 0 helps nobody whose own child has the socket still. */
#include "harness/report/fix.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "harness/report/fix_in_language.h"

struct advice {
    const char *text;
    enum fix_means means; /* what a language has a word of its own for */
};

static const struct advice advices[CAUSES] = {
    [CAUSE_RELEASED_NUMBER] = {"let the server bind port 0 itself and ask it for its number, or "
                               "hand the bound socket on instead of the number",
                               FIX_PORT_ZERO},
    [CAUSE_PROBED_BY_NUMBER] = {"start the server on each candidate, keep it, and go on to the "
                                "next number on EADDRINUSE; or bind port 0",
                                FIX_PORT_ZERO},
    [CAUSE_DUPLICATE_PICK] = {"keep all sockets that picked a number open until all are picked, or "
                              "let each server bind port 0",
                              FIX_PORT_ZERO},
    [CAUSE_PICKED_ELSEWHERE] = {"pick the number with the protocol, the family and the address "
                                "that will be bound: it was free where it was picked, and taken "
                                "here",
                                FIX_NOTHING},
    [CAUSE_OTHER_NAMESPACE] = {"pick the number, and keep it, in the network namespace where it "
                               "will be bound, and try another on EADDRINUSE",
                               FIX_NOTHING},
    [CAUSE_HELD_PAIR] = {"bind both in a loop, with a new number until both succeed; or use one "
                         "dual-stack socket on [::], or one family and protocol only",
                         FIX_NOTHING},
    [CAUSE_NEIGHBOUR] = {"bind both numbers at once, keep them, and try others if one is refused; "
                         "or give each socket port 0 of its own",
                         FIX_PORT_ZERO},
    [CAUSE_INHERITED_DESCRIPTOR] = {"keep the socket out of children: set close-on-exec, close it "
                                    "in the child after a fork, or end the child that has it with "
                                    "its parent",
                                    FIX_CLOSE_ON_EXEC},
    [CAUSE_PASSED_DESCRIPTOR] = {"have the process that was sent the socket close it, or wait "
                                 "until that has ended",
                                 FIX_NOTHING},
    [CAUSE_OWN_DESCRIPTOR] = {"use the socket that the process has already, or close it before "
                              "the bind",
                              FIX_NOTHING},
    [CAUSE_SAME_PROCESS] = {"close the first socket before the second is bound, or bind port 0",
                            FIX_CLOSE},
    [CAUSE_ACCEPTED_CONNECTION] = {"set SO_REUSEADDR before the bind, which passes over "
                                   "connections, or wait until the connection is closed",
                                   FIX_REUSE_ADDRESS},
    [CAUSE_CONNECTION_SOURCE_PORT] = {"use a number outside net.ipv4.ip_local_port_range, or put "
                                      "it into net.ipv4.ip_local_reserved_ports",
                                      FIX_NOTHING},
    [CAUSE_TIME_WAIT] = {"set SO_REUSEADDR before the bind, which passes over connections that "
                         "have ended",
                         FIX_REUSE_ADDRESS},
    [CAUSE_DUAL_STACK] = {"set IPV6_V6ONLY on the [::] socket, or use [::] alone for both families",
                          FIX_V6_ONLY},
    [CAUSE_OTHER_FAMILY] = {"use one literal address, 127.0.0.1 or ::1, for the server and its "
                            "clients, or another number for each copy",
                            FIX_NOTHING},
    [CAUSE_INHERITED_NUMBER] = {"do not hand the number down in the environment to programs that "
                                "bind it as well, or put 0 there",
                                FIX_NOTHING},
    [CAUSE_BOUND_NOT_LISTENING] = {"go on to the next number on EADDRINUSE: a connect that is "
                                   "refused does not show that a port is free",
                                   FIX_NOTHING},
    [CAUSE_SHORT_PROBE] = {"do not bind numbers that others use to see whether they are free: "
                           "share one allocator, or bind port 0",
                           FIX_PORT_ZERO},
    [CAUSE_LEFTOVER_PROCESS] = {"end the process that is left over before the test starts, or let "
                                "the test use port 0",
                                FIX_PORT_ZERO},
    [CAUSE_OUTSIDE_PROCESS] = {"use another number, or port 0: the holder is no part of this run",
                               FIX_PORT_ZERO},
    [CAUSE_FIXED_NUMBER] = {"let both use port 0, or end the one that has it before the other "
                            "starts",
                            FIX_PORT_ZERO},
    [CAUSE_REUSEPORT] = {"turn SO_REUSEPORT off, so that the second is refused (gRPC: "
                         "grpc.so_reuseport=0), or bind port 0",
                         FIX_PORT_ZERO},
    [CAUSE_UDP_PORT_ZERO] = {"do not set SO_REUSEPORT or SO_REUSEADDR on a UDP socket that asks "
                             "for port 0; set it after the bind, or on the others of the group",
                             FIX_NOTHING},
    [CAUSE_UDP_REUSEADDR] = {"do not set SO_REUSEADDR on UDP sockets that share nothing, or bind "
                             "port 0",
                             FIX_PORT_ZERO},
    [CAUSE_TCP_REUSEADDR] = {"do not set SO_REUSEADDR on both, or bind port 0: with it the bind "
                             "succeeds and the listen fails",
                             FIX_PORT_ZERO},
    [CAUSE_SELF_CONNECT] = {"in the client, compare getsockname with getpeername after a connect "
                            "to a local ephemeral port, and close and try again where they are "
                            "equal; in the server, keep the listener or use a number outside "
                            "net.ipv4.ip_local_port_range",
                            FIX_NOTHING},
    [CAUSE_RANGE_FULL] = {"release ports earlier, or widen net.ipv4.ip_local_port_range",
                          FIX_NOTHING},
    [CAUSE_HOLDER_NOT_SEEN] = {"who had it was gone, may not be looked at, or was not asked for "
                               "after 64 refusals in one process: give the test a port of its own, "
                               "by port 0",
                               FIX_PORT_ZERO},
};

/* What holds of a kind, whatever its cause. */
static const char *fix_of_kind(enum finding_kind kind) {
    switch (kind) {
    case FINDING_COLLISION:
        return "announce only what is bound and held";
    case FINDING_MODEL_DISAGREEMENT:
        return "none: please report it to the developers of portwitness, with this trace";
    case FINDING_STALE_PORT_CONNECT:
        return "keep the socket for as long as the number is used, or have the server prove who "
               "it is";
    case FINDING_LEFTOVER_PROCESS:
        return "end it when the command ends, for example by a trap or in a fixture's teardown";
    default:
        return NULL;
    }
}

/* Where the advice depends on more than the cause. */
static const char *fix_of_case(const struct finding *finding) {
    if (finding->cause == CAUSE_TIME_WAIT && finding->subject.reuse_address)
        return "SO_REUSEADDR is set here, but was not on the connection that has ended: set it "
               "there as well, let the other end close first, or bind port 0";
    if (finding->cause == CAUSE_ACCEPTED_CONNECTION && finding->subject.reuse_address)
        return "SO_REUSEADDR is set here, but was not on the listener that had accepted the "
               "connection: set it there as well, or wait until the connection is closed";
    if (finding->from_holder)
        return "close the socket that picked the number before another binds it, or hand that "
               "socket on instead of the number";
    if (finding->cause == CAUSE_FIXED_NUMBER && finding->holder == HOLDER_TRACE &&
        finding->other.requested_port == 0)
        return "use a number outside net.ipv4.ip_local_port_range, or put it into "
               "net.ipv4.ip_local_reserved_ports: port 0 gave it to the other; or use port 0 "
               "yourself";
    if (finding->cause == CAUSE_RANGE_FULL && finding->time_wait > finding->held)
        return "keep connections open and use them again, let the server close first, or widen "
               "net.ipv4.ip_local_port_range";
    return NULL;
}

/* The variable that holds the number is known where somebody was refused it. */
static bool name_variable(const struct finding *finding, char text[FIX_TEXT_SIZE]) {
    if (finding->cause != CAUSE_INHERITED_NUMBER || finding->variable == NULL)
        return false;
    bool is_node = strcmp(finding->variable, "NODE_OPTIONS") == 0;
    snprintf(text, FIX_TEXT_SIZE,
             "the number stands in %.64s, which children get as well: take it out of their "
             "environment, or put 0 in its place%s",
             finding->variable, is_node ? " (NODE_OPTIONS=--inspect=0)" : "");
    return true;
}

const char *fix_of(const struct check *check, const struct finding *finding,
                   char text[FIX_TEXT_SIZE]) {
    const struct advice *advice = &advices[finding->cause];
    const char *of_kind = fix_of_kind(finding->kind);
    const char *of_case = fix_of_case(finding);
    if (name_variable(finding, text))
        return text;
    if (of_kind == NULL && advice->text == NULL)
        return NULL;
    const char *words = of_kind == NULL ? fix_in_language(check, finding, advice->means) : NULL;
    snprintf(text, FIX_TEXT_SIZE, "%s%s%s%s",
             of_kind != NULL   ? of_kind
             : of_case != NULL ? of_case
                               : advice->text,
             words != NULL ? " (" : "", words != NULL ? words : "", words != NULL ? ")" : "");
    return text;
}
