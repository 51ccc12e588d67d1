/* portwitness explain: what the model, and the kernel if wanted, say of a sequence of calls. */
#include <errno.h>
#include <inttypes.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "harness/base/output.h"
#include "harness/base/text_file.h"
#include "harness/cli/commands.h"
#include "harness/explain/explanation.h"

enum { FILE_BYTES = 1 << 20, OPERATIONS_MAX = 4096, VALUE_FILE = 'f' };

static const char help_text[] =
    "\nOne operation an argument or, with -f, a line ('#' begins a comment; '-' is standard "
    "input):\n"
    "  NAME tcp|tcp6|udp|udp6             NAME uid N (before the socket is made)\n"
    "  NAME reuseaddr|reuseport|v6only|noport on|off\n"
    "  NAME ports LOW HIGH                NAME device IFACE|none\n"
    "  NAME bind ADDRESS:PORT             NAME connect ADDRESS:PORT\n"
    "  NAME listen|shutdown|disconnect|close\n"
    "  range LOW HIGH                     reserved LOW HIGH\n"
    "IPv6 addresses stand in brackets. Every address that is bound counts as one of the host's.\n"
    "The exit status is 0; 1 if --kernel shows a difference; 2 if an operation makes no sense.\n";

struct input {
    struct explanation explanation;
    const char *file; /* NULL: arguments */
};

static bool take(struct input *input, const char *text, unsigned number) {
    struct operation_problem problem;
    if (explanation_add(&input->explanation, text, &problem))
        return true;
    if (input->file != NULL)
        message_write(stderr, "portwitness explain: %s:%u: %s", input->file, number, problem.what);
    else
        message_write(stderr, "portwitness explain: operation %u: %s", number, problem.what);
    return false;
}

static bool take_line(struct input *input, char *line, unsigned number) {
    line[strcspn(line, "#")] = '\0';
    if (line[strspn(line, " \t\r")] == '\0')
        return true;
    if (input->explanation.count < OPERATIONS_MAX)
        return take(input, line, number);
    message_write(stderr, "portwitness explain: %s:%u: more than %d operations", input->file,
                  number, OPERATIONS_MAX);
    return false;
}

static bool read_file(struct input *input) {
    char why[TEXT_FILE_WHY_BYTES];
    char *text = text_file_read_lines(input->file, FILE_BYTES, why);
    char *rest = text;
    bool good = true;
    unsigned number = 0;
    if (text == NULL) {
        message_write(stderr, "portwitness explain: %s: %s", input->file, why);
        return false;
    }
    for (char *line; good && (line = strsep(&rest, "\n")) != NULL;)
        good = take_line(input, line, ++number);
    free(text);
    return good;
}

static bool read_input(struct input *input, const char **words) {
    if (input->file != NULL)
        return read_file(input);
    for (unsigned i = 0; words != NULL && words[i] != NULL; i++)
        if (!take(input, words[i], i + 1))
            return false;
    return true;
}

static int explain(struct input *input, const char **words, bool kernel, bool json) {
    if (!read_input(input, words))
        return STATUS_USAGE;
    if (input->explanation.count == 0) {
        message_write(stderr, "portwitness explain: no operation; see portwitness explain --help");
        return STATUS_USAGE;
    }
    const char *problem = kernel ? explanation_enter_network(&input->explanation) : NULL;
    if (problem != NULL) {
        message_write(stderr, "portwitness explain: --kernel: %s: %s", problem, strerror(errno));
        return STATUS_USAGE;
    }
    bool agree = explanation_write(&input->explanation, kernel, json, stdout);
    return agree ? 0 : 1;
}

int explain_command(int argc, char **argv) {
    int kernel = 0;
    int json = 0;
    int help = 0;
    char *file = NULL;
    struct input input = {0};
    const struct poptOption options[] = {
        {"file", 'f', POPT_ARG_STRING, &file, 0, "Read the operations from a file", "FILE"},
        {"kernel", '\0', POPT_ARG_NONE, &kernel, 0,
         "Make the calls as well, in a network namespace of its own, and mark differences", NULL},
        {"json", '\0', POPT_ARG_NONE, &json, 0, "One JSON object", NULL},
        {"help", 'h', POPT_ARG_NONE, &help, 0, "Show this help and stop", NULL},
        POPT_TABLEEND};
    output_begin();
    char title[] = "portwitness explain";
    argv[0] = title;
    poptContext context = poptGetContext(NULL, argc, (const char **)argv, options, 0);
    poptSetOtherOptionHelp(context, "[OPTIONS] OPERATION...");
    int answer = poptGetNextOpt(context);
    int status = STATUS_USAGE;
    input.file = file;
    explanation_begin(&input.explanation);
    if (answer < -1) {
        message_write(stderr, "portwitness explain: %s: %s",
                      poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(answer));
    } else if (help) {
        poptPrintHelp(context, stdout, 0);
        fputs(help_text, stdout);
        status = 0;
    } else {
        status = explain(&input, poptGetArgs(context), kernel != 0, json != 0);
    }
    explanation_free(&input.explanation);
    poptFreeContext(context);
    free(file);
    return output_finish() ? status : 1;
}
