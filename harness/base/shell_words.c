/* People give to a wrapper what they type at a prompt; half of that is not a program. */
#include "harness/base/shell_words.h"

#include <ctype.h>
#include <string.h>

#include "harness/base/message.h"

/* Commands of bash and of POSIX shells that are built in, and their reserved words. */
static const char *const words[] = {
    "!",       ".",        ":",      "[[",     "alias",    "bg",      "bind",     "break",
    "builtin", "caller",   "case",   "cd",     "command",  "compgen", "complete", "continue",
    "coproc",  "declare",  "dirs",   "disown", "enable",   "eval",    "exec",     "exit",
    "export",  "fc",       "fg",     "for",    "function", "getopts", "hash",     "history",
    "if",      "jobs",     "let",    "local",  "logout",   "mapfile", "popd",     "pushd",
    "read",    "readonly", "return", "select", "set",      "shift",   "shopt",    "source",
    "suspend", "time",     "times",  "trap",   "type",     "typeset", "ulimit",   "umask",
    "unalias", "unset",    "until",  "wait",   "while",    "{"};

static bool is_shell_word(const char *word) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

/* NAME=VALUE. */
static bool is_assignment(const char *word) {
    size_t length = 0;
    while (isalnum((unsigned char)word[length]) || word[length] == '_')
        length++;
    return length > 0 && !isdigit((unsigned char)word[0]) && word[length] == '=';
}

static bool is_line(const char *word) { return word[strcspn(word, " \t\n;|&<>$`")] != '\0'; }

bool shell_hint(const char *word) {
    if (is_shell_word(word))
        complain(NULL, "'%s' is a shell command: use sh -c '%s ...'", word, word);
    else if (is_assignment(word) || (is_line(word) && strchr(word, '\'') != NULL))
        complain(NULL, "this looks like a line for a shell: use sh -c '...'");
    else if (is_line(word))
        complain(NULL, "this looks like a line for a shell: use sh -c '%s'", word);
    else
        return false;
    return true;
}
