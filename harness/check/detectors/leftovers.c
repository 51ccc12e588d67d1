/* What a command leaves behind has its ports when the next one wants them. `run` has looked at the
 * sockets of what lived on; the trace says who bound them. */
#include "harness/check/ancestry.h"
#include "harness/check/detectors/detectors.h"

/* Whoever sends or connects from an unbound socket was given a port that nobody else asks for. */
static bool is_clients(const struct history *history, uint32_t binding) {
    return binding != MAP_NONE && (history->requests[binding].kind == PW_KIND_AUTOBIND ||
                                   history->requests[binding].kind == PW_KIND_CONNECT);
}

static enum holder_how how_it_has(const struct history *history, const struct finding *finding) {
    uint64_t holder = finding->other.process;
    uint64_t binder = finding->subject.process;
    if (ancestry_is_same(history->machine, holder, binder))
        return HOW_BOUND;
    return ancestry_is_related(history->machine, holder, binder) ? HOW_INHERITED : HOW_NOT_KNOWN;
}

static void add_finding(const struct history *history, struct findings *findings,
                        const struct leftover *leftover, uint32_t binding) {
    struct finding *finding = findings_add(findings, FINDING_LEFTOVER_PROCESS);
    finding->subject = binding != MAP_NONE ? history_call(history, binding) : leftover->call;
    finding->other = leftover->call;
    finding->endpoint = leftover->call.endpoint;
    finding->netns = leftover->netns;
    finding->ns = leftover->call.begin_ns;
    finding->holder = HOLDER_TRACE;
    finding->how = how_it_has(history, finding);
    finding->cause = CAUSE_LEFTOVER_PROCESS;
}

/* A server and those that it started have one socket: the first of them is the one to end. */
static void note_other(const struct history *history, struct finding *finding,
                       const struct leftover *leftover) {
    const struct process *process = machine_process(history->machine, leftover->call.process);
    struct table_holder *holder = &finding->table;
    if (process != NULL && holder->others < TABLE_PIDS_MAX)
        holder->other_pids[holder->others] = process->pid;
    holder->others++;
}

void detect_leftovers(const struct history *history, struct findings *findings) {
    struct map finding_of_cookie = {0};
    for (size_t i = 0; i < history->leftover_count; i++) {
        const struct leftover *leftover = &history->leftovers[i];
        uint64_t cookie = leftover->call.cookie;
        uint32_t known = cookie != 0 ? map_get(&finding_of_cookie, cookie) : MAP_NONE;
        uint32_t binding = cookie != 0 ? map_get(&history->of_cookie, cookie) : MAP_NONE;
        if (known != MAP_NONE) {
            note_other(history, &findings->list[known], leftover);
            continue;
        }
        if (is_clients(history, binding))
            continue;
        if (cookie != 0)
            map_put(&finding_of_cookie, cookie, (uint32_t)findings->count);
        add_finding(history, findings, leftover, binding);
    }
    map_free(&finding_of_cookie);
}
