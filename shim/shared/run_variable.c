/* A value that says less than it should is of an older `run`, or somebody's own: then nothing is
 * known but that there is one. */
#include "shim/shared/run_variable.h"

#include <stddef.h>

#include "shim/shared/trace_file.h"

static const char *read_decimal(const char *text, uint64_t *number) {
    for (*number = 0; *text >= '0' && *text <= '9'; text++)
        *number = *number * 10 + (uint64_t)(*text - '0');
    return text;
}

static bool read_policy(const char *text, struct pw_policy_config *policy) {
    uint64_t field[5];
    for (unsigned i = 0; i < 5; i++) {
        text = read_decimal(text, &field[i]);
        if (*text != (i < 4 ? '.' : '\0'))
            return false;
        text += i < 4;
    }
    if (field[0] > PW_POLICY_KEEP || field[1] > UINT32_MAX || field[2] > UINT16_MAX ||
        field[3] > UINT16_MAX)
        return false;
    *policy = (struct pw_policy_config){.kind = (uint32_t)field[0],
                                        .for_ms = (uint32_t)field[1],
                                        .low = (uint16_t)field[2],
                                        .high = (uint16_t)field[3],
                                        .seed = field[4]};
    return trace_config_is_sound(policy);
}

bool run_variable_read(const char *value, struct run_variable *run) {
    uint64_t filters = 0;
    *run = (struct run_variable){.policy.kind = PW_POLICY_KERNEL};
    if (value == NULL || value[0] == '\0' || (value[0] == '0' && value[1] == '\0'))
        return false;
    if (value[0] != '1' || value[1] != ':')
        return true;
    value = read_decimal(value + 2, &filters);
    run->filters = (unsigned)filters;
    if (*value == ':' && !read_policy(value + 1, &run->policy))
        run->policy = (struct pw_policy_config){.kind = PW_POLICY_KERNEL};
    return true;
}
