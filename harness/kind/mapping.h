/* Port mappings, whether from a Kind file, a compose file or `-p`. */
#ifndef PORTWITNESS_KIND_MAPPING_H
#define PORTWITNESS_KIND_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/listen_address.h"
#include "harness/kind/input_problem.h"

enum mapping_source { SOURCE_KIND, SOURCE_COMPOSE, SOURCE_PUBLISH };

#define MAPPINGS_MAX 10000 /* of one input, aliases written out */

struct mapping {
    enum mapping_source source;
    size_t node;  /* index in `nodes` */
    size_t index; /* within the node */
    /* First and last, which are equal but for `-p` and compose files. In a Kind file they are as
     * written, whether Kind takes them or not; a host port is 0 if none is said. */
    int32_t container_port;
    int32_t container_port_last;
    int32_t host_port;
    int32_t host_port_last;
    char *address;  /* as written, "" if none is said; without brackets */
    char *protocol; /* in upper case, "" if none is said */
    size_t line;
    size_t column;
};

/* A node of a Kind cluster, a service of a compose file, or all `-p` together. */
struct mapping_node {
    char *name; /* the role or the service */
};

struct plan_input {
    struct mapping *mappings;
    size_t count;
    size_t room;
    struct mapping_node *nodes;
    size_t node_count;
    size_t node_room;
    /* Of a Kind file. */
    bool from_kind;
    char *ip_family; /* "ipv4" if none is said */
    char *api_address;
    int32_t api_port;
    /* What Kind's decoding finds wrong before its validation, or NULL: the text behind "unable to
     * decode config: ". Those of a protocol end the decoding; unknown keys are gathered. */
    char *decode_error;
    char *unknown_keys;
    /* A protocol is empty, before any unknown one: the oldest release's decoding ends there. */
    bool empty_protocol;
};

enum mapping_fate {
    FATE_FIXED,         /* this number and no other */
    FATE_KIND_SEARCHES, /* Kind searches a free port and hands its number on */
    FATE_RUNTIME_PICKS, /* the runtime is asked for any port */
    FATE_FROM_RANGE,    /* the runtime takes a free one out of a range */
};

/* What becomes of the mapping. */
enum mapping_fate mapping_fate(const struct mapping *mapping);

/* "fixed", "kind-searches", "runtime-picks" or "runtime-picks-from-range". */
const char *mapping_fate_name(enum mapping_fate fate);

/* The protocol that is used: the one said, else "TCP". */
const char *mapping_protocol(const struct mapping *mapping);

/* The address that the runtime is given; "" where it is given none (not from a Kind file). */
const char *mapping_address(const struct plan_input *input, const struct mapping *mapping);

/* Adds a node or service; takes a copy of the name. Returns its index. */
size_t plan_input_add_node(struct plan_input *input, const char *name);

/* Adds a mapping to the last node, and takes over its strings. false with *problem filled, the
 * strings freed, if there are too many. */
bool plan_input_add_mapping(struct plan_input *input, const struct mapping *mapping,
                            struct input_problem *problem);

/* Frees what is in it. */
void plan_input_free(struct plan_input *input);

#endif
