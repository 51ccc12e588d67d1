/* How a publisher turns port mappings into host ports. docs/howto/add-a-strategy.md says how to add
 * the next way. */
#ifndef PORTWITNESS_STORM_STRATEGIES_STRATEGY_H
#define PORTWITNESS_STORM_STRATEGIES_STRATEGY_H

#include "harness/storm/publish_socket.h"
#include "harness/storm/publisher.h"

/* What theory can say of a strategy's lost races. */
enum prediction {
    PREDICTS_NOTHING, /* its choices are not the kernel's random ones */
    PREDICTS_NONE,    /* none is ever lost */
    PREDICTS_BIRTHDAY /* numbers come from bind(0), and are released before they are bound */
};

struct strategy {
    const char *name;
    const char *description;
    /* The four steps of a round, each over all mappings. Between choose and hold the publisher
     * waits for the window. */
    void (*choose)(struct publisher *publisher);
    void (*hold)(struct publisher *publisher);
    void (*announce)(struct publisher *publisher);
    void (*release)(struct publisher *publisher);
    uint64_t window_min_ns; /* the window where the user names none */
    uint64_t window_max_ns;
    enum prediction prediction;
    bool as_go;     /* its TCP sockets have SO_REUSEADDR, as Go's net.Listen makes them */
    bool for_tests; /* a broken one, which help does not name */
};

/* The table, ended by a row without a name. */
extern const struct strategy strategies[];

/* The index of the strategy called `name`, -1 if there is none. */
int strategy_find(const char *name);

/* Steps that strategies share. */

/* Does a number have to be found for the publication, rather than left to its bind? Numbers that
 * the user named are there before a strategy is asked. */
bool publication_wants_number(const struct publication *publication);

/* The options of the socket that publishes. */
struct socket_options publishing_options(const struct publisher *publisher,
                                         const struct publication *publication);

/* Binds the chosen number, or port 0 where there is none, and notes how that ended. */
void hold_publication(struct publisher *publisher, struct publication *publication);

/* Chooses nothing. */
void choose_nothing(struct publisher *publisher);

/* Binds each chosen number, and listens; a publication that has none is bound to port 0. Gives up
 * what fails. */
void hold_chosen(struct publisher *publisher);

/* Announces all that is held. */
void announce_held(struct publisher *publisher);

/* Closes all sockets. */
void release_sockets(struct publisher *publisher);

/* The rows' own steps, a file each. */
void probe_choose(struct publisher *publisher);
void kind_choose(struct publisher *publisher);
void docker_choose(struct publisher *publisher);
void docker_hold(struct publisher *publisher);
void docker_release(struct publisher *publisher);
void podman_choose(struct publisher *publisher);
void nerdctl_choose(struct publisher *publisher);
void fixed_choose(struct publisher *publisher);
void broken_unheld_announce(struct publisher *publisher);
void broken_neighbour_announce(struct publisher *publisher);
void broken_silent_announce(struct publisher *publisher);
void broken_token_announce(struct publisher *publisher);

#endif
