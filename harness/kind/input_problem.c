/* What is wrong with an input often quotes the input, which may hold anything: the message stays
 * one line of printable text whatever is in it. */
#include "harness/kind/input_problem.h"

#include <stdarg.h>

#include "harness/base/message.h"

bool input_problem_set(struct input_problem *problem, size_t line, size_t column,
                       const char *format, ...) {
    va_list arguments;

    problem->line = line;
    problem->column = column;
    va_start(arguments, format);
    message_put(problem->what, sizeof problem->what, format, arguments);
    va_end(arguments);
    return false;
}
