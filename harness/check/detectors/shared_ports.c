/* SO_REUSEPORT, and SO_REUSEADDR over UDP, let two sockets have one endpoint, and the kernel deals
 * out among them what comes in. That is what workers of one server want, and what two programs that
 * do not know of each other never notice: one answers what was meant for the other. */
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "harness/check/ancestry.h"
#include "harness/check/detectors/detectors.h"
#include "harness/check/held.h"

#define GRACE_NS UINT64_C(500000000)

struct sharing {
    const struct history *history;
    struct findings *findings;
    struct indexes open; /* of one port: those with a reuse option that may have it still */
};

static const struct binding *binding_of(const struct history *history, uint32_t index) {
    return &history->bindings.list[index];
}

/* For one host alone: a group or a broadcast goes to all of its sockets. */
static bool is_for_all(const struct history *history, uint32_t index) {
    const struct endpoint endpoint = history_endpoint(history, index);
    const uint8_t *address = endpoint.address;
    static const uint8_t broadcast[] = {255, 255, 255, 255};
    bool is_v4 = endpoint.family == AF_INET;
    return history->requests[index].device != 0 ||
           map_get(&history->of_group, history->requests[index].cookie) != MAP_NONE ||
           (is_v4 && ((address[12] & 0xf0) == 0xe0 || memcmp(address + 12, broadcast, 4) == 0)) ||
           (!is_v4 && address[0] == 0xff);
}

/* What the kernel deals out: connections to those that listen, datagrams to those bound. */
static uint64_t common_options(const struct history *history, uint32_t one, uint32_t other) {
    const struct request *a = &history->requests[one];
    const struct request *b = &history->requests[other];
    const uint64_t both = a->flags & b->flags & (PW_FLAG_REUSEPORT | PW_FLAG_REUSEADDR);
    if (history_is_udp(history, one))
        return both;
    return a->listen_ns != 0 && b->listen_ns != 0 ? both & PW_FLAG_REUSEPORT : 0;
}

static bool do_meet(const struct history *history, uint32_t older, uint32_t younger) {
    const struct endpoint one = history_endpoint(history, older);
    const struct endpoint other = history_endpoint(history, younger);
    const struct binding *a = binding_of(history, older);
    const struct binding *b = binding_of(history, younger);
    return endpoints_overlap(&one, &other) && a->netns != 0 && a->netns == b->netns &&
           history->requests[older].cookie != history->requests[younger].cookie &&
           history->requests[older].end_ns <= b->begin_ns &&
           common_options(history, older, younger) != 0 && !is_for_all(history, older) &&
           !is_for_all(history, younger);
}

static const char *command_of(const struct history *history, uint64_t serial) {
    const struct process *process = machine_process(history->machine, serial);
    const struct check_trace *trace = &history->machine->check->traces[MACHINE_TRACE(serial)];
    const char *command = process != NULL ? process_command(&trace->processes, process) : NULL;
    return command != NULL ? command : "";
}

/* Are these the same but for digits? "worker 1", "worker 2" are. */
static bool is_alike(const char *one, const char *other) {
    while (*one != '\0' || *other != '\0') {
        if (isdigit((unsigned char)*one) && isdigit((unsigned char)*other)) {
            one += strspn(one, "0123456789");
            other += strspn(other, "0123456789");
        } else if (*one++ != *other++) {
            return false;
        }
    }
    return true;
}

/* Whoever starts anything, and knows nothing of what it starts. */
static bool is_runner(const struct history *history, uint64_t serial) {
    static const char *const names[] = {
        "sh",   "bash",  "dash",   "zsh",   "ksh",     "fish", "busybox",
        "make", "gmake", "ninja",  "npm",   "npx",     "yarn", "pnpm",
        "go",   "cargo", "gradle", "mvn",   "pytest",  "tox",  "parallel",
        "bats", "prove", "ctest",  "xargs", "timeout", "env",  "unshare"};
    static const char *const words[] = {"pytest", "unittest", "jest", "mocha", "--test", "npm"};
    const struct process *process = machine_process(history->machine, serial);
    const char *command = command_of(history, serial);
    if (process == NULL)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(process->comm, names[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(command, words[i]) != NULL)
            return true;
    return false;
}

/* Has the process, or an image of it, bound this endpoint itself? */
static bool has_bound(const struct history *history, uint64_t process, uint32_t index) {
    const struct endpoint endpoint = history_endpoint(history, index);
    for (uint32_t i = history->first_of_port[endpoint.port];
         i < history->first_of_port[endpoint.port + 1]; i++) {
        const struct endpoint other = history_endpoint(history, history->by_port[i]);
        if (endpoints_overlap(&endpoint, &other) &&
            ancestry_is_same(history->machine, binding_of(history, history->by_port[i])->process,
                             process))
            return true;
    }
    return false;
}

/* Workers of one server: who is above both shares the endpoint, or started two of a kind. */
static bool is_meant(const struct history *history, uint32_t older, uint32_t younger) {
    uint64_t one = binding_of(history, older)->process;
    uint64_t other = binding_of(history, younger)->process;
    if (ancestry_is_same(history->machine, one, other))
        return true;
    uint64_t above = ancestry_common(history->machine, one, other);
    if (above == 0 || is_runner(history, above))
        return false;
    return has_bound(history, above, younger) ||
           is_alike(command_of(history, one), command_of(history, other));
}

static bool is_same_program(const struct history *history, uint64_t one, uint64_t other) {
    const struct process *a = machine_process(history->machine, one);
    const struct process *b = machine_process(history->machine, other);
    return a != NULL && b != NULL && strcmp(a->comm, b->comm) == 0;
}

/* Whoever connects to the endpoint means its own listener. */
static bool still_expects_answers(const struct history *history, uint32_t older, uint64_t ns) {
    const struct endpoint endpoint = history_endpoint(history, older);
    for (size_t i = 0; i < history->connection_count; i++) {
        const struct call *call = &history->connections[i].call;
        if (call->begin_ns >= ns && endpoints_overlap(&call->endpoint, &endpoint) &&
            ancestry_is_same(history->machine, call->process, binding_of(history, older)->process))
            return true;
    }
    return false;
}

/* The older one accepts nothing once the younger listens, and ends: a restart without a gap. Over
 * UDP nobody sees who receives. */
static bool is_handover(const struct history *history, uint32_t older, uint32_t younger) {
    const struct binding *a = binding_of(history, older);
    const struct binding *b = binding_of(history, younger);
    bool is_udp = history_is_udp(history, older);
    if (!is_same_program(history, a->process, b->process) || a->to_ns == 0 ||
        (b->to_ns != 0 && b->to_ns <= a->to_ns))
        return false;
    if (is_udp)
        return is_alike(command_of(history, a->process), command_of(history, b->process));
    uint64_t listens_ns = history->requests[younger].listen_ns;
    /* Told to stop only then, it may still accept for a moment. */
    uint64_t grace_ns =
        is_alike(command_of(history, a->process), command_of(history, b->process)) ? GRACE_NS : 0;
    return history->requests[older].accepted_ns <= listens_ns + grace_ns &&
           !still_expects_answers(history, older, listens_ns);
}

static bool has_served(const struct history *history, uint32_t index) {
    return binding_of(history, index)->first_accepted != MAP_NONE;
}

static void add(const struct sharing *sharing, uint32_t older, uint32_t younger) {
    const struct history *history = sharing->history;
    bool is_udp = history_is_udp(history, younger);
    bool by_zero = is_udp && binding_of(history, younger)->requested_port == 0;
    bool reuseport = (common_options(history, older, younger) & PW_FLAG_REUSEPORT) != 0;
    struct finding *finding = findings_add(sharing->findings, FINDING_SHARED_PORT);
    finding->cause = by_zero     ? CAUSE_UDP_PORT_ZERO
                     : reuseport ? CAUSE_REUSEPORT
                                 : CAUSE_UDP_REUSEADDR;
    finding->subject = history_call(history, younger);
    finding->other = history_call(history, older);
    finding->holder = HOLDER_TRACE;
    finding->how = HOW_BOUND;
    finding->endpoint = finding->subject.endpoint;
    finding->netns = binding_of(history, younger)->netns;
    finding->ns = finding->subject.begin_ns;
    finding->both_served = by_zero || (has_served(history, older) && has_served(history, younger));
    finding->certainty = certainty_if(by_zero && binding_of(history, older)->certainty == CERTAIN &&
                                      binding_of(history, younger)->certainty == CERTAIN);
}

static void detect(struct sharing *sharing, uint32_t younger) {
    const struct history *history = sharing->history;
    const struct binding *bound = binding_of(history, younger);
    size_t kept = 0;
    bool told = false;
    for (size_t i = 0; i < sharing->open.count; i++) {
        uint32_t older = sharing->open.list[i];
        if (held_released(history, older, bound->begin_ns) != RELEASE_NOT_SEEN)
            continue;
        sharing->open.list[kept++] = older;
        bool by_zero = history_is_udp(history, younger) && bound->requested_port == 0;
        if (told || !do_meet(history, older, younger) ||
            (!by_zero &&
             (is_meant(history, older, younger) || is_handover(history, older, younger))))
            continue;
        add(sharing, older, younger);
        told = true;
    }
    sharing->open.count = kept;
    indexes_append(&sharing->open, younger);
}

void detect_shared_ports(const struct history *history, struct findings *findings) {
    const uint64_t reuse = PW_FLAG_REUSEPORT | PW_FLAG_REUSEADDR;
    struct sharing sharing = {.history = history, .findings = findings};
    for (unsigned port = 1; port < SELECTION_PORTS; port++) {
        sharing.open.count = 0;
        for (uint32_t i = history->first_of_port[port]; i < history->first_of_port[port + 1]; i++) {
            uint32_t index = history->by_port[i];
            if (binding_of(history, index)->from_ns != 0 &&
                history->requests[index].kind == PW_KIND_BIND &&
                (history->requests[index].flags & reuse) != 0)
                detect(&sharing, index);
        }
    }
    free(sharing.open.list);
}
