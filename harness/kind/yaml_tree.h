/* A YAML document as a tree that knows lines and columns, built within fixed limits. */
#ifndef PORTWITNESS_KIND_YAML_TREE_H
#define PORTWITNESS_KIND_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/kind/input_problem.h"

enum yaml_tree_limit {
    YAML_TREE_BYTES = 1 << 20,   /* of text */
    YAML_TREE_DEPTH = 64,        /* of nesting */
    YAML_TREE_NODES = 100000,    /* that stand in the text */
    YAML_TREE_ANCHORS = 1000,    /* in the text */
    YAML_TREE_EXPANDED = 1000000 /* nodes, if each alias were written out */
};

enum tree_kind { TREE_SCALAR, TREE_SEQUENCE, TREE_MAPPING };

struct tree_node {
    enum tree_kind kind;
    bool plain; /* a scalar that may be a number or null: neither quoted nor tagged as text */
    bool open;  /* while it is being built */
    size_t line;
    size_t column;
    char *text; /* a scalar's, ended by NUL; else NULL */
    /* Of a sequence its elements, of a mapping key and value in turn. What an alias stands for is
     * shared, so this is not strictly a tree; it has no cycles. */
    struct tree_node **children;
    size_t count;
    size_t room;
    size_t expanded; /* nodes in it, aliases written out */
};

struct yaml_tree;

/* Reads the first document of the text. NULL with *problem filled if the text is not YAML, is
 * empty, or passes a limit. */
struct yaml_tree *yaml_tree_read(const char *text, size_t length, struct input_problem *problem);

const struct tree_node *yaml_tree_root(const struct yaml_tree *tree);

void yaml_tree_free(struct yaml_tree *tree);

#endif
