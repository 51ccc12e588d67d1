/* The control group that a command runs in, so that eBPF programs see it and nobody else: a child
 * of our own, of the unified hierarchy (cgroup2). What limits our own group limits it as well. */
#ifndef PORTWITNESS_CAPTURE_CAPTURE_GROUP_H
#define PORTWITNESS_CAPTURE_CAPTURE_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_group {
    char *path;     /* of the folder, NULL: there is none */
    int folder;     /* -1: none; to attach programs at */
    int processes;  /* cgroup.procs, open for writing; -1: none */
    int root;       /* the folder of the root, for capture of the host; -1: not asked for */
    uint64_t id;    /* as bpf_get_current_ancestor_cgroup_id gives it */
    uint32_t level; /* in the hierarchy, whose root is 0 */
};

enum { CAPTURE_WHY_BYTES = 256 };

/* Makes the group, and first removes those that runs which are over left empty. false, with one
 * sentence for the user in why, if there is no cgroup2 that may be written. The descriptors are
 * closed at exec. `host` opens the root as well. */
bool capture_group_open(struct capture_group *group, bool host, char why[CAPTURE_WHY_BYTES]);

/* For the child that becomes the command, between fork and exec: moves it into the group. It is
 * async-signal-safe. false with errno set if the kernel refused. */
bool capture_group_enter(const struct capture_group *group);

/* Closes the descriptors, and removes the group if nothing runs in it any more; otherwise the next
 * run does that. */
void capture_group_close(struct capture_group *group);

#endif
