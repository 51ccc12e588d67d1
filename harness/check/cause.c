/* The names are part of the JSON form and of suppressions: new ones are added, old ones stay. */
#include "harness/check/cause.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    const char *meaning;
} causes[CAUSES] = {
    [CAUSE_RELEASED_NUMBER] = {"released-number",
                               "a number that port 0 gave was released and bound later by number"},
    [CAUSE_PROBED_BY_NUMBER] = {"probed-by-number",
                                "the loser had bound the number itself to see whether it is free, "
                                "and released it"},
    [CAUSE_DUPLICATE_PICK] = {"duplicate-pick",
                              "one picker was given the number twice and handed it to two"},
    [CAUSE_PICKED_ELSEWHERE] = {"picked-elsewhere",
                                "the number was picked with another protocol, address or family"},
    [CAUSE_OTHER_NAMESPACE] = {"other-namespace",
                               "the number was picked in another network namespace"},
    [CAUSE_HELD_PAIR] = {"held-pair",
                         "the process holds the number in one family or protocol and was refused "
                         "it in the other"},
    [CAUSE_NEIGHBOUR] = {"neighbour", "the number was counted up from one that port 0 gave"},
    [CAUSE_INHERITED_DESCRIPTOR] = {"inherited-descriptor",
                                    "the holder inherited the socket at a fork or an exec"},
    [CAUSE_PASSED_DESCRIPTOR] = {"passed-descriptor", "the holder was sent the socket"},
    [CAUSE_OWN_DESCRIPTOR] = {"own-descriptor",
                              "the process that was refused has the socket itself, inherited or "
                              "received"},
    [CAUSE_SAME_PROCESS] = {"same-process",
                            "the process that was refused had bound the port itself and not "
                            "closed it"},
    [CAUSE_ACCEPTED_CONNECTION] = {"accepted-connection",
                                   "the listener is gone; a connection that it accepted is open"},
    [CAUSE_CONNECTION_SOURCE_PORT] = {"connection-source-port",
                                      "the port is the source port of a connection"},
    [CAUSE_TIME_WAIT] = {"time-wait", "a connection that has ended keeps the port"},
    [CAUSE_DUAL_STACK] = {"dual-stack", "an IPv6 wildcard covers IPv4 as well"},
    [CAUSE_OTHER_FAMILY] = {"other-family",
                            "the process took the same number in the other family and then met "
                            "the holder"},
    [CAUSE_INHERITED_NUMBER] = {"inherited-number",
                                "the number came to both from one environment or command line"},
    [CAUSE_BOUND_NOT_LISTENING] = {"bound-not-listening",
                                   "the holder had bound the port and did not listen yet"},
    [CAUSE_SHORT_PROBE] = {"short-probe", "the holder never listened and released the port soon"},
    [CAUSE_LEFTOVER_PROCESS] = {"leftover-process", "the holder runs since before this run"},
    [CAUSE_OUTSIDE_PROCESS] = {"outside-process",
                               "the holder is no process of this run, and was started since it "
                               "began, or cannot be named"},
    [CAUSE_FIXED_NUMBER] = {"fixed-number", "two programs use one number"},
    [CAUSE_REUSEPORT] = {"reuseport", "SO_REUSEPORT lets two share one endpoint"},
    [CAUSE_UDP_PORT_ZERO] = {"udp-port-zero",
                             "port 0 gave a UDP number that another socket with a reuse option "
                             "has"},
    [CAUSE_UDP_REUSEADDR] = {"udp-reuseaddr", "SO_REUSEADDR lets two share one UDP endpoint"},
    [CAUSE_TCP_REUSEADDR] = {"tcp-reuseaddr",
                             "SO_REUSEADDR let two sockets be bound of which one can listen"},
    [CAUSE_SELF_CONNECT] = {"self-connect",
                            "a connection was given its destination's port as its own"},
    [CAUSE_RANGE_FULL] = {"range-full", "no port of the range was free"},
    [CAUSE_HOLDER_NOT_SEEN] = {"holder-not-seen", "nothing shows who had the port"},
};

const char *cause_name(enum finding_cause cause) { return causes[cause].name; }

enum finding_cause cause_of_name(const char *name) {
    enum finding_cause cause = CAUSE_NONE + 1;
    while (cause < CAUSES && strcmp(causes[cause].name, name) != 0)
        cause++;
    return cause;
}

bool cause_is_other_pick(enum finding_cause cause) {
    return cause == CAUSE_PICKED_ELSEWHERE || cause == CAUSE_OTHER_NAMESPACE;
}

const char *cause_meaning(enum finding_cause cause) { return causes[cause].meaning; }
