/* Claims can only meet on one port, so they are put in order of ports and compared within each. */
#include "harness/storm/checks/claims_check.h"

#include <stdlib.h>

#include "harness/base/memory.h"

static int by_port(const void *one, const void *other) {
    const struct announced *a = *(const struct announced *const *)one;
    const struct announced *b = *(const struct announced *const *)other;
    if (a->endpoint.port != b->endpoint.port)
        return a->endpoint.port < b->endpoint.port ? -1 : 1;
    return (a > b) - (a < b);
}

static void meet(const struct announcements *announcements, const struct announced *earlier,
                 const struct announced *later, struct claims_result *result,
                 struct verdict *verdict) {
    char one[ENDPOINT_TEXT_SIZE];
    char other[ENDPOINT_TEXT_SIZE];
    if (announcements_may_share(announcements, later->endpoint.protocol)) {
        result->shared++;
        return;
    }
    result->collisions++;
    verdict_differs(verdict, "%s of process %d and %s of process %d",
                    endpoint_text(&earlier->endpoint, one), (int)earlier->pid,
                    endpoint_text(&later->endpoint, other), (int)later->pid);
}

void claims_check(const struct announcements *announcements, struct claims_result *result,
                  struct verdict *verdict) {
    size_t room = 0;
    const struct announced **order =
        memory_grow(NULL, &room, announcements->count + 1, sizeof *order);
    for (size_t i = 0; i < announcements->count; i++)
        order[i] = &announcements->list[i];
    qsort(order, announcements->count, sizeof *order, by_port);
    for (size_t i = 1; i < announcements->count; i++) {
        for (size_t j = i; j-- > 0 && order[j]->endpoint.port == order[i]->endpoint.port;) {
            if (!endpoints_overlap(&order[j]->endpoint, &order[i]->endpoint))
                continue;
            meet(announcements, order[j], order[i], result, verdict);
            break;
        }
    }
    free(order);
}
