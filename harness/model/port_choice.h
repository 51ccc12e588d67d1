/* Which ports the kernel may choose. */
#ifndef PORTWITNESS_MODEL_PORT_CHOICE_H
#define PORTWITNESS_MODEL_PORT_CHOICE_H

#include "harness/model/model.h"

/* Fills possible, possible_count and rule of the answer for a socket that asks for any port by
 * bind, listen or, over UDP, connect. */
void port_choice_bind(const struct model *model, size_t asker, struct model_answer *answer);

/* The same for a TCP connect of an unbound socket to that peer. */
void port_choice_connect(const struct model *model, size_t asker, const struct model_address *peer,
                         uint16_t peer_port, struct model_answer *answer);

/* Is another socket connected with that local address and port to that peer? *closing, where it is
 * not NULL, becomes true if it was closed at this end and only its rest is there. */
bool port_choice_exists(const struct model *model, size_t asker, uint16_t port,
                        const struct model_address *peer, uint16_t peer_port, bool *closing);

#endif
