/* Tables from numbers to names, in one place, because all outputs must spell them alike. */
#include "harness/base/names.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/shared/trace_format.h"

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))
#define LOOK_UP(table, number) ((number) < COUNT_OF(table) ? (table)[number] : NULL)

static const char *const calls[] = {
#define CALL(number, result, name, parameters, arguments) [number] = #name,
#define CALL_PLAIN(number, result, name) [number] = #name,
#define CALL_VOID(number, name, parameters, arguments) [number] = #name,
#define CALL_OWN(number, result, name, parameters) [number] = #name,
#include "shim/shared/calls.def"
#undef CALL
#undef CALL_PLAIN
#undef CALL_VOID
#undef CALL_OWN
};

static const char *const kinds[] = {
    [PW_KIND_PROCESS_START] = "process-start",
    [PW_KIND_FORK] = "fork",
    [PW_KIND_EXEC] = "exec",
    [PW_KIND_EXEC_FAILED] = "exec-failed",
    [PW_KIND_PROCESS_EXIT] = "process-exit",
    [PW_KIND_SOCKET] = "socket",
    [PW_KIND_BIND] = "bind",
    [PW_KIND_LISTEN] = "listen",
    [PW_KIND_CONNECT] = "connect",
    [PW_KIND_DISCONNECT] = "disconnect",
    [PW_KIND_AUTOBIND] = "autobind",
    [PW_KIND_ACCEPT] = "accept",
    [PW_KIND_ADDRESS_READ] = "address-read",
    [PW_KIND_OPTION] = "option",
    [PW_KIND_DESCRIPTOR] = "descriptor",
    [PW_KIND_PASSED] = "passed",
    [PW_KIND_CLOSE] = "close",
    [PW_KIND_SHUTDOWN] = "shutdown",
    [PW_KIND_NAMESPACE] = "namespace",
    [PW_KIND_MODULE] = "module",
    [PW_KIND_STACK] = "stack",
    [PW_KIND_STRING] = "string",
    [PW_KIND_DESTROYED] = "destroyed",
    [PW_KIND_TABLE_ANSWER] = "table-answer",
    [PW_KIND_CLAIM] = "claim",
    [PW_KIND_MARKER] = "marker",
    [PW_KIND_BLIND_SPOT] = "blind-spot",
    [PW_KIND_LOST] = "lost",
    [PW_KIND_NUMBER_SOURCE] = "number-source",
    [PW_KIND_HOLDER] = "holder",
    [PW_KIND_LEFTOVER] = "leftover",
};

static const char *const sources[] = {
    [PW_SOURCE_SHIM] = "shim",
    [PW_SOURCE_RUN] = "run",
    [PW_SOURCE_KERNEL] = "kernel",
    [PW_SOURCE_SUPERVISOR] = "supervisor",
};

static const char *const families[] = {[AF_INET] = "inet", [AF_INET6] = "inet6"};

static const char *const types[] = {
    [SOCK_STREAM] = "stream", [SOCK_DGRAM] = "dgram",         [SOCK_RAW] = "raw",
    [SOCK_RDM] = "rdm",       [SOCK_SEQPACKET] = "seqpacket", [SOCK_DCCP] = "dccp",
};

static const char *const blind_spots[] = {
    [PW_BLIND_STATIC] = "static program",
    [PW_BLIND_SETUID] = "setuid, setgid or capabilities",
    [PW_BLIND_ARCHITECTURE] = "other architecture",
    [PW_BLIND_NO_ACCESS] = "may not open the trace",
    [PW_BLIND_UNREACHABLE] = "cannot reach the shim or the trace",
    [PW_BLIND_UNREADABLE] = "program file not readable",
    [PW_BLIND_NOT_FOLLOWED] = "not followed",
    [PW_BLIND_CONTAINER] = "container daemon",
    [PW_BLIND_UNSEEN] = "never reported",
    [PW_BLIND_NAMESPACE] = "other network namespace",
    [PW_BLIND_OWN_CALLS] = "Go program that calls the kernel itself",
    [PW_BLIND_SANDBOXED] = "sandboxed",
    [PW_BLIND_DEPARTED] = "left the command's control group",
    [PW_BLIND_UNEXAMINED] = "no descriptor free to look at it",
    [PW_BLIND_OTHER_TRACE] = "in another run's trace",
};

static const char *const outcomes[] = {[PW_OUTCOME_PASSED] = "passed",
                                       [PW_OUTCOME_FAILED] = "failed",
                                       [PW_OUTCOME_SKIPPED] = "skipped"};

static const char *const losses[] = {
    [PW_LOST_MAX_SIZE] = "records over the maximal size",
    [PW_LOST_DISK_FULL] = "records on a full disk",
    [PW_LOST_NO_ADDRESS_SPACE] = "records without address space",
    [PW_LOST_NOT_POPULATED] = "records without room made for them",
    [PW_LOST_NOTICES] = "overflows of the kernel's notices",
    [PW_LOST_PROCESS_ENDS] = "ends of processes",
    [PW_LOST_SOCKETS] = "sockets that a sandbox hid",
    [PW_LOST_NAMESPACES] = "descriptions of network namespaces",
    [PW_LOST_EVENTS] = "events of the kernel",
    [PW_LOST_CALLS] = "calls not looked at",
};

static const char *const options[] = {
    [PW_OPTION_REUSEADDR] = "reuseaddr",
    [PW_OPTION_REUSEPORT] = "reuseport",
    [PW_OPTION_V6ONLY] = "v6only",
    [PW_OPTION_FREEBIND] = "freebind",
    [PW_OPTION_TRANSPARENT] = "transparent",
    [PW_OPTION_BIND_ADDRESS_NO_PORT] = "bind-address-no-port",
    [PW_OPTION_LOCAL_PORT_RANGE] = "local-port-range",
    [PW_OPTION_LINGER] = "linger",
    [PW_OPTION_DEVICE] = "device",
    [PW_OPTION_MULTICAST] = "multicast",
    [PW_OPTION_BROADCAST] = "broadcast",
};

static const struct {
    uint64_t bit;
    const char *name;
} flags[] = {
    {PW_FLAG_REUSEADDR, "reuseaddr"},
    {PW_FLAG_REUSEPORT, "reuseport"},
    {PW_FLAG_V6ONLY, "v6only"},
    {PW_FLAG_FREEBIND, "freebind"},
    {PW_FLAG_TRANSPARENT, "transparent"},
    {PW_FLAG_BIND_ADDRESS_NO_PORT, "bind-address-no-port"},
    {PW_FLAG_LOCAL_PORT_RANGE, "local-port-range"},
    {PW_FLAG_LINGER_ZERO, "linger-zero"},
    {PW_FLAG_LISTENING, "listening"},
    {PW_FLAG_BY_NUMBER, "by-number"},
    {PW_FLAG_PORT_ZERO, "port-zero"},
    {PW_FLAG_IN_PROGRESS, "in-progress"},
    {PW_FLAG_HAS_REQUESTED, "has-requested"},
    {PW_FLAG_HAS_ASSIGNED, "has-assigned"},
    {PW_FLAG_HAS_PEER, "has-peer"},
    {PW_FLAG_TEXT_CUT, "text-cut"},
    {PW_FLAG_HAS_FRAMES, "has-frames"},
    {PW_FLAG_STRANGER, "stranger"},
    {PW_FLAG_IN_ARGUMENTS, "in-arguments"},
    {PW_FLAG_IN_ENVIRONMENT, "in-environment"},
    {PW_FLAG_SEARCH_CUT, "search-cut"},
    {PW_FLAG_IN_ANCESTORS(7), "in-ancestors"},
    {PW_FLAG_VFORK_CHILD, "vfork-child"},
    {PW_FLAG_CANCELLED, "cancelled"},
    {PW_FLAG_ERROR_INFERRED, "error-inferred"},
    {PW_FLAG_OTHERS_SEE, "others-see"},
    {PW_FLAG_BY_FORK, "by-fork"},
    {PW_FLAG_BY_EXEC, "by-exec"},
    {PW_FLAG_RESTORED, "restored"},
    {PW_FLAG_DUPLICATED, "duplicated"},
    {PW_FLAG_INHERITED, "inherited"},
    {PW_FLAG_RECEIVED, "received"},
    {PW_FLAG_RELEASE_INFERRED, "release-inferred"},
    {PW_FLAG_TIME_WAIT, "time-wait"},
    {PW_FLAG_POLICY, "policy"},
    {PW_FLAG_POLICY_BY_NUMBER, "policy-by-number"},
    {PW_FLAG_POLICY_EARLY, "policy-early"},
    {PW_FLAG_POLICY_LEFT, "policy-left"},
    {PW_FLAG_POLICY_KEPT, "policy-kept"},
    {PW_FLAG_SIGNALLED, "signalled"},
    {PW_FLAG_ADDRESS_READ, "address-read"},
    {PW_FLAG_STATUS_KNOWN, "status-known"},
    {PW_FLAG_MARKER_END, "marker-end"},
    {PW_FLAG_MARKER_ENVIRONMENT, "marker-environment"},
};

const char *name_of_outcome(unsigned outcome) { return LOOK_UP(outcomes, outcome); }

unsigned outcome_of_name(const char *name) {
    for (unsigned i = 1; i < COUNT_OF(outcomes); i++)
        if (strcmp(outcomes[i], name) == 0)
            return i;
    return 0;
}

const char *name_of_call(unsigned call) { return LOOK_UP(calls, call); }

const char *name_of_kind(unsigned kind) { return LOOK_UP(kinds, kind); }

const char *name_of_source(unsigned source) { return LOOK_UP(sources, source); }

const char *name_of_family(unsigned family) { return LOOK_UP(families, family); }

const char *name_of_type(unsigned type) { return LOOK_UP(types, type); }

const char *name_of_blind_spot(unsigned blind) { return LOOK_UP(blind_spots, blind); }

const char *name_of_loss(unsigned cause) { return LOOK_UP(losses, cause); }

const char *name_of_option(unsigned option) { return LOOK_UP(options, option); }

const char *name_of_flag(uint64_t bit) {
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if (flags[i].bit == bit)
            return flags[i].name;
    return NULL;
}

const char *name_of_protocol(unsigned type, unsigned protocol) {
    if (protocol == 0)
        protocol = type == SOCK_STREAM ? IPPROTO_TCP : type == SOCK_DGRAM ? IPPROTO_UDP : 0;
    switch (protocol) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_UDPLITE:
        return "udplite";
    case IPPROTO_SCTP:
        return "sctp";
    case IPPROTO_DCCP:
        return "dccp";
    case IPPROTO_ICMP:
        return "icmp";
    case IPPROTO_ICMPV6:
        return "icmp6";
    case 262: /* IPPROTO_MPTCP, younger than the oldest C library that we build with */
        return "mptcp";
    default:
        return NULL;
    }
}

const char *name_of_frame_owner(unsigned of) {
    static const char *const names[] = {[PW_FRAME_LIBRARY] = "library",
                                        [PW_FRAME_FRAMEWORK] = "framework",
                                        [PW_FRAME_DEPENDENCY] = "dependency",
                                        [PW_FRAME_USER] = "user"};
    return of < sizeof names / sizeof *names ? names[of] : NULL;
}
