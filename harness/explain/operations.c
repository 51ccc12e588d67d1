/* Operations as people write them down: a line each, with comments. */
#include "harness/explain/operations.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/message.h"
#include "harness/base/text_file.h"

enum { FILE_BYTES = 1 << 20, OPERATIONS_MAX = 4096 };

static bool take(struct explanation *explanation, const char *file, const char *text,
                 unsigned number) {
    struct operation_problem problem;
    if (explanation_add(explanation, text, &problem))
        return true;
    if (file != NULL)
        return complain("explain", "%s:%u: %s", file, number, problem.what);
    return complain("explain", "operation %u: %s", number, problem.what);
}

static bool take_line(struct explanation *explanation, const char *file, char *line,
                      unsigned number) {
    line[strcspn(line, "#")] = '\0';
    if (line[strspn(line, " \t\r")] == '\0')
        return true;
    if (explanation->count < OPERATIONS_MAX)
        return take(explanation, file, line, number);
    return complain("explain", "%s:%u: more than %d operations", file, number, OPERATIONS_MAX);
}

bool operations_read_file(struct explanation *explanation, const char *file) {
    char why[TEXT_FILE_WHY_BYTES];
    char *text = text_file_read_lines(file, FILE_BYTES, why);
    char *rest = text;
    bool good = true;
    unsigned number = 0;
    if (text == NULL)
        return complain("explain", "%s: %s", file, why);
    for (char *line; good && (line = strsep(&rest, "\n")) != NULL;)
        good = take_line(explanation, file, line, ++number);
    free(text);
    return good;
}

bool operations_read_words(struct explanation *explanation, char *const *words) {
    for (unsigned i = 0; words[i] != NULL; i++)
        if (!take(explanation, NULL, words[i], i + 1))
            return false;
    return true;
}
