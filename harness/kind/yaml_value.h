/* Values in a YAML tree, taken as Go's yaml.v3, with which Kind and Docker Compose read, takes
 * them.
 */
#ifndef PORTWITNESS_KIND_YAML_VALUE_H
#define PORTWITNESS_KIND_YAML_VALUE_H

#include "harness/kind/yaml_tree.h"

/* Sets *value to the value of a key of a mapping, merged keys (<<) included, or to NULL if it has
 * no such key. A null value counts as absent. false with *problem filled if the key stands twice.
 */
bool yaml_value_find(const struct tree_node *mapping, const char *key,
                     const struct tree_node **value, struct input_problem *problem);

/* The same, and the value must be of the kind, if it is there; `what` names the kind. */
bool yaml_value_find_kind(const struct tree_node *mapping, const char *key, enum tree_kind kind,
                          const struct tree_node **value, struct input_problem *problem);

/* Sets *number to the value of a key; leaves it alone if there is none. false with *problem filled
 * if the value is not a number, or does not fit. */
bool yaml_value_number(const struct tree_node *mapping, const char *key, int32_t *number,
                       struct input_problem *problem);

/* Sets *text to the value of a key, or to NULL if there is none. It lives as long as the tree.
 * false with *problem filled if the value is not a scalar. */
bool yaml_value_text(const struct tree_node *mapping, const char *key, const char **text,
                     struct input_problem *problem);

/* Is it a null: empty, ~ or the word? */
bool yaml_value_is_null(const struct tree_node *node);

/* "a list", "a mapping" or "a string". */
const char *yaml_value_kind_name(enum tree_kind kind);

#endif
