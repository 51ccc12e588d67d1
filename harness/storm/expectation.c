/*
 * A number that is chosen at c and bound at b is lost if somebody bound it in between. Whoever did
 * had chosen it unaware of us, as we of him; so the chance is the count of such binds over the
 * count of numbers that we could have been given. Summed up in the order of time that is the
 * birthday problem where all choose before anyone binds, and the arithmetic of windows where they
 * do not.
 */
#include "harness/storm/expectation.h"

#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"

enum { CLASSES_MAX = 64 };

/* Below this many the distribution is Poisson's, above it is normal as far as an interval goes. */
#define POISSON_UP_TO 60.0
#define TAIL 5e-5         /* on each side: once in 10,000 together */
#define NORMAL_TAIL 3.891 /* standard deviations that leave TAIL on each side */

/* Endpoints of one kind: the same protocol and address, whatever the port. */
struct classes {
    struct endpoint kind[CLASSES_MAX];
    double held[CLASSES_MAX];   /* expected number of sockets that hold a port now */
    double weight[CLASSES_MAX]; /* the same, each with its own clustering */
    unsigned count;
};

struct moment {
    uint64_t ns;
    uint32_t ticket;
    bool binds;
};

/* What a ticket saw when its number was chosen. */
struct seen {
    double free;     /* numbers that it could be given */
    double clusters; /* how much more likely a number behind others is */
    double weight;   /* that was held where it is going to bind, and that the choice avoided */
    double own;
    unsigned bind_class;
};

struct sweep {
    struct classes classes;
    struct seen *seen;
    double *own; /* by publisher and class */
    const struct ticket *tickets;
    const struct port_range *range;
    bool apart;
};

static unsigned class_of(struct classes *classes, const struct endpoint *endpoint) {
    struct endpoint kind = *endpoint;
    kind.port = 0;
    for (unsigned i = 0; i < classes->count; i++)
        if (endpoints_equal(&classes->kind[i], &kind))
            return i;
    if (classes->count == CLASSES_MAX)
        return CLASSES_MAX - 1;
    classes->kind[classes->count] = kind;
    return classes->count++;
}

static int in_order(const void *one, const void *other) {
    const struct moment *a = one;
    const struct moment *b = other;
    if (a->ns != b->ns)
        return a->ns < b->ns ? -1 : 1;
    if (a->binds != b->binds)
        return a->binds ? 1 : -1;
    return (a->ticket > b->ticket) - (a->ticket < b->ticket);
}

/* The sum over the classes that overlap the one, of those values that also overlap `both`. */
static double overlapping(const struct classes *classes, const double *values,
                          const struct endpoint *one, const struct endpoint *both) {
    double sum = 0;
    for (unsigned i = 0; i < classes->count; i++)
        if (endpoints_overlap(&classes->kind[i], one) &&
            (both == NULL || endpoints_overlap(&classes->kind[i], both)))
            sum += values[i];
    return sum;
}

static double *own_of(struct sweep *sweep, const struct ticket *ticket) {
    return sweep->own + (size_t)ticket->publisher * CLASSES_MAX;
}

static void choose(struct sweep *sweep, uint32_t index) {
    const struct ticket *ticket = &sweep->tickets[index];
    const struct attempt *attempt = ticket->attempt;
    struct classes *classes = &sweep->classes;
    struct seen *seen = &sweep->seen[index];
    struct endpoint probed = attempt->probed;
    seen->bind_class = class_of(classes, &attempt->endpoint);
    const struct endpoint *bound = &classes->kind[seen->bind_class];
    double first =
        (double)port_range_first_choice(sweep->range, probed.protocol, attempt->probe_reuse);
    double taken = overlapping(classes, classes->held, &probed, NULL);
    bool scans = probed.protocol != IPPROTO_UDP; /* UDP jumps where TCP walks on */
    seen->clusters = 1;
    if (taken + 1 > first) { /* those of the other parity, or half */
        first = (double)port_range_size(sweep->range);
        scans = false;
    }
    seen->free = taken + 1 > first ? 1 : first - taken;
    if (scans)
        seen->clusters = first / seen->free;
    seen->weight = overlapping(classes, classes->weight, bound, &probed);
    if (sweep->apart)
        seen->own = overlapping(classes, own_of(sweep, ticket), bound, NULL);
}

/* The chance that the number is gone. */
static double chance(struct sweep *sweep, uint32_t index) {
    const struct seen *seen = &sweep->seen[index];
    const struct classes *classes = &sweep->classes;
    const struct endpoint *bound = &classes->kind[seen->bind_class];
    double passed = overlapping(classes, classes->weight, bound, NULL) - seen->weight;
    if (sweep->apart)
        passed -=
            overlapping(classes, own_of(sweep, &sweep->tickets[index]), bound, NULL) - seen->own;
    double value = passed / seen->free;
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

static void bind_number(struct sweep *sweep, uint32_t index, struct expected *expected) {
    const struct attempt *attempt = sweep->tickets[index].attempt;
    double lost = 0;
    if (attempt->by_kernel) {
        lost = chance(sweep, index);
        expected->mean += lost;
        expected->variance += lost * (1 - lost);
    } else {
        sweep->seen[index].clusters = 1;
        sweep->seen[index].bind_class = class_of(&sweep->classes, &attempt->endpoint);
    }
    const struct seen *seen = &sweep->seen[index];
    sweep->classes.held[seen->bind_class] += 1 - lost;
    sweep->classes.weight[seen->bind_class] += (1 - lost) * seen->clusters;
    own_of(sweep, &sweep->tickets[index])[seen->bind_class] += (1 - lost) * seen->clusters;
}

static bool counts(const struct attempt *attempt) {
    if (attempt->named || attempt->bound_ns == 0)
        return false;
    return attempt->outcome == ATTEMPT_HELD ||
           (attempt->by_kernel && attempt->outcome == ATTEMPT_LOST);
}

void expected_add_round(struct expected *expected, const struct ticket *tickets, size_t count,
                        const struct port_range *range, bool apart) {
    static struct sweep sweep;
    size_t event_room = 0;
    size_t used = 0;
    uint32_t publishers = 0;
    struct moment *events = memory_grow(NULL, &event_room, 2 * count + 1, sizeof *events);
    sweep = (struct sweep){.tickets = tickets, .range = range, .apart = apart};
    for (uint32_t i = 0; i < count; i++) {
        const struct attempt *attempt = tickets[i].attempt;
        if (tickets[i].publisher >= publishers)
            publishers = tickets[i].publisher + 1;
        if (!counts(attempt))
            continue;
        if (attempt->by_kernel)
            events[used++] = (struct moment){attempt->chosen_ns, i, false};
        events[used++] = (struct moment){attempt->bound_ns, i, true};
    }
    sweep.seen = calloc(count + 1, sizeof *sweep.seen);
    sweep.own = calloc((size_t)publishers * CLASSES_MAX + 1, sizeof *sweep.own);
    if (sweep.seen != NULL && sweep.own != NULL) {
        qsort(events, used, sizeof *events, in_order);
        for (size_t i = 0; i < used; i++) {
            if (events[i].binds)
                bind_number(&sweep, events[i].ticket, expected);
            else
                choose(&sweep, events[i].ticket);
        }
    }
    free(events);
    free(sweep.seen);
    free(sweep.own);
}

/* The counts that a Poisson variable stays between: below the first and above the last lies TAIL.
 */
static struct expected_interval poisson_interval(double mean) {
    struct expected_interval interval = {0, 0};
    double term = exp(-mean);
    double sum = term;
    double count = 0;
    bool low_found = sum > TAIL;
    while (sum < 1 - TAIL && count < 10 * POISSON_UP_TO) {
        count++;
        term *= mean / count;
        sum += term;
        if (!low_found && sum > TAIL) {
            interval.low = count;
            low_found = true;
        }
    }
    interval.high = count;
    return interval;
}

struct expected_interval expected_interval(const struct expected *expected) {
    if (expected->mean < POISSON_UP_TO)
        return poisson_interval(expected->mean);
    double width = NORMAL_TAIL * sqrt(expected->variance) + 1;
    return (struct expected_interval){floor(expected->mean - width), ceil(expected->mean + width)};
}
