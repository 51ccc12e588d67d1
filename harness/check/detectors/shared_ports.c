/* SO_REUSEPORT, and SO_REUSEADDR over UDP, let two sockets have one endpoint, and the kernel deals
 * out among them what comes in. That is what workers of one server want, and what two programs that
 * do not know of each other never notice: one answers what was meant for the other. */
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/check/ancestry.h"
#include "harness/check/detectors/detectors.h"
#include "harness/check/held.h"
#include "harness/check/relatives.h"

#define GRACE_NS UINT64_C(500000000)

/* One that may share its port. What is asked of each pair is kept with it. */
struct sharer {
    uint32_t index;
    bool is_for_all;
    uint64_t process; /* by its first image */
    uint64_t parent;
    uint64_t command; /* equal for those that are alike */
    struct endpoint endpoint;
};

/* While the binds of one port are gone through in the order of time. */
struct sharing {
    const struct history *history;
    struct findings *findings;
    struct sharer *open; /* those with a reuse option that may have it still */
    size_t open_count, room;
    struct { /* what was found of the latest pair's common ancestor */
        uint32_t younger;
        uint64_t process;
        bool is_server; /* runs no other programs, and has bound the endpoint */
        bool is_runner;
    } above;
    struct relatives bound;     /* all requests for the port, by their places in by_port */
    struct relatives connected; /* all connections to it */
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

static bool do_meet(const struct history *history, const struct sharer *older,
                    const struct sharer *younger) {
    const struct binding *a = binding_of(history, older->index);
    const struct binding *b = binding_of(history, younger->index);
    return endpoints_overlap(&older->endpoint, &younger->endpoint) && a->netns != 0 &&
           a->netns == b->netns && !older->is_for_all && !younger->is_for_all &&
           history->requests[older->index].cookie != history->requests[younger->index].cookie &&
           history->requests[older->index].end_ns <= b->begin_ns &&
           common_options(history, older->index, younger->index) != 0;
}

static const char *command_of(const struct history *history, uint64_t serial) {
    const struct process *process = machine_process(history->machine, serial);
    const struct check_trace *trace = &history->machine->check->traces[MACHINE_TRACE(serial)];
    const char *command = process != NULL ? process_command(&trace->processes, process) : NULL;
    return command != NULL ? command : "";
}

/* FNV-1a, equal for those that are the same but for digits: "worker 1", "worker 2". */
static uint64_t hash_of_command(const char *command) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *at = command; *at != '\0'; at++) {
        if (isdigit((unsigned char)*at))
            at += strspn(at, "0123456789") - 1;
        hash = (hash ^ (isdigit((unsigned char)*at) ? '0' : (unsigned char)*at)) *
               UINT64_C(0x100000001b3);
    }
    return hash;
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
static bool has_bound(struct sharing *sharing, uint64_t process, uint32_t index) {
    const struct history *history = sharing->history;
    const struct endpoint endpoint = history_endpoint(history, index);
    uint32_t place;
    relatives_seek_own(&sharing->bound, process);
    while ((place = relatives_next(&sharing->bound)) != MAP_NONE) {
        const struct endpoint other = history_endpoint(history, history->by_port[place]);
        if (endpoints_overlap(&endpoint, &other))
            return true;
    }
    return false;
}

static void look_above(struct sharing *sharing, uint64_t above, uint32_t younger) {
    if (sharing->above.process == above && sharing->above.younger == younger)
        return;
    sharing->above.process = above;
    sharing->above.younger = younger;
    sharing->above.is_runner = is_runner(sharing->history, above);
    sharing->above.is_server = !sharing->above.is_runner && has_bound(sharing, above, younger);
}

/* Workers of one server: who is above both shares the endpoint, or started two of a kind. */
static bool is_meant(struct sharing *sharing, const struct sharer *older,
                     const struct sharer *younger) {
    if (older->process != 0 && older->process == younger->process)
        return true;
    uint64_t above =
        older->parent != 0 && older->parent == younger->parent
            ? older->parent
            : ancestry_common(sharing->history->machine, older->process, younger->process);
    if (above == 0)
        return false;
    look_above(sharing, above, younger->index);
    return sharing->above.is_server ||
           (!sharing->above.is_runner && older->command == younger->command);
}

static bool is_same_program(const struct history *history, uint64_t one, uint64_t other) {
    const struct process *a = machine_process(history->machine, one);
    const struct process *b = machine_process(history->machine, other);
    return a != NULL && b != NULL && strcmp(a->comm, b->comm) == 0;
}

/* Whoever connects to the endpoint means its own listener. */
static bool still_expects_answers(struct sharing *sharing, uint32_t older, uint64_t ns) {
    const struct history *history = sharing->history;
    const struct endpoint endpoint = history_endpoint(history, older);
    uint32_t i;
    relatives_seek_own(&sharing->connected, binding_of(history, older)->process);
    while ((i = relatives_next(&sharing->connected)) != MAP_NONE) {
        const struct call *call = &history->connections[i].call;
        if (call->begin_ns < ns)
            return false;
        if (endpoints_overlap(&call->endpoint, &endpoint))
            return true;
    }
    return false;
}

/* The older one accepts nothing once the younger listens, and ends: a restart without a gap. Over
 * UDP nobody sees who receives. */
static bool is_handover(struct sharing *sharing, const struct sharer *older,
                        const struct sharer *younger) {
    const struct history *history = sharing->history;
    const struct binding *a = binding_of(history, older->index);
    const struct binding *b = binding_of(history, younger->index);
    bool is_udp = older->endpoint.protocol == IPPROTO_UDP;
    if (!is_same_program(history, a->process, b->process) || a->to_ns == 0 ||
        (b->to_ns != 0 && b->to_ns <= a->to_ns))
        return false;
    if (is_udp)
        return older->command == younger->command;
    uint64_t listens_ns = history->requests[younger->index].listen_ns;
    /* Told to stop only then, it may still accept for a moment. */
    uint64_t grace_ns = older->command == younger->command ? GRACE_NS : 0;
    return history->requests[older->index].accepted_ns <= listens_ns + grace_ns &&
           !still_expects_answers(sharing, older->index, listens_ns);
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

static struct sharer make_sharer(const struct history *history, uint32_t index) {
    uint64_t process = binding_of(history, index)->process;
    return (struct sharer){.index = index,
                           .is_for_all = is_for_all(history, index),
                           .process = ancestry_process(history->machine, process),
                           .parent = ancestry_parent(history->machine, process),
                           .command = hash_of_command(command_of(history, process)),
                           .endpoint = history_endpoint(history, index)};
}

static bool is_unknown_to(struct sharing *sharing, const struct sharer *older,
                          const struct sharer *younger) {
    bool by_zero = younger->endpoint.protocol == IPPROTO_UDP &&
                   binding_of(sharing->history, younger->index)->requested_port == 0;
    return do_meet(sharing->history, older, younger) &&
           (by_zero ||
            (!is_meant(sharing, older, younger) && !is_handover(sharing, older, younger)));
}

static void detect(struct sharing *sharing, uint32_t index) {
    const struct history *history = sharing->history;
    const struct sharer younger = make_sharer(history, index);
    uint64_t begin_ns = binding_of(history, index)->begin_ns;
    size_t kept = 0;
    bool told = false;
    for (size_t i = 0; i < sharing->open_count; i++) {
        const struct sharer *older = &sharing->open[i];
        if (held_released(history, older->index, begin_ns) != RELEASE_NOT_SEEN)
            continue;
        if (!told && is_unknown_to(sharing, older, &younger)) {
            add(sharing, older->index, index);
            told = true;
        }
        sharing->open[kept++] = *older;
    }
    sharing->open = memory_grow(sharing->open, &sharing->room, kept + 1, sizeof *sharing->open);
    sharing->open[kept++] = younger;
    sharing->open_count = kept;
}

static bool may_share(const struct history *history, uint32_t index) {
    const uint64_t reuse = PW_FLAG_REUSEPORT | PW_FLAG_REUSEADDR;
    return binding_of(history, index)->from_ns != 0 &&
           history->requests[index].kind == PW_KIND_BIND &&
           (history->requests[index].flags & reuse) != 0;
}

/* What is looked up of a port that at least two may share. */
static bool gather(struct sharing *sharing, unsigned port) {
    const struct history *history = sharing->history;
    unsigned count = 0;
    for (uint32_t i = history->first_of_port[port]; i < history->first_of_port[port + 1]; i++)
        count += may_share(history, history->by_port[i]);
    if (count < 2)
        return false;
    for (uint32_t i = history->first_of_port[port]; i < history->first_of_port[port + 1]; i++)
        relatives_note(&sharing->bound, binding_of(history, history->by_port[i])->process, i);
    relatives_note_connections(&sharing->connected, history, port);
    return true;
}

static void detect_on(struct sharing *sharing, unsigned port) {
    const struct history *history = sharing->history;
    sharing->open_count = 0;
    for (uint32_t i = history->first_of_port[port]; i < history->first_of_port[port + 1]; i++)
        if (may_share(history, history->by_port[i]))
            detect(sharing, history->by_port[i]);
    relatives_clear(&sharing->bound);
    relatives_clear(&sharing->connected);
}

void detect_shared_ports(const struct history *history, struct findings *findings) {
    struct sharing sharing = {.history = history,
                              .findings = findings,
                              .bound = {.machine = history->machine},
                              .connected = {.machine = history->machine}};
    for (unsigned port = 1; port < SELECTION_PORTS; port++)
        if (gather(&sharing, port))
            detect_on(&sharing, port);
    free(sharing.open);
    relatives_free(&sharing.bound);
    relatives_free(&sharing.connected);
}
