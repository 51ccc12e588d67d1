/* A stranger's pid says little to whoever did not start it: its unit or container does. */
#include "harness/report/stranger_name.h"

#include <inttypes.h>
#include <stdio.h>

#include "harness/base/control_group.h"
#include "harness/base/json_line.h"

void stranger_name(const struct process *process, char *text, size_t size) {
    struct control_group group = {.kind = GROUP_NONE};
    if (process->control_group != NULL)
        control_group_parse(process->control_group, &group);
    if (group.kind == GROUP_NONE)
        snprintf(text, size, "%s (pid %" PRIu32 ", not of this run)", process->comm, process->pid);
    else
        snprintf(text, size, "%s (pid %" PRIu32 ", %s %s)", process->comm, process->pid,
                 control_group_label(group.kind), group.name);
}

void stranger_add_group_json(json_t *object, const char *control_group) {
    struct control_group group = {.kind = GROUP_NONE};
    if (control_group != NULL)
        control_group_parse(control_group, &group);
    bool is_unit = group.kind == GROUP_UNIT || group.kind == GROUP_USER_UNIT;
    json_object_set_new(object, "unit", json_text_or_null(is_unit ? group.name : NULL));
    json_object_set_new(object, "container",
                        group.kind == GROUP_NONE || is_unit
                            ? json_null()
                            : json_pack("{s:s,s:s}", "runtime", control_group_kind_name(group.kind),
                                        "id", group.name));
}

void stranger_add_json(json_t *object, const struct process *process) {
    bool is_stranger = process != NULL && process->is_stranger;
    json_object_set_new(object, "stranger", json_boolean(is_stranger));
    stranger_add_group_json(object, is_stranger ? process->control_group : NULL);
}
