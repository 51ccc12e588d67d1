/* The table of strategies. */
#include <string.h>

#include "harness/storm/strategies/strategy.h"

#define MS UINT64_C(1000000)

const struct strategy strategies[] = {
    {"hold", "binds port 0 and keeps it", choose_nothing, hold_chosen, announce_held,
     release_sockets, 0, 0, PREDICTS_NONE, false, false},
    {"probe", "binds port 0, reads the number, releases it, binds it later", probe_choose,
     hold_chosen, announce_held, release_sockets, 0, 2 * MS, PREDICTS_BIRTHDAY, false, false},
    {"kind", "probes by TCP as Kind does, a node's together; the runtime binds", kind_choose,
     hold_chosen, announce_held, release_sockets, 1 * MS, 10 * MS, PREDICTS_BIRTHDAY, true, false},
    {"docker", "an allocator with memory, real binds, ten attempts", docker_choose, docker_hold,
     announce_held, docker_release, 0, 0, PREDICTS_NOTHING, true, false},
    {"podman", "probes by TCP, fifteen tries, and binds when the container starts", podman_choose,
     hold_chosen, announce_held, release_sockets, 20 * MS, 100 * MS, PREDICTS_BIRTHDAY, true,
     false},
    {"nerdctl", "reads /proc/net and takes the lowest free number", nerdctl_choose, hold_chosen,
     announce_held, release_sockets, 0, 2 * MS, PREDICTS_NOTHING, true, false},
    {"fixed", "binds the number that the file names, the same for everybody", fixed_choose,
     hold_chosen, announce_held, release_sockets, 0, 0, PREDICTS_NOTHING, false, false},
    {"broken-unheld", "announces a port that it does not hold", choose_nothing, hold_chosen,
     broken_unheld_announce, release_sockets, 0, 0, PREDICTS_NONE, false, true},
    {"broken-neighbour", "announces another's port", choose_nothing, hold_chosen,
     broken_neighbour_announce, release_sockets, 0, 0, PREDICTS_NONE, false, true},
    {"broken-silent", "holds a port and does not announce it", choose_nothing, hold_chosen,
     broken_silent_announce, release_sockets, 0, 0, PREDICTS_NONE, false, true},
    {"broken-token", "answers with a wrong token", choose_nothing, hold_chosen,
     broken_token_announce, release_sockets, 0, 0, PREDICTS_NONE, false, true},
    {.name = NULL}};

int strategy_find(const char *name) {
    for (int i = 0; strategies[i].name != NULL; i++)
        if (strcmp(strategies[i].name, name) == 0)
            return i;
    return -1;
}
