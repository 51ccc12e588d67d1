/* portwitness reserve: numbers that are nobody else's until the command's servers bind them. */
#include "harness/base/statuses.h"
#include "harness/cli/commands.h"
#include "harness/reserve/hold.h"
#include "harness/reserve/reserve.h"

static const struct argp_option options[] = {
    {"number", 'n', "K", 0, "How many ports (default: 1, at most 1000)", 0}, {0}};

static bool take(void *into, const struct option_value *value) {
    return option_unsigned(value, 1, HELD_PORTS_MAX, into);
}

static int run(int argc, char **argv) {
    unsigned number = 1;
    char **program;
    int status;
    if (!options_parse(&reserve_command, argc, argv, &number, &program, &status))
        return status;
    if (program[0] == NULL)
        return usage_error(&reserve_command, "missing operand: COMMAND");
    return reserve(number, program);
}

const struct command reserve_command = {
    .name = "reserve",
    .summary = "Keeps ports for a command's servers while it runs",
    .operands = "[--] COMMAND [ARGUMENT...]",
    .about = "Keeps TCP ports for the time that the command runs: no other program that asks for "
             "any port is given one of them. Their numbers are in PORTWITNESS_PORT_1, "
             "PORTWITNESS_PORT_2 and so on, and replace {1}, {2} and so on in the command's "
             "arguments. Options end at the first word that is not an option, or at --.",
    .notes = "A server binds such a port as if it were free, provided that it sets SO_REUSEADDR, "
             "as nearly all do. UDP ports are not reserved. Problems with a port are reported at "
             "the end.\n\n"
             "The exit status is the command's; 128+N if signal N ended it; 127 if it was not "
             "found, 126 if it could not be executed; 2 for wrong usage, 125 if portwitness itself "
             "failed.",
    .examples = {"reserve -- ./server --port {1}",
                 "reserve -n 2 -- sh -c './server {1} {2} & ./test {1}'"},
    .runs_program = true,
    .wrong_usage = STATUS_USAGE,
    .options = options,
    .take = take,
    .run = run};
