/* A program may be seen by several means: one in Go loads the shim, and calls past it. */
#include "harness/report/seen_by_json.h"

#include "harness/trace/seen_by.h"

json_t *seen_by_json(const struct process *process) {
    static const struct {
        unsigned bit;
        const char *name;
    } means[] = {{SEEN_BY_SHIM, "shim"}, {SEEN_BY_EBPF, "ebpf"}, {SEEN_BY_SECCOMP, "seccomp"}};
    if (process == NULL)
        return json_null();
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof means / sizeof *means; i++)
        if ((process->seen_by & means[i].bit) != 0)
            json_array_append_new(list, json_string(means[i].name));
    return list;
}
