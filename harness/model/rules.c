/* The rules by name and in words, and how often each decided: explain prints them, the property
 * test counts them. */
#include <stddef.h>

#include "harness/model/model.h"

static const struct {
    const char *name;
    const char *words;
} rules[MODEL_RULES] = {
    [RULE_NONE] = {"none", "nothing had to be decided"},
    [RULE_NO_OVERLAP] = {"no-overlap", "the addresses do not overlap"},
    [RULE_WILDCARD] = {"wildcard", "a wildcard overlaps every address of its family"},
    [RULE_DUAL_STACK] = {"dual-stack", ":: without V6ONLY overlaps IPv4 addresses as well"},
    [RULE_V6ONLY] = {"v6only", "V6ONLY keeps IPv4 out"},
    [RULE_MAPPED] = {"mapped", "::ffff:a.b.c.d is the IPv4 address"},
    [RULE_PROTOCOL] = {"protocol", "TCP and UDP have ports of their own"},
    [RULE_DEVICE] = {"device", "the sockets are bound to different devices"},
    [RULE_REUSEADDR] = {"reuseaddr", "both set SO_REUSEADDR, and the other does not listen"},
    [RULE_LISTENING] = {"listening", "both set SO_REUSEADDR, but the other listens"},
    [RULE_REUSEPORT] = {"reuseport", "both set SO_REUSEPORT, and one user made them"},
    [RULE_USER] = {"user", "both set SO_REUSEPORT, but different users made them"},
    [RULE_BUCKET_REUSEPORT] = {"bucket-reuseport",
                               "the port remembers SO_REUSEPORT, this user and such an address, so "
                               "the kernel does not look at its sockets"},
    [RULE_FIRST_DECIDES] = {"first-decides", "the first socket in the way shares by SO_REUSEPORT, "
                                             "and the kernel looks no further"},
    [RULE_PLAIN_CONFLICT] = {"conflict", "another socket has the port, and no option lets them "
                                         "share it"},
    [RULE_LISTEN_CONFLICT] = {"listen-conflict",
                              "listen asks again, and another socket has the port"},
    [RULE_AUTO_STRICT] = {"auto-strict", "for port 0 no option lets a port be shared"},
    [RULE_PARITY] = {"parity",
                     "ports of the other parity than the range's low end first, then the rest"},
    [RULE_LOWER_HALF] = {"lower-half", "with SO_REUSEADDR the lower half of the range first"},
    [RULE_ODD_TOP] = {"odd-top",
                      "in a range of odd size the search can miss the top port, or the bottom one"},
    [RULE_ANY_FREE] = {"any-free", "any free port of the range"},
    [RULE_CONNECT_PARITY] = {"connect-parity",
                             "for a connect, ports of the low end's parity first, then the rest"},
    [RULE_CONNECT_SHARES] = {"connect-shares",
                             "a port that connections alone use may serve another peer"},
    [RULE_RESERVED] = {"reserved", "reserved ports are not given"},
    [RULE_SOCKET_RANGE] = {"socket-range", "the socket's own range narrows the system's"},
    [RULE_EXHAUSTED] = {"exhausted", "no port of the range is left"},
    [RULE_PRIVILEGED] = {"privileged", "ports below 1024 need a privilege"},
    [RULE_NOT_LOCAL] = {"not-local", "the address is not one of this host's, or not the device's"},
    [RULE_BOUND_BEFORE] = {"bound-before", "the socket is bound already"},
    [RULE_FAMILY] = {"family", "the address is of another family than the socket allows"},
    [RULE_STATE] = {"state", "the socket's state does not allow the call"},
    [RULE_NO_PORT] = {"no-port", "IP_BIND_ADDRESS_NO_PORT: the port comes with connect or listen"},
    [RULE_PORT_LOCK] = {"port-lock", "a port that was bound by number is kept"},
    [RULE_PORT_LOST] = {"port-lost", "a port that was not bound by number is released"},
    [RULE_CONNECTED_ADDRESS] = {"connected-address",
                                "a connected socket has the address that it speaks from"},
    [RULE_TIME_WAIT] = {"time-wait", "a connection that was closed keeps its port for a while"},
    [RULE_CONNECTION_EXISTS] = {"connection-exists", "there is a connection between these two"},
    [RULE_REFUSED] = {"refused", "nobody listens there"},
    [RULE_FREE] = {"free", "nothing is in the way"},
};

const char *model_rule_name(enum model_rule rule) { return rules[rule].name; }

const char *model_rule_words(enum model_rule rule) { return rules[rule].words; }

void model_hit(const struct model *model, enum model_rule rule) {
    if (model->hits != NULL)
        model->hits[rule]++;
}
