/* libyaml's events become a tree here, not by its own document loader: that one has no limits,
 * keeps no count of what aliases stand for, and forgets whether an alias lies within its own
 * anchor. */
#include "harness/kind/yaml_tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "harness/base/memory.h"

struct anchor {
    char *name;
    struct tree_node *node;
};

struct yaml_tree {
    struct tree_node **nodes; /* all that were made */
    size_t count;
    size_t room;
    struct anchor *anchors;
    size_t anchor_count;
    size_t anchor_room;
    struct tree_node *open[YAML_TREE_DEPTH]; /* from the root to where we are */
    size_t depth;
    struct tree_node *root;
    struct input_problem *problem;
};

static bool refuse(struct yaml_tree *tree, const yaml_mark_t *mark, const char *what) {
    return input_problem_set(tree->problem, mark->line + 1, mark->column + 1, "%s", what);
}

/* Hangs a node into the innermost open one. */
static bool attach(struct yaml_tree *tree, struct tree_node *node, const yaml_mark_t *mark) {
    struct tree_node *parent;

    if (tree->depth == 0) {
        tree->root = node;
        return true;
    }
    parent = tree->open[tree->depth - 1];
    parent->children =
        memory_grow(parent->children, &parent->room, parent->count + 1, sizeof *parent->children);
    parent->children[parent->count++] = node;
    parent->expanded += node->expanded;
    if (parent->expanded > YAML_TREE_EXPANDED)
        return refuse(tree, mark, "aliases expand to more than 1000000 values");
    return true;
}

static bool note_anchor(struct yaml_tree *tree, const yaml_char_t *name, struct tree_node *node,
                        const yaml_mark_t *mark) {
    if (name == NULL)
        return true;
    if (tree->anchor_count == YAML_TREE_ANCHORS)
        return refuse(tree, mark, "more than 1000 anchors");
    tree->anchors = memory_grow(tree->anchors, &tree->anchor_room, tree->anchor_count + 1,
                                sizeof *tree->anchors);
    tree->anchors[tree->anchor_count].name =
        memory_copy((const char *)name, strlen((const char *)name));
    tree->anchors[tree->anchor_count++].node = node;
    return true;
}

static struct tree_node *new_node(struct yaml_tree *tree, enum tree_kind kind,
                                  const yaml_mark_t *mark) {
    struct tree_node *node;

    if (tree->count == YAML_TREE_NODES) {
        refuse(tree, mark, "more than 100000 values");
        return NULL;
    }
    node = (struct tree_node *)memory_copy((const char *)&(struct tree_node){.kind = kind},
                                           sizeof *node);
    node->line = mark->line + 1;
    node->column = mark->column + 1;
    node->expanded = 1;
    tree->nodes =
        memory_grow(tree->nodes, &tree->room, tree->count + 1, sizeof(struct tree_node *));
    tree->nodes[tree->count++] = node;
    return node;
}

static bool may_be_number(const yaml_event_t *event) {
    const char *tag = (const char *)event->data.scalar.tag;

    if (tag == NULL)
        return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return strcmp(tag, YAML_INT_TAG) == 0 || strcmp(tag, YAML_FLOAT_TAG) == 0 ||
           strcmp(tag, YAML_NULL_TAG) == 0;
}

static bool take_scalar(struct yaml_tree *tree, const yaml_event_t *event) {
    struct tree_node *node = new_node(tree, TREE_SCALAR, &event->start_mark);

    if (node == NULL)
        return false;
    node->text = memory_copy((const char *)event->data.scalar.value, event->data.scalar.length);
    /* A NUL, which only an escape can bring in, must not cut the text short. */
    for (size_t i = 0; i < event->data.scalar.length; i++)
        if (node->text[i] == '\0')
            node->text[i] = '\1';
    node->plain = may_be_number(event);
    return note_anchor(tree, event->data.scalar.anchor, node, &event->start_mark) &&
           attach(tree, node, &event->start_mark);
}

static bool open_collection(struct yaml_tree *tree, const yaml_event_t *event) {
    bool sequence = event->type == YAML_SEQUENCE_START_EVENT;
    struct tree_node *node;

    if (tree->depth == YAML_TREE_DEPTH)
        return refuse(tree, &event->start_mark, "nested deeper than 64 levels");
    node = new_node(tree, sequence ? TREE_SEQUENCE : TREE_MAPPING, &event->start_mark);
    if (node == NULL)
        return false;
    node->open = true;
    tree->open[tree->depth++] = node;
    return note_anchor(
        tree, sequence ? event->data.sequence_start.anchor : event->data.mapping_start.anchor, node,
        &event->start_mark);
}

static bool close_collection(struct yaml_tree *tree, const yaml_event_t *event) {
    struct tree_node *node = tree->open[--tree->depth];

    node->open = false;
    return attach(tree, node, &event->start_mark);
}

static bool take_alias(struct yaml_tree *tree, const yaml_event_t *event) {
    const char *name = (const char *)event->data.alias.anchor;

    for (size_t i = tree->anchor_count; i > 0; i--)
        if (strcmp(tree->anchors[i - 1].name, name) == 0) {
            if (tree->anchors[i - 1].node->open)
                return refuse(tree, &event->start_mark, "an alias to a value that contains it");
            return attach(tree, tree->anchors[i - 1].node, &event->start_mark);
        }
    return input_problem_set(tree->problem, event->start_mark.line + 1,
                             event->start_mark.column + 1, "no anchor '%s' before this alias",
                             name);
}

static bool take_event(struct yaml_tree *tree, const yaml_event_t *event) {
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(tree, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return open_collection(tree, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_collection(tree, event);
    case YAML_ALIAS_EVENT:
        return take_alias(tree, event);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    default:
        return true;
    }
}

static bool no_yaml(struct input_problem *problem, const yaml_parser_t *parser) {
    /* An encoding error has an offset instead of a line. */
    if (parser->error == YAML_READER_ERROR)
        return input_problem_set(problem, 1, parser->problem_offset + 1, "not YAML: %s",
                                 parser->problem);
    return input_problem_set(problem, parser->problem_mark.line + 1,
                             parser->problem_mark.column + 1, "not YAML: %s",
                             parser->problem != NULL ? parser->problem : "cannot be read");
}

/* Kind, too, reads the first document and looks no further. */
static bool read_document(struct yaml_tree *tree, yaml_parser_t *parser) {
    for (;;) {
        yaml_event_t event;
        bool good;
        bool ended;

        if (!yaml_parser_parse(parser, &event))
            return no_yaml(tree->problem, parser);
        ended = event.type == YAML_DOCUMENT_END_EVENT || event.type == YAML_STREAM_END_EVENT;
        good = take_event(tree, &event);
        yaml_event_delete(&event);
        if (!good)
            return false;
        if (ended)
            break;
    }
    return tree->root != NULL || input_problem_set(tree->problem, 1, 1, "an empty document");
}

/* Where the limit on bytes is passed. */
static bool too_long(const char *text, struct input_problem *problem) {
    size_t line = 1;
    size_t column = 1;

    for (size_t i = 0; i < YAML_TREE_BYTES; i++) {
        column++;
        if (text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    return input_problem_set(problem, line, column, "larger than 1 MiB");
}

struct yaml_tree *yaml_tree_read(const char *text, size_t length, struct input_problem *problem) {
    struct yaml_tree *tree = NULL;
    yaml_parser_t parser;
    bool good;

    if (length > YAML_TREE_BYTES) {
        too_long(text, problem);
        return NULL;
    }
    if (!yaml_parser_initialize(&parser)) {
        input_problem_set(problem, 1, 1, "out of memory");
        return NULL;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    tree = (struct yaml_tree *)memory_copy((const char *)&(struct yaml_tree){.problem = problem},
                                           sizeof *tree);
    good = read_document(tree, &parser);
    yaml_parser_delete(&parser);
    if (good)
        return tree;
    yaml_tree_free(tree);
    return NULL;
}

const struct tree_node *yaml_tree_root(const struct yaml_tree *tree) { return tree->root; }

void yaml_tree_free(struct yaml_tree *tree) {
    if (tree == NULL)
        return;
    for (size_t i = 0; i < tree->count; i++) {
        free(tree->nodes[i]->text);
        free(tree->nodes[i]->children);
        free(tree->nodes[i]);
    }
    for (size_t i = 0; i < tree->anchor_count; i++)
        free(tree->anchors[i].name);
    free(tree->nodes);
    free(tree->anchors);
    free(tree);
}
