/* When two sockets cannot have one port. */
#ifndef PORTWITNESS_MODEL_CONFLICT_H
#define PORTWITNESS_MODEL_CONFLICT_H

#include "harness/model/model.h"

/* Do the addresses of the two meet? (inet_rcv_saddr_equal in the kernel) */
bool conflict_addresses_overlap(const struct model *model, const struct model_socket *one,
                                const struct model_socket *other);

/* May the socket `asker` be bound to the port by number, or listen on it? *rule says what decided.
 */
bool conflict_may_bind(const struct model *model, size_t asker, uint16_t port,
                       enum model_rule *rule);

/* Is the port free for a request for port 0? */
bool conflict_is_free(const struct model *model, size_t asker, uint16_t port);

/* Does any TCP socket have the port? */
bool conflict_bucket_in_use(const struct model *model, uint16_t port, size_t but);

/* Have only TCP sockets the port whose connect gave it to them? */
bool conflict_connections_alone(const struct model *model, uint16_t port);

/* Notes in the bucket of its port that the socket has it now, and whether it
 * had it before (inet_csk_update_fastreuse). */
void conflict_note_bound(struct model *model, size_t asker, bool was_bound);

#endif
