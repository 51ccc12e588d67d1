/* The pairwise rule of bind(2), and the two places where the kernel does not look at all pairs: the
 * memory of a TCP port's bucket, and UDP's search that ends at the first socket in the way. */
#include "harness/model/conflict.h"

#include <string.h>

static bool is_any6(const uint8_t address[16]) {
    static const uint8_t any[16];
    return memcmp(address, any, 16) == 0;
}

static bool is_mapped(const uint8_t address[16]) {
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, prefix, 12) == 0;
}

/* An IPv4 socket counts as one with a mapped address. */
static bool seems_mapped(const struct model *model, const struct model_socket *socket) {
    return !socket->family6 || (is_mapped(socket->local.v6) && !model->off[RULE_MAPPED]);
}

/* Which of the two may be a wildcard that meets all. */
struct wild {
    bool one;
    bool other;
};

static bool v4_meet(const struct model *model, const struct model_socket *one,
                    const struct model_socket *other, struct wild wild) {
    if (other->v6only && other->family6) {
        model_hit(model, RULE_V6ONLY);
        if (!model->off[RULE_V6ONLY])
            return false;
    }
    if (one->local.v4 == other->local.v4)
        return true;
    if (!((wild.one && one->local.v4 == 0) || (wild.other && other->local.v4 == 0)))
        return false;
    model_hit(model, RULE_WILDCARD);
    return !model->off[RULE_WILDCARD];
}

/* inet_rcv_saddr_equal and ipv6_rcv_saddr_equal. */
static bool meet(const struct model *model, const struct model_socket *one,
                 const struct model_socket *other, struct wild wild) {
    bool first_v4 = seems_mapped(model, one);
    bool second_v4 = seems_mapped(model, other);
    bool any = one->family6 && is_any6(one->local.v6);
    bool other_any = other->family6 && is_any6(other->local.v6);
    if ((any && second_v4 && !one->v6only) || (other_any && first_v4 && !other->v6only)) {
        model_hit(model, RULE_DUAL_STACK);
        if (model->off[RULE_DUAL_STACK])
            return false;
    }
    if ((one->family6 && first_v4) || (other->family6 && second_v4))
        model_hit(model, RULE_MAPPED);
    if (!one->family6 || (first_v4 && second_v4))
        return v4_meet(model, one, other, wild);
    bool only = one->v6only && !model->off[RULE_V6ONLY];
    bool other_only = other->v6only && !model->off[RULE_V6ONLY];
    if (any && other_any)
        return true;
    if ((other_any && wild.other && !(other_only && first_v4)) ||
        (any && wild.one && !(only && second_v4))) {
        model_hit(model, RULE_WILDCARD);
        return !model->off[RULE_WILDCARD];
    }
    return other->family6 && memcmp(one->local.v6, other->local.v6, 16) == 0;
}

bool conflict_addresses_overlap(const struct model *model, const struct model_socket *one,
                                const struct model_socket *other) {
    return model->off[RULE_NO_OVERLAP] || meet(model, one, other, (struct wild){true, true});
}

static bool has_port(const struct model *model, size_t index, size_t asker, uint16_t port) {
    const struct model_socket *socket = &model->sockets[index];
    const struct model_socket *one = &model->sockets[asker];
    if (index == asker || !socket->open || socket->port != port ||
        (socket->time_wait && model->off[RULE_TIME_WAIT]))
        return false;
    if (socket->datagram == one->datagram)
        return true;
    model_hit(model, RULE_PROTOCOL);
    return model->off[RULE_PROTOCOL];
}

static bool devices_overlap(const struct model *model, const struct model_socket *one,
                            const struct model_socket *other) {
    return one->device == 0 || other->device == 0 || one->device == other->device ||
           model->off[RULE_DEVICE];
}

static bool same_user(const struct model *model, const struct model_socket *one,
                      const struct model_socket *other) {
    return one->uid == other->uid || model->off[RULE_USER];
}

/* The two, whose addresses and devices meet. *rule says what decided. */
static bool tcp_conflict(const struct model *model, const struct model_socket *one,
                         const struct model_socket *other, enum model_rule *rule) {
    bool listens =
        other->state == MODEL_LISTENS && !other->time_wait && !model->off[RULE_LISTENING];
    if (one->reuseaddr && other->reuseaddr && !listens && !model->off[RULE_REUSEADDR]) {
        *rule = RULE_REUSEADDR;
        return false;
    }
    if (one->reuseport && other->reuseport && !model->off[RULE_REUSEPORT]) {
        if (other->time_wait || same_user(model, one, other)) {
            *rule = RULE_REUSEPORT;
            return false;
        }
        *rule = RULE_USER;
        return true;
    }
    *rule = one->reuseaddr && other->reuseaddr ? RULE_LISTENING : RULE_PLAIN_CONFLICT;
    return *rule == RULE_LISTENING || !model->off[RULE_PLAIN_CONFLICT];
}

static bool bucket_matches(const struct model *model, const struct model_socket *one,
                           const struct model_bucket *bucket) {
    if (!bucket->reuseport || !one->reuseport || model->off[RULE_BUCKET_REUSEPORT] ||
        (bucket->uid != one->uid && !model->off[RULE_USER]))
        return false;
    /* The remembered address must hold the new one; a new wildcard may meet others besides. */
    const struct model_socket seen = {
        .family6 = bucket->family6, .v6only = bucket->v6only, .local = bucket->local};
    return meet(model, &seen, one, (struct wild){true, false});
}

bool conflict_bucket_in_use(const struct model *model, uint16_t port, size_t but) {
    for (size_t i = 0; i < model->count; i++) {
        const struct model_socket *socket = &model->sockets[i];
        if (i != but && socket->open && !socket->datagram && socket->port == port)
            return true;
    }
    return false;
}

bool conflict_connections_alone(const struct model *model, uint16_t port) {
    for (size_t i = 0; i < model->count; i++) {
        const struct model_socket *socket = &model->sockets[i];
        if (socket->open && !socket->datagram && socket->port == port && !socket->by_connect)
            return false;
    }
    return true;
}

static bool tcp_may_bind(const struct model *model, size_t asker, uint16_t port,
                         enum model_rule *rule) {
    const struct model_socket *one = &model->sockets[asker];
    const struct model_bucket *bucket = &model->buckets[port];
    bool own = one->port == port;
    *rule = RULE_FREE;
    if (!own && !conflict_bucket_in_use(model, port, asker))
        return true;
    if (bucket_matches(model, one, bucket)) {
        *rule = RULE_BUCKET_REUSEPORT;
        return true;
    }
    for (size_t i = 0; i < model->count; i++) {
        const struct model_socket *other = &model->sockets[i];
        enum model_rule pair;
        if (!has_port(model, i, asker, port))
            continue;
        if (!devices_overlap(model, one, other)) {
            *rule = RULE_DEVICE;
            continue;
        }
        if (!conflict_addresses_overlap(model, one, other)) {
            *rule = *rule == RULE_FREE ? RULE_NO_OVERLAP : *rule;
            continue;
        }
        if (tcp_conflict(model, one, other, &pair)) {
            *rule = other->time_wait ? RULE_TIME_WAIT : pair;
            return false;
        }
        *rule = pair;
    }
    return true;
}

/* Is `one` looked at before `other`? The newest first, but sockets of IPv6 with SO_REUSEPORT go to
 * the end (sk_add_node_rcu). */
static bool comes_before(const struct model_socket *one, const struct model_socket *other) {
    if (one->at_tail != other->at_tail)
        return other->at_tail;
    return one->at_tail ? one->age < other->age : one->age > other->age;
}

static bool udp_may_bind(const struct model *model, size_t asker, uint16_t port,
                         enum model_rule *rule) {
    const struct model_socket *one = &model->sockets[asker];
    const struct model_socket *first = NULL;
    bool refused = false;
    *rule = RULE_FREE;
    for (size_t i = 0; i < model->count; i++) {
        const struct model_socket *other = &model->sockets[i];
        if (!has_port(model, i, asker, port))
            continue;
        if (one->reuseaddr && other->reuseaddr && !model->off[RULE_REUSEADDR]) {
            *rule = RULE_REUSEADDR;
            continue;
        }
        if (!devices_overlap(model, one, other)) {
            *rule = RULE_DEVICE;
            continue;
        }
        if (!conflict_addresses_overlap(model, one, other)) {
            *rule = *rule == RULE_FREE ? RULE_NO_OVERLAP : *rule;
            continue;
        }
        bool shares = one->reuseport && other->reuseport && same_user(model, one, other) &&
                      !model->off[RULE_REUSEPORT];
        refused = refused || !shares;
        if (first == NULL || comes_before(other, first))
            first = other;
    }
    if (first == NULL)
        return true;
    bool shares = one->reuseport && first->reuseport && same_user(model, one, first) &&
                  !model->off[RULE_REUSEPORT];
    if (!shares) {
        *rule = one->reuseport && first->reuseport ? RULE_USER : RULE_PLAIN_CONFLICT;
        return *rule == RULE_PLAIN_CONFLICT && model->off[RULE_PLAIN_CONFLICT];
    }
    *rule = refused ? RULE_FIRST_DECIDES : RULE_REUSEPORT;
    return !refused || !model->off[RULE_FIRST_DECIDES];
}

bool conflict_may_bind(const struct model *model, size_t asker, uint16_t port,
                       enum model_rule *rule) {
    if (model->sockets[asker].datagram)
        return udp_may_bind(model, asker, port, rule);
    return tcp_may_bind(model, asker, port, rule);
}

bool conflict_is_free(const struct model *model, size_t asker, uint16_t port) {
    const struct model_socket *one = &model->sockets[asker];
    for (size_t i = 0; i < model->count; i++) {
        const struct model_socket *other = &model->sockets[i];
        if (!has_port(model, i, asker, port) || !devices_overlap(model, one, other) ||
            !conflict_addresses_overlap(model, one, other))
            continue;
        if (!one->datagram) {
            enum model_rule rule;
            bool conflicts = tcp_conflict(model, one, other, &rule);
            if (!conflicts)
                model_hit(model, RULE_AUTO_STRICT);
            if (conflicts || !model->off[RULE_AUTO_STRICT])
                return false;
            continue;
        }
        bool both = one->reuseaddr && other->reuseaddr && !model->off[RULE_REUSEADDR];
        bool group = one->reuseport && other->reuseport && same_user(model, one, other) &&
                     !model->off[RULE_REUSEPORT];
        if (!both && !group)
            return false;
    }
    return true;
}

static void remember(struct model_bucket *bucket, const struct model_socket *one) {
    bucket->reuseport = true;
    bucket->uid = one->uid;
    bucket->family6 = one->family6;
    bucket->v6only = one->v6only && one->family6;
    bucket->local = one->local;
}

void conflict_note_bound(struct model *model, size_t asker, bool was_bound) {
    const struct model_socket *one = &model->sockets[asker];
    struct model_bucket *bucket = &model->buckets[one->port];
    bool empty = !was_bound && !conflict_bucket_in_use(model, one->port, asker);
    if (empty) {
        if (one->reuseport)
            remember(bucket, one);
        else
            bucket->reuseport = false;
        return;
    }
    if (!one->reuseport)
        bucket->reuseport = false;
    else if (!bucket_matches(model, one, bucket))
        remember(bucket, one);
}
