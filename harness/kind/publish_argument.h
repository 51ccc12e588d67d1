/* The argument that a container runtime gets for a mapping. */
#ifndef PORTWITNESS_KIND_PUBLISH_ARGUMENT_H
#define PORTWITNESS_KIND_PUBLISH_ARGUMENT_H

#include "harness/kind/mapping.h"

enum container_runtime { RUNTIME_DOCKER, RUNTIME_PODMAN, RUNTIME_NERDCTL, RUNTIME_COUNT };

/* "docker", "podman" or "nerdctl". */
const char *container_runtime_name(enum container_runtime runtime);

/* "--publish=...", to be freed. A number that Kind has still to search stands as <searched>. */
char *publish_argument(const struct plan_input *input, const struct mapping *mapping,
                       enum container_runtime runtime);

#endif
