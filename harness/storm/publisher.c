/* What a strategy asks of its publisher: random numbers, pauses, and notes of what it tried. */
#include "harness/storm/publisher.h"

#include <errno.h>
#include <time.h>

#include "harness/base/splitmix.h"
#include "harness/storm/publish_claim.h"
#include "shim/shared/recorder.h"

#define SECOND_NS UINT64_C(1000000000)

uint64_t publisher_random(struct publisher *publisher) { return splitmix(&publisher->random); }

void publisher_seed(struct publisher *publisher, uint32_t round) {
    publisher->random = publisher->settings->seed;
    publisher->random = splitmix(&publisher->random) + round;
    publisher->random = splitmix(&publisher->random) + publisher->index;
}

void publisher_pause(struct publisher *publisher, uint64_t min_ns, uint64_t max_ns) {
    uint64_t pause = min_ns;
    if (max_ns > min_ns)
        pause += publisher_random(publisher) % (max_ns - min_ns + 1);
    if (pause == 0)
        return;
    struct timespec rest = {.tv_sec = (time_t)(pause / SECOND_NS),
                            .tv_nsec = (long)(pause % SECOND_NS)};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
}

struct attempt *publisher_attempt(struct publisher *publisher, struct publication *publication) {
    static struct attempt beyond; /* more attempts than are remembered */
    uint32_t index = atomic_load(&publisher->slot->attempt_count);
    struct attempt *attempt = &beyond;
    if (index < shared_attempts_room(publisher->shared)) {
        attempt = shared_attempts(publisher->shared, publisher->index) + index;
        atomic_store(&publisher->slot->attempt_count, index + 1);
    }
    *attempt = (struct attempt){
        .begin_ns = monotonic_ns(),
        .endpoint = publication->endpoint,
        .mapping = (uint8_t)(publication->mapping - publisher->settings->mapping),
    };
    publication->attempt = attempt;
    return attempt;
}

void publisher_chose(struct publication *publication, unsigned port) {
    publication->endpoint.port = (uint16_t)port;
    publication->attempt->endpoint.port = (uint16_t)port;
    publication->attempt->chosen_ns = monotonic_ns();
}

void publisher_ended(struct publication *publication, enum attempt_outcome outcome, int error) {
    struct attempt *attempt = publication->attempt;
    attempt->bound_ns = monotonic_ns();
    if (attempt->chosen_ns == 0)
        attempt->chosen_ns = attempt->bound_ns;
    attempt->endpoint.port = publication->endpoint.port;
    attempt->error = error;
    attempt->outcome = (uint8_t)outcome;
}

void publisher_announce_endpoint(struct publisher *publisher, const struct publication *publication,
                                 const struct endpoint *endpoint) {
    uint32_t index = atomic_load(&publisher->slot->announced_count);
    if (index >= shared_announced_room(publisher->shared))
        return;
    claim_write(publisher, publication, endpoint);
    shared_announced(publisher->shared, publisher->index)[index] = *endpoint;
    atomic_store(&publisher->slot->announced_count, index + 1);
}
