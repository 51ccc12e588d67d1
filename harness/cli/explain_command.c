/* portwitness explain: what the model, and the kernel if wanted, say of a sequence of calls. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/message.h"
#include "harness/base/output.h"
#include "harness/base/statuses.h"
#include "harness/cli/commands.h"
#include "harness/explain/operations.h"

enum { OPTION_KERNEL = 256, OPTION_JSON };

static const struct argp_option options[] = {
    {"file", 'f', "FILE", 0, "Read the operations from a file, one a line", 0},
    {"kernel", OPTION_KERNEL, NULL, 0,
     "Make the calls as well, in a network namespace of its own, and mark differences", 0},
    {"json", OPTION_JSON, NULL, 0, "One JSON object", 0},
    {0}};

struct explain_choice {
    const char *file; /* NULL: the words */
    char **words;
    bool kernel;
    bool json;
};

static bool take(void *into, const struct option_value *value) {
    struct explain_choice *request = into;
    if (value->key == 'f')
        request->file = value->text;
    else if (value->key == OPTION_KERNEL)
        request->kernel = true;
    else
        request->json = true;
    return true;
}

static int explain(struct explanation *explanation, const struct explain_choice *request) {
    if (!(request->file != NULL ? operations_read_file(explanation, request->file)
                                : operations_read_words(explanation, request->words)))
        return STATUS_USAGE;
    if (explanation->count == 0)
        return usage_error(&explain_command, "missing operand: OPERATION");
    const char *problem = request->kernel ? explanation_enter_network(explanation) : NULL;
    if (problem != NULL) {
        complain("explain", "--kernel: %s: %s", problem, strerror(errno));
        return STATUS_USAGE;
    }
    return explanation_write(explanation, request->kernel, request->json, stdout) ? STATUS_GOOD
                                                                                  : STATUS_FOUND;
}

static int run(int argc, char **argv) {
    struct explanation explanation = {0};
    struct explain_choice request = {0};
    int status;

    output_begin();
    if (!options_parse(&explain_command, argc, argv, &request, &request.words, &status))
        return status;
    explanation_begin(&explanation);
    status = explain(&explanation, &request);
    explanation_free(&explanation);
    return output_finish() ? status : STATUS_UNWRITTEN;
}

const struct command explain_command = {
    .name = "explain",
    .summary = "Shows what the kernel's rules say of a sequence of calls",
    .operands = "OPERATION...\n-f FILE",
    .about = "Shows what the kernel's rules say of each operation, and which rule decides. One "
             "operation an argument or, with -f, a line ('#' begins a comment; '-' is standard "
             "input):\n\n"
             "  NAME tcp|tcp6|udp|udp6\n"
             "  NAME uid N (before the socket is made)\n"
             "  NAME reuseaddr|reuseport|v6only|noport on|off\n"
             "  NAME ports LOW HIGH\n"
             "  NAME device IFACE|none\n"
             "  NAME bind ADDRESS:PORT\n"
             "  NAME connect ADDRESS:PORT\n"
             "  NAME listen|shutdown|disconnect|close\n"
             "  range LOW HIGH\n"
             "  reserved LOW HIGH",
    .notes = "IPv6 addresses stand in brackets. Every address that is bound counts as one of the "
             "host's. The exit status is 0; 1 if --kernel shows a difference; 2 if an operation is "
             "invalid.",
    .examples = {"explain 'a tcp' 'a bind 127.0.0.1:80' 'b tcp' 'b bind 0.0.0.0:80'",
                 "explain --kernel -f operations.txt"},
    .wrong_usage = STATUS_USAGE,
    .options = options,
    .take = take,
    .run = run};
