/* Whoever reads of a finding in a CI log wants to know what to change. */
#include "harness/report/fix.h"

#include <netinet/in.h>
#include <stddef.h>

static const char keep_socket[] =
    "let the server bind port 0 itself and ask it for its number, or hand the bound socket on "
    "instead of the number";

static const char *fix_of_refusal(const struct finding *finding) {
    if (finding->elsewhere)
        return "pick the number with the protocol, the family and the address that will be bound: "
               "it was free where it was picked, and taken here";
    if (finding->holder == HOLDER_TIME_WAIT && finding->subject.reuse_address)
        return "SO_REUSEADDR is set here, but was not on the connection that has ended: set it "
               "there as well, let the other end close first, or bind port 0";
    if (finding->holder == HOLDER_TIME_WAIT && finding->endpoint.protocol == IPPROTO_TCP)
        return "set SO_REUSEADDR before the bind, which passes over connections that have ended";
    if (finding->holder == HOLDER_NOBODY)
        return "who had it was gone or may not be looked at: give the test a port of its own, by "
               "port 0";
    if (finding->holder == HOLDER_TABLE)
        return "end the process that is left over before the test starts, or let the test use "
               "port 0";
    return "let both use port 0, or end the one that has it before the other starts";
}

const char *fix_of(const struct finding *finding) {
    switch (finding->kind) {
    case FINDING_LOST_RACE:
    case FINDING_DOUBLE_HAND_OUT:
    case FINDING_RACE_WINDOW:
        return keep_socket;
    case FINDING_COLLISION:
        return "announce only what is bound and held";
    case FINDING_MODEL_DISAGREEMENT:
        return "none: please report it to the developers of portwitness, with this trace";
    case FINDING_ADDRESS_IN_USE:
        return fix_of_refusal(finding);
    case FINDING_REUSE_TRAP:
        return "do not set SO_REUSEADDR on both, or bind port 0: with it the bind succeeds and the "
               "listen fails";
    case FINDING_SELF_CONNECT:
        return "compare getsockname with getpeername after a connect to a local ephemeral port, "
               "and try again where they are equal";
    case FINDING_STALE_PORT_CONNECT:
        return "keep the socket for as long as the number is used, or have the server prove who "
               "it is";
    case FINDING_LEFTOVER_PROCESS:
        return "end it when the command ends, for example by a trap or in a fixture's teardown";
    case FINDING_EXHAUSTED:
        return "release ports earlier, or widen net.ipv4.ip_local_port_range";
    default:
        return NULL;
    }
}
