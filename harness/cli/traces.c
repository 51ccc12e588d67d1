/* Commands that read traces differ in their options, and not in how they take the traces. */
#include "harness/cli/traces.h"

#include "harness/base/message.h"
#include "harness/trace/same_trace.h"

static void report_same(void *with, const char *left_out, const char *same_as) {
    (void)with;
    complain(NULL, "%s: same trace as %s; read once", left_out, same_as);
}

const char **traces_parse(const struct command *command, int argc, char **argv, void *into,
                          int *status) {
    char **operands;
    if (!options_parse(command, argc, argv, into, &operands, status))
        return NULL;
    if (operands[0] == NULL) {
        *status = usage_error(command, "missing operand: TRACE");
        return NULL;
    }
    return same_trace_once((const char *const *)operands, report_same, NULL);
}
