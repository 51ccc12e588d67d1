/* Files with port mappings: Kind's cluster files and compose files. */
#ifndef PORTWITNESS_KIND_CLUSTER_FILE_H
#define PORTWITNESS_KIND_CLUSTER_FILE_H

#include "harness/kind/mapping.h"
#include "harness/kind/yaml_tree.h"

/* Adds to *input what is in the text of a file of either kind. false with *problem filled if it is
 * not YAML, not such a file, has no mapping, or has a value of a wrong kind where one is read. What
 * Kind's validation checks is left to kind_verdict. */
bool cluster_file_read(const char *text, size_t length, struct plan_input *input,
                       struct input_problem *problem);

/* Adds services.*.ports of a compose file whose root is given; used by the above. */
bool compose_file_read(const struct tree_node *root, struct plan_input *input,
                       struct input_problem *problem);

#endif
