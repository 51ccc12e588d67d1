/* Connecting, and what goes with a connection or a listener that ends. */
#ifndef PORTWITNESS_MODEL_CONNECTION_H
#define PORTWITNESS_MODEL_CONNECTION_H

#include "harness/model/model.h"

/* Answers and does a connect to the operation's address; a chosen port is still to be given by
 * model_chose. */
void connection_open(struct model *model, const struct operation *operation,
                     struct model_answer *answer);

/* Does a TCP listener answer at that address? */
bool connection_is_answered(const struct model *model, const struct model_address *address,
                            uint16_t port);

/* Goes on with a connect whose port is known; `chosen`: the kernel chose it for this connect. */
void connection_opened(struct model *model, const struct operation *operation, bool chosen);

/* A connect that found no port. */
void connection_failed(struct model *model, size_t index);

/* connect to AF_UNSPEC. */
void connection_disconnect(struct model *model, size_t index, struct model_answer *answer);

/* Shuts both directions down. */
void connection_shutdown(struct model *model, size_t index, struct model_answer *answer);

/* Closes the socket. */
void connection_close(struct model *model, size_t index);

#endif
