/* Two sockets that may not share a port cannot both have it. Where a trace seems to show that, as a
 * rule a release was not seen; but a listener from which a connection was accepted afterwards had
 * its port all the while, and then either the model or the trace is wrong. */
#include <netinet/in.h>

#include "harness/check/detectors/detectors.h"

static bool is_plain(const struct request *request) {
    return (request->flags & (PW_FLAG_REUSEADDR | PW_FLAG_REUSEPORT)) == 0;
}

static void tell(const struct history *history, struct findings *findings, uint32_t holder,
                 uint32_t newcomer) {
    struct finding *finding = findings_add(findings, FINDING_MODEL_DISAGREEMENT);
    finding->subject = history_call(history, newcomer);
    finding->endpoint = finding->subject.endpoint;
    finding->netns = history->bindings.list[newcomer].netns;
    finding->ns = finding->subject.begin_ns;
    finding->other = history_call(history, holder);
    finding->holder = HOLDER_TRACE;
}

static void detect(const struct history *history, struct findings *findings, uint32_t holder) {
    const struct request *request = &history->requests[holder];
    const struct endpoint endpoint = history_endpoint(history, holder);
    if (request->alive_ns == 0 || history->bindings.list[holder].certainty == POSSIBLE)
        return;
    uint32_t end = history_end_of_port(history, endpoint.port, request->alive_ns);
    for (uint32_t i = end; i-- > history->first_of_port[endpoint.port];) {
        uint32_t newcomer = history->by_port[i];
        const struct binding *other = &history->bindings.list[newcomer];
        const struct request *asked = &history->requests[newcomer];
        if (other->begin_ns <= request->end_ns)
            return;
        /* Reuse options have quirks that the pairwise rule does not show. */
        if (other->from_ns != 0 && asked->end_ns < request->alive_ns &&
            asked->kind == PW_KIND_BIND && is_plain(asked) && is_plain(request) &&
            asked->cookie != request->cookie &&
            other->netns == history->bindings.list[holder].netns &&
            !history_may_share(history, newcomer, holder, other->begin_ns, false))
            tell(history, findings, holder, newcomer);
    }
}

void detect_impossible_answers(const struct history *history, struct findings *findings) {
    for (uint32_t i = 0; i < history->bindings.count; i++)
        if (history_endpoint(history, i).protocol == IPPROTO_TCP)
            detect(history, findings, i);
}
