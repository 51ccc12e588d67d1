/* Which container or unit of systemd a process belongs to, by the names of its control groups. */
#ifndef PORTWITNESS_BASE_CONTROL_GROUP_H
#define PORTWITNESS_BASE_CONTROL_GROUP_H

enum group_kind {
    GROUP_NONE, /* neither */
    GROUP_UNIT,
    GROUP_USER_UNIT, /* of the systemd of a user */
    GROUP_DOCKER,
    GROUP_PODMAN,
    GROUP_NERDCTL,
    GROUP_KUBERNETES
};

enum { GROUP_NAME_SIZE = 128 };

struct control_group {
    enum group_kind kind;
    char name[GROUP_NAME_SIZE]; /* of the unit, with its suffix; of a container the first 12 digits
                                   of its id */
};

/* Takes the lines of /proc/PID/cgroup apart, of either version; a container is looked for first. */
void control_group_parse(const char *lines, struct control_group *group);

/* "unit", "user-unit", "docker", "podman", "nerdctl", "kubernetes"; NULL for GROUP_NONE. */
const char *control_group_kind_name(enum group_kind kind);

/* What it is to a person: "unit", "container"; "" for GROUP_NONE. */
const char *control_group_label(enum group_kind kind);

#endif
