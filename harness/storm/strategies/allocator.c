/* As in moby's port allocator: a map for each address and protocol, and a cursor that goes round
 * from the last port given, so that a released port does not come back at once. */
#include "harness/storm/strategies/allocator.h"

#include <errno.h>
#include <string.h>

void allocator_prepare(struct allocator *allocator) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&allocator->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

static void lock(struct allocator *allocator) {
    /* Whoever died with the lock had written at most one entry, which is taken back by name. */
    if (pthread_mutex_lock(&allocator->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&allocator->lock);
}

static bool same_address(const struct endpoint *one, const struct endpoint *other) {
    return one->protocol == other->protocol && one->v6only == other->v6only &&
           memcmp(one->address, other->address, sizeof one->address) == 0;
}

static struct allocator_address *address_of(struct allocator *allocator,
                                            const struct endpoint *endpoint) {
    for (int i = 0; i < ALLOCATOR_ADDRESSES; i++) {
        struct allocator_address *address = &allocator->address[i];
        if (address->endpoint.protocol == 0)
            address->endpoint = *endpoint;
        if (same_address(&address->endpoint, endpoint))
            return address;
    }
    return NULL;
}

static bool is_free(const struct allocator *allocator, const struct endpoint *endpoint,
                    unsigned port) {
    for (int i = 0; i < ALLOCATOR_ADDRESSES && allocator->address[i].endpoint.protocol != 0; i++) {
        const struct allocator_address *other = &allocator->address[i];
        if (other->owner[port] != ALLOCATOR_NOBODY &&
            other->endpoint.protocol == endpoint->protocol &&
            endpoint_addresses_overlap(&other->endpoint, endpoint))
            return false;
    }
    return true;
}

unsigned allocator_give(struct allocator *allocator, const struct endpoint *endpoint,
                        unsigned publisher, unsigned low, unsigned high) {
    unsigned given = 0;
    lock(allocator);
    struct allocator_address *address = address_of(allocator, endpoint);
    unsigned size = high - low + 1;
    for (unsigned i = 0; address != NULL && given == 0 && i < size; i++) {
        unsigned port = address->cursor + 1;
        if (port < low || port > high)
            port = low;
        address->cursor = port;
        if (is_free(allocator, endpoint, port))
            given = port;
    }
    if (given != 0)
        address->owner[given] = (uint16_t)(publisher + 1);
    pthread_mutex_unlock(&allocator->lock);
    return given;
}

void allocator_take(struct allocator *allocator, const struct endpoint *endpoint, unsigned port) {
    lock(allocator);
    struct allocator_address *address = address_of(allocator, endpoint);
    if (address != NULL)
        address->owner[port] = ALLOCATOR_NOBODY;
    pthread_mutex_unlock(&allocator->lock);
}

void allocator_forget(struct allocator *allocator, unsigned publisher) {
    lock(allocator);
    for (int i = 0; i < ALLOCATOR_ADDRESSES; i++)
        for (unsigned port = 0;
             allocator->address[i].endpoint.protocol != 0 && port < ALLOCATOR_PORTS; port++)
            if (allocator->address[i].owner[port] == publisher + 1)
                allocator->address[i].owner[port] = ALLOCATOR_NOBODY;
    pthread_mutex_unlock(&allocator->lock);
}
