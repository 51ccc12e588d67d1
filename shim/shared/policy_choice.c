/*
 * A request goes through sources of ports, from the policy's first wish to the range that the user
 * gave, until the kernel takes one of them. Each source gives up after so many refusals, since a
 * request may become slow, but must not become endless.
 */
#include "shim/shared/policy_choice.h"

#include <stddef.h>

#include "shim/shared/policy_places.h"
#include "shim/shared/policy_waiters.h"
#include "shim/shared/recorder.h"

enum source {
    SOURCE_WISH,
    SOURCE_RESTED,
    SOURCE_OLDEST,
    SOURCE_RANGE,
    SOURCE_ONE_BY_ONE,
    SOURCE_NONE
};

enum { TURNS_MOST = 64, RESTED_MOST = 512 };

static bool choose_one(struct policy_request *request, uint16_t port) {
    request->low = request->high = port;
    return port != 0;
}

static bool choose_seeded(struct policy_request *request) {
    if (request->ways->place == NULL)
        return false;
    if (request->sequence == 0)
        request->sequence = request->ways->place();
    uint16_t low = request->space->low, high = request->space->high;
    uint16_t port = place_port(request->sequence, request->turn, low, high);
    while (port == request->avoid && request->turn < TURNS_MOST)
        port = place_port(request->sequence, ++request->turn, low, high);
    return choose_one(request, port);
}

/* First of all what somebody waits to see taken. Its stamp may be wrong: a process that ended has
 * released it, and nobody has said so yet. */
static bool choose_soonest(struct policy_request *request) {
    bool may_share = request->turn == 0 && request->kind == POLICY_BIND && request->is_udp;
    uint16_t shareable = may_share ? policy_shareable(request->space, request->options) : 0;
    request->shares = shareable != 0;
    if (request->shares)
        return choose_one(request, shareable);
    uint16_t port = policy_wanted(request->space, request->reach, request->avoid, &request->wanted,
                                  &request->waiter);
    request->is_wanted = port != 0;
    if (request->is_wanted) {
        policy_take_this(request->space, port);
        return choose_one(request, port);
    }
    return choose_one(request,
                      policy_take_newest_fairly(request->space, request->avoid, request->thread));
}

static bool choose_wish(struct policy_request *request) {
    request->is_wanted = false;
    switch (policy_config()->kind) {
    case PW_POLICY_SOONEST:
        return choose_soonest(request);
    case PW_POLICY_QUARANTINE:
        request->is_recycled = true;
        return choose_one(request, policy_take_newest(request->space, request->avoid));
    case PW_POLICY_SEEDED:
        return choose_seeded(request);
    default:
        return false;
    }
}

static bool choose_rested(struct policy_request *request) {
    request->is_recycled = false;
    request->is_wanted = false;
    return policy_config()->kind == PW_POLICY_QUARANTINE &&
           choose_one(request, policy_take_rested(request->space, request->avoid));
}

static bool choose_oldest(struct policy_request *request) {
    request->is_early = policy_config()->kind == PW_POLICY_QUARANTINE;
    return request->is_early &&
           choose_one(request, policy_take_oldest(request->space, request->avoid));
}

static bool lies_in_system_range(const struct policy_space *space) {
    return space->low >= space->system_low && space->high <= space->system_high;
}

bool policy_choose_beside(struct policy_request *request, uint16_t low, uint16_t high,
                          bool larger) {
    uint16_t avoid = request->avoid;
    bool upper = (high - avoid > avoid - low) == larger;
    if (avoid == (upper ? high : low))
        return false;
    request->low = upper ? (uint16_t)(avoid + 1) : low;
    request->high = upper ? high : (uint16_t)(avoid - 1);
    return true;
}

/* The user's range whole; around the destination's own port the larger half first, then the other.
 */
static bool choose_range(struct policy_request *request) {
    uint16_t low = policy_config()->low, high = policy_config()->high, avoid = request->avoid;
    request->is_early = false;
    if (low == 0 || request->cannot_narrow || !lies_in_system_range(request->space))
        return false;
    if (avoid >= low && avoid <= high)
        return request->turn < 2 && policy_choose_beside(request, low, high, request->turn == 0);
    request->low = low;
    request->high = high;
    return request->turn == 0;
}

/* By number, each port of the range once, from a place that nobody can predict. */
static bool choose_next(struct policy_request *request) {
    uint16_t low = policy_config()->low, high = policy_config()->high;
    uint32_t width = (uint32_t)(high - low) + 1;
    if (low == 0 || (!request->cannot_narrow && lies_in_system_range(request->space)))
        return false;
    if (request->turn == 0)
        request->sequence = monotonic_ns() / 64;
    for (; request->turn < width; request->turn++) {
        uint16_t port = (uint16_t)(low + (request->sequence + request->turn) % width);
        if (port != request->avoid)
            return choose_one(request, port);
    }
    return false;
}

static bool choose_from(struct policy_request *request) {
    switch (request->source) {
    case SOURCE_WISH:
        return request->turn < TURNS_MOST && choose_wish(request);
    case SOURCE_RESTED:
        return request->turn < RESTED_MOST && choose_rested(request);
    case SOURCE_OLDEST:
        return request->turn < TURNS_MOST && choose_oldest(request);
    case SOURCE_RANGE:
        return choose_range(request);
    default:
        return choose_next(request);
    }
}

bool policy_choose(struct policy_request *request) {
    for (; request->source < SOURCE_NONE; request->source++, request->turn = 0)
        if (choose_from(request))
            return true;
    return false;
}
