/* The names are those that systemd and the container runtimes give: system.slice/NAME.service,
 * docker-ID.scope or docker/ID, libpod-ID.scope, nerdctl-ID.scope, kubepods.../ID. */
#include "harness/base/control_group.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { ID_LENGTH = 64, ID_SHOWN = 12 };

struct part {
    const char *text;
    size_t length;
};

static bool starts_with(const struct part *part, const char *prefix) {
    size_t length = strlen(prefix);
    return part->length >= length && memcmp(part->text, prefix, length) == 0;
}

static bool ends_with(const struct part *part, const char *suffix) {
    size_t length = strlen(suffix);
    return part->length > length && memcmp(part->text + part->length - length, suffix, length) == 0;
}

static bool is(const struct part *part, const char *text) {
    return part->length == strlen(text) && starts_with(part, text);
}

/* Where 64 hexadecimal digits end the part, a suffix left aside; NULL if they do not. */
static const char *id_of(const struct part *part) {
    static const char suffix[] = ".scope";
    size_t length = part->length - (ends_with(part, suffix) ? sizeof suffix - 1 : 0);
    if (length < ID_LENGTH)
        return NULL;
    const char *id = part->text + length - ID_LENGTH;
    for (size_t i = 0; i < ID_LENGTH; i++)
        if (!isxdigit((unsigned char)id[i]))
            return NULL;
    return id;
}

static void set(struct control_group *group, enum group_kind kind, const char *name,
                size_t length) {
    group->kind = kind;
    snprintf(group->name, sizeof group->name, "%.*s", (int)length, name);
}

/* A runtime's own control group for a container; of what runs in it only the name stays. */
static bool is_container(const struct part *part, const struct part *above, bool in_pod,
                         struct control_group *group) {
    const char *id = id_of(part);
    if (id == NULL)
        return false;
    enum group_kind kind = GROUP_NONE;
    if (in_pod)
        kind = GROUP_KUBERNETES;
    else if (starts_with(part, "docker-") || is(above, "docker"))
        kind = GROUP_DOCKER;
    else if (starts_with(part, "libpod-") || is(above, "libpod_parent"))
        kind = GROUP_PODMAN;
    else if (starts_with(part, "nerdctl-"))
        kind = GROUP_NERDCTL;
    if (kind != GROUP_NONE)
        set(group, kind, id, ID_SHOWN);
    return kind != GROUP_NONE;
}

/* Below the systemd of a user, whose own unit is user@UID.service, the units are that user's. A
 * scope behind a service is what somebody started there by hand. */
static void note_unit(const struct part *part, bool *is_users, struct control_group *group) {
    if (starts_with(part, "user@") && ends_with(part, ".service"))
        *is_users = true;
    else if (ends_with(part, ".service"))
        set(group, *is_users ? GROUP_USER_UNIT : GROUP_UNIT, part->text, part->length);
    else if (ends_with(part, ".scope"))
        group->kind = GROUP_NONE;
}

/* One line: number, controllers, path. */
static void parse_path(const char *path, size_t size, struct control_group *group) {
    const char *end = path + size;
    struct part above = {.text = "", .length = 0};
    bool is_users = false;
    bool in_pod = false;
    while (path < end) {
        const char *slash = memchr(path, '/', (size_t)(end - path));
        struct part part = {.text = path, .length = (size_t)((slash != NULL ? slash : end) - path)};
        in_pod = in_pod || starts_with(&part, "kubepods") || starts_with(&part, "kubelet");
        if (is_container(&part, &above, in_pod, group))
            return;
        note_unit(&part, &is_users, group);
        above = part;
        path += part.length + 1;
    }
}

void control_group_parse(const char *lines, struct control_group *group) {
    *group = (struct control_group){.kind = GROUP_NONE};
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        const char *first = memchr(lines, ':', length);
        const char *path =
            first != NULL ? memchr(first + 1, ':', length - (size_t)(first + 1 - lines)) : NULL;
        struct control_group found = {.kind = GROUP_NONE};
        if (path != NULL)
            parse_path(path + 1, length - (size_t)(path + 1 - lines), &found);
        if (found.kind > GROUP_USER_UNIT || group->kind == GROUP_NONE)
            *group = found;
        if (found.kind > GROUP_USER_UNIT)
            return;
        lines += length + (lines[length] == '\n');
    }
}

const char *control_group_kind_name(enum group_kind kind) {
    static const char *const names[] = {[GROUP_NONE] = NULL,
                                        [GROUP_UNIT] = "unit",
                                        [GROUP_USER_UNIT] = "user-unit",
                                        [GROUP_DOCKER] = "docker",
                                        [GROUP_PODMAN] = "podman",
                                        [GROUP_NERDCTL] = "nerdctl",
                                        [GROUP_KUBERNETES] = "kubernetes"};
    return names[kind];
}

const char *control_group_label(enum group_kind kind) {
    switch (kind) {
    case GROUP_NONE:
        return "";
    case GROUP_UNIT:
        return "unit";
    case GROUP_USER_UNIT:
        return "unit of its user";
    case GROUP_KUBERNETES:
        return "Kubernetes container";
    default:
        return "container";
    }
}
