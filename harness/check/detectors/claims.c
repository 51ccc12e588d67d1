/* A claim that is proved went one of three ways: its bind by number failed, another claim on the
 * number overlapped it, or it went well, though anybody could have come in between. */
#include <stdlib.h>

#include "harness/base/memory.h"
#include "harness/check/ancestry.h"
#include "harness/check/detectors/detectors.h"
#include "harness/check/held.h"
#include "harness/check/holders.h"
#include "harness/check/holding.h"
#include "harness/check/proofs.h"

/* TCP_TIMEWAIT_LEN (include/net/tcp.h), less what a timer may be early. */
#define TIME_WAIT_NS UINT64_C(59000000000)

static uint64_t tagged_unit(const struct history *history, uint32_t index) {
    return history->bindings.list[index].unit;
}

static struct finding *add(const struct history *history, struct findings *findings,
                           enum finding_kind kind, uint32_t attempt) {
    const struct request *request = &history->requests[attempt];
    struct finding *finding = findings_add(findings, kind);
    const struct binding *given = &history->bindings.list[request->proves];
    finding->subject = history_call(history, attempt);
    finding->assigned = history_call(history, request->proves);
    finding->endpoint = finding->subject.endpoint;
    finding->netns = history->bindings.list[attempt].netns;
    finding->ns = finding->subject.begin_ns;
    finding->certainty = request->proof_certainty;
    finding->times = 1 + request->times;
    if (given->to_ns != 0 && given->to_ns <= finding->subject.end_ns) {
        finding->released_from_ns = request->proves != MAP_NONE ? given->from_ns : 0;
        finding->released_to_ns = given->to_ns;
    }
    finding->release_inferred = given->to_ns == 0 || given->end_known_by == END_INFERRED ||
                                given->to_ns > finding->subject.begin_ns;
    return finding;
}

/* One who was given the number twice handed it to two. */
static void set_cause(const struct history *history, struct finding *finding) {
    const struct call *other = &finding->other;
    if (finding->other_assigned.process != 0 &&
        ancestry_is_same(history->machine, finding->assigned.process,
                         finding->other_assigned.process))
        finding->cause = CAUSE_DUPLICATE_PICK;
    else if (finding->how == HOW_CONNECTION && call_is_self_connect(other))
        finding->cause = CAUSE_SELF_CONNECT;
}

static bool began_after(const struct history *history, const struct holder_found *taker,
                        uint32_t assignment) {
    return taker->binding != MAP_NONE && taker->binding != assignment &&
           history->bindings.list[taker->binding].begin_ns >= history->requests[assignment].end_ns;
}

/* The port went to somebody after the assignment, so the assignment had ended by then. */
static bool proves_release(const struct history *history, const struct holder_found *taker,
                           uint32_t assignment) {
    return began_after(history, taker, assignment) && taker->certainty == CERTAIN &&
           !history_may_share(history, taker->binding, assignment,
                              history->bindings.list[taker->binding].begin_ns, false);
}

/* Its own connections, in TIME_WAIT, kept it out: nobody took the port. */
static bool is_own_time_wait(const struct history *history, const struct holder_found *holder,
                             uint32_t assignment) {
    if (holder->source != HOLDER_TIME_WAIT)
        return false;
    return holder->binding == assignment ||
           history->bindings.list[assignment].first_accepted != MAP_NONE;
}

/* The very socket that was given the number is in the way: another process than the one that was
 * given it has it, inherited or sent. */
static bool is_handed_on(const struct history *history, const struct holder_found *holder,
                         uint32_t assignment, uint32_t attempt) {
    const struct binding *bound = &history->bindings.list[attempt];
    if (holder->source != HOLDER_TRACE || holder->binding != assignment)
        return false;
    const struct holding_found now =
        holding_find(history, assignment, bound->begin_ns, bound->process);
    return now.process != 0 ||
           (now.is_nobody &&
            map_get(&history->outside_of_cookie, history->requests[assignment].cookie) != MAP_NONE);
}

/* The pick asked for another protocol, family or address than the bind, and promised nothing there:
 * who has the port had it before the number was released, or may have had. Nothing was taken
 * since. */
static bool was_picked_elsewhere(const struct history *history, const struct holder_found *holder,
                                 uint32_t assignment, uint32_t attempt) {
    const struct binding *given = &history->bindings.list[assignment];
    const struct endpoint endpoint = history_endpoint(history, assignment);
    if (holder->binding == assignment)
        return false;
    if (holder->binding != MAP_NONE) {
        const struct endpoint held = history_endpoint(history, holder->binding);
        uint64_t kept_ns = given->to_ns > given->begin_ns ? given->to_ns : given->begin_ns;
        return !endpoints_overlap(&endpoint, &held) &&
               history->requests[holder->binding].end_ns <= kept_ns;
    }
    return holder->source == HOLDER_TABLE &&
           history_may_share(history, attempt, assignment, history->bindings.list[attempt].begin_ns,
                             false);
}

/* Who has the number instead, and who had given it to them. */
static void set_taker(const struct history *history, const struct holder_found *taker,
                      struct finding *finding) {
    holders_fill_in(history, taker, finding);
    if (taker->binding != MAP_NONE && history->requests[taker->binding].proves != MAP_NONE)
        finding->other_assigned = history_call(history, history->requests[taker->binding].proves);
    set_cause(history, finding);
}

static void detect_loss(struct history *history, struct findings *findings, uint32_t attempt) {
    const struct binding *bound = &history->bindings.list[attempt];
    uint32_t assignment = history->requests[attempt].proves;
    const struct holder_found taker =
        holders_find(history, attempt, tagged_unit(history, attempt), bound->begin_ns,
                     history->requests[attempt].end_ns, false);
    if (is_own_time_wait(history, &taker, assignment) ||
        is_handed_on(history, &taker, assignment, attempt)) {
        history->requests[attempt].proves = MAP_NONE; /* reported as an address in use */
        return;
    }
    if (was_picked_elsewhere(history, &taker, assignment, attempt)) {
        history->requests[attempt].proves = MAP_NONE;
        history->requests[attempt].picked = assignment;
        return;
    }
    if (history->requests[attempt].tier == TIER_DISTANT &&
        !began_after(history, &taker, assignment)) {
        history->requests[attempt].proves = MAP_NONE;
        return;
    }
    struct finding *finding = add(history, findings, FINDING_LOST_RACE, attempt);
    set_taker(history, &taker, finding);
    finding->instead = history->requests[attempt].instead;
    finding->explained = history->requests[attempt].is_explained;
    if (held_released(history, assignment, bound->begin_ns) != RELEASE_CERTAIN &&
        !proves_release(history, &taker, assignment))
        finding->certainty = POSSIBLE;
}

/* A listen that fails on the claim's socket: bound over another's with SO_REUSEADDR, and lost. */
static void detect_lost_listen(struct history *history, struct findings *findings,
                               const struct failed_listen *listen) {
    const struct holder_found taker =
        holders_find(history, listen->binding,
                     (uint64_t)listen->call.trace << MACHINE_TAG_SHIFT | listen->call.unit,
                     listen->call.begin_ns, listen->call.end_ns, true);
    struct finding *finding = add(history, findings, FINDING_LOST_RACE, listen->binding);
    finding->subject = listen->call;
    finding->ns = listen->call.begin_ns;
    set_taker(history, &taker, finding);
}

/* Who else had the port between the assignment and the bind. */
static uint32_t passer_by(const struct history *history, uint32_t attempt) {
    const struct binding *bound = &history->bindings.list[attempt];
    uint32_t assignment = history->requests[attempt].proves;
    const struct binding *given = &history->bindings.list[assignment];
    uint32_t end = history_end_of_port(history, bound->requested_port, bound->begin_ns);
    for (uint32_t i = end; i-- > history->first_of_port[bound->requested_port];) {
        uint32_t index = history->by_port[i];
        const struct binding *other = &history->bindings.list[index];
        if (other->begin_ns < given->from_ns)
            break;
        if (index != attempt && index != assignment && other->from_ns != 0 &&
            other->from_ns <= bound->begin_ns &&
            !history_may_share(history, attempt, index, bound->begin_ns, false))
            return index;
    }
    return MAP_NONE;
}

/* A connection that the listener had accepted was in TIME_WAIT from before its close until the
 * bind: no request for port 0 is given such a port (inet_csk_find_open_port asks for no conflict at
 * all). */
static bool is_kept_by_time_wait(const struct history *history, uint32_t assignment,
                                 uint32_t attempt) {
    uint32_t index = history->bindings.list[assignment].first_accepted;
    uint64_t ns = history->requests[attempt].end_ns;
    while (index != MAP_NONE) {
        const struct socket_state *socket = &history->bindings.sockets.list[index];
        if (socket->time_wait && socket->certainty == CERTAIN &&
            (socket->destroyed_ns > ns || ns - socket->destroyed_ns < TIME_WAIT_NS))
            return true;
        index = socket->next_accepted;
    }
    return false;
}

/* The process holds the UDP number before it, which port 0 gave: the number comes from there, as
 * RTCP's from RTP's (RFC 3550, section 11), whoever was given it before. */
static bool is_counted_up(const struct history *history, uint32_t attempt) {
    const struct binding *bound = &history->bindings.list[attempt];
    if (!history_is_udp(history, attempt) || bound->requested_port < 2)
        return false;
    unsigned port = bound->requested_port - 1u;
    for (uint32_t i = history_end_of_port(history, port, bound->begin_ns);
         i-- > history->first_of_port[port];) {
        uint32_t index = history->by_port[i];
        const struct binding *binding = &history->bindings.list[index];
        if (binding->from_ns != 0 && binding->requested_port == 0 &&
            history_is_udp(history, index) &&
            held_released(history, index, bound->begin_ns) == RELEASE_NOT_SEEN)
            return ancestry_is_same(history->machine, binding->process, bound->process);
    }
    return false;
}

static void detect_window(struct history *history, struct findings *findings, uint32_t attempt) {
    uint32_t assignment = history->requests[attempt].proves;
    if (is_kept_by_time_wait(history, assignment, attempt) || is_counted_up(history, attempt))
        return;
    uint32_t other = passer_by(history, attempt);
    struct finding *finding = add(history, findings, FINDING_RACE_WINDOW, attempt);
    if (other != MAP_NONE) {
        finding->other = history_call(history, other);
        finding->holder = HOLDER_TRACE;
    }
    if (held_released(history, assignment, history->bindings.list[attempt].begin_ns) !=
        RELEASE_CERTAIN)
        finding->certainty = POSSIBLE;
}

struct claims {
    uint32_t *attempts; /* of one port, that prove something, by the time of their assignment */
    bool *reported;     /* as part of a double hand-out */
    uint64_t *latest;   /* when the last bind of those up to this one began */
    size_t count;
    size_t room;
    size_t reported_room;
    size_t latest_room;
};

static uint64_t given_ns(const struct history *history, uint32_t attempt) {
    return history->requests[history->requests[attempt].proves].end_ns;
}

static int by_assignment(const void *one, const void *other, void *with) {
    uint64_t a = given_ns(with, *(const uint32_t *)one);
    uint64_t b = given_ns(with, *(const uint32_t *)other);
    return a < b ? -1 : a > b;
}

static void collect(const struct history *history, struct claims *claims, unsigned port) {
    claims->count = 0;
    for (uint32_t i = history->first_of_port[port]; i < history->first_of_port[port + 1]; i++) {
        if (history->requests[history->by_port[i]].proves == MAP_NONE)
            continue;
        claims->attempts = memory_grow(claims->attempts, &claims->room, claims->count + 1,
                                       sizeof *claims->attempts);
        claims->reported = memory_grow(claims->reported, &claims->reported_room, claims->count + 1,
                                       sizeof *claims->reported);
        claims->reported[claims->count] = false;
        claims->attempts[claims->count++] = history->by_port[i];
    }
    if (claims->count > 1)
        qsort_r(claims->attempts, claims->count, sizeof *claims->attempts, by_assignment,
                (void *)(uintptr_t)history);
    claims->latest =
        memory_grow(claims->latest, &claims->latest_room, claims->count, sizeof *claims->latest);
    for (size_t i = 0; i < claims->count; i++) {
        uint64_t begin = history->bindings.list[claims->attempts[i]].begin_ns;
        claims->latest[i] = i > 0 && claims->latest[i - 1] > begin ? claims->latest[i - 1] : begin;
    }
}

/* Both relied on the number at one time, and on endpoints that stand in each other's way. */
static bool overlap(const struct history *history, uint32_t one, uint32_t other) {
    const struct binding *a = &history->bindings.list[one];
    const struct binding *b = &history->bindings.list[other];
    uint64_t from = given_ns(history, one) > given_ns(history, other) ? given_ns(history, one)
                                                                      : given_ns(history, other);
    uint64_t to = a->begin_ns < b->begin_ns ? a->begin_ns : b->begin_ns;
    uint32_t later = a->begin_ns < b->begin_ns ? other : one;
    uint32_t earlier = later == one ? other : one;
    return from < to && a->from_ns != 0 && b->from_ns != 0 &&
           !history_may_share(history, later, earlier, history->bindings.list[later].begin_ns,
                              false);
}

/* Either may prove a later assignment than the one that fits best. */
static bool overlap_whatever_they_prove(const struct history *history, uint32_t earlier,
                                        uint32_t later) {
    uint64_t to = history->bindings.list[earlier].begin_ns;
    return history->requests[earlier].latest_given_ns < to &&
           history->requests[later].latest_given_ns < to;
}

static void add_double(struct history *history, struct findings *findings, uint32_t one,
                       uint32_t other) {
    bool first = history->bindings.list[one].begin_ns < history->bindings.list[other].begin_ns;
    uint32_t later = first ? other : one;
    uint32_t earlier = first ? one : other;
    struct finding *finding = add(history, findings, FINDING_DOUBLE_HAND_OUT, later);
    finding->other = history_call(history, earlier);
    finding->other_assigned = history_call(history, history->requests[earlier].proves);
    finding->holder = HOLDER_TRACE;
    set_cause(history, finding);
    if (request_certainty(&history->requests[earlier]) == POSSIBLE ||
        history->requests[later].release_certainty == POSSIBLE ||
        !overlap_whatever_they_prove(history, earlier, later))
        finding->certainty = POSSIBLE;
}

static void find_doubles(struct history *history, struct findings *findings,
                         struct claims *claims) {
    for (size_t i = 1; i < claims->count; i++)
        for (size_t j = i; j-- > 0;) {
            if (claims->latest[j] <= given_ns(history, claims->attempts[i]))
                break;
            if (!overlap(history, claims->attempts[i], claims->attempts[j]))
                continue;
            add_double(history, findings, claims->attempts[i], claims->attempts[j]);
            claims->reported[i] = claims->reported[j] = true;
            break;
        }
}

void detect_claims(struct history *history, struct findings *findings) {
    struct claims claims = {0};
    for (unsigned port = 1; port < SELECTION_PORTS; port++) {
        collect(history, &claims, port);
        find_doubles(history, findings, &claims);
        for (size_t i = 0; i < claims.count; i++) {
            uint32_t attempt = claims.attempts[i];
            uint32_t listen = history->requests[attempt].failed_listen;
            if (history->bindings.list[attempt].from_ns == 0)
                detect_loss(history, findings, attempt);
            else if (listen != MAP_NONE)
                detect_lost_listen(history, findings, &history->failed_listens[listen]);
            else if (!claims.reported[i])
                detect_window(history, findings, attempt);
        }
    }
    free(claims.attempts);
    free(claims.reported);
    free(claims.latest);
}
