/*
 * argp of glibc rather than popt: an option whose argument may be left out (--shared,
 * --private-net) must not swallow the word behind it, as popt would have it; options can be
 * abbreviated; the help comes from the same table; and one library less has to be installed. What
 * is said of a wrong option is said here, in the words of getopt_long(3): argp would name a --usage
 * that nobody needs, and would send control characters to the terminal.
 */
#include "harness/cli/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/message.h"
#include "harness/base/near_miss.h"
#include "harness/base/number.h"
#include "harness/base/output.h"
#include "harness/base/statuses.h"
#include "harness/cli/version.h"

enum { OPTIONS_MAX = 32, KEY_HELP = 'h', KEY_VERSION = 'V' };

struct parsing {
    const struct command *command;
    struct argp_option options[OPTIONS_MAX]; /* the command's and those of all */
    void *into;
    char **operands;
    int operand_count;
    int next;      /* the word that is read now; a cluster of letters is one word */
    bool done;     /* help or version were asked for and written */
    bool reported; /* the error has been reported */
};

/* argp sorts the options of a group, so each is a group of its own. */
static void join_options(struct parsing *parsing) {
    static const struct argp_option common[] = {
        {"help", KEY_HELP, NULL, 0, "Show this help and stop", 0},
        {"version", KEY_VERSION, NULL, 0, "Show the version and stop", 0},
        {0}};
    const struct argp_option *const parts[] = {parsing->command->options,
                                               parsing->command->shared_options, common};
    int count = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (const struct argp_option *option = parts[i]; option != NULL && option->name != NULL;
             option++) {
            if (count == OPTIONS_MAX - 1)
                abort();
            parsing->options[count] = *option;
            count++;
            parsing->options[count - 1].group = count;
        }
    parsing->options[count] = (struct argp_option){0};
}

static bool takes_value(const struct argp_option *option) {
    return option->arg != NULL && (option->flags & OPTION_ARG_OPTIONAL) == 0;
}

static const struct argp_option *find_key(const struct parsing *parsing, int key) {
    const struct argp_option *option = parsing->options;
    while (option->name != NULL && option->key != key)
        option++;
    return option->name != NULL ? option : NULL;
}

/* The options whose names begin so, the one that is named in full before others. */
static const struct argp_option *find_name(const struct parsing *parsing, const char *name,
                                           size_t length, unsigned *count) {
    const struct argp_option *found = NULL;
    *count = 0;
    for (const struct argp_option *option = parsing->options; option->name != NULL; option++) {
        if (strncmp(option->name, name, length) != 0)
            continue;
        found = option;
        *count += 1;
        if (option->name[length] == '\0') {
            *count = 1;
            break;
        }
    }
    return found;
}

static void report_unrecognized(const struct parsing *parsing, const char *word, size_t length) {
    const char *names[OPTIONS_MAX];
    char name[64];
    size_t count = 0;
    while (parsing->options[count].name != NULL) {
        names[count] = parsing->options[count].name;
        count++;
    }
    snprintf(name, sizeof name, "%.*s", (int)length, word + 2);
    const char *meant = near_miss(name, names, count);
    usage_error(parsing->command, "unrecognized option '%s'%s%s%s", word,
                meant != NULL ? "; did you mean '--" : "", meant != NULL ? meant : "",
                meant != NULL ? "'?" : "");
}

static void report_ambiguous(const struct parsing *parsing, const char *word, size_t length) {
    char names[512] = "";
    size_t used = 0;
    for (const struct argp_option *option = parsing->options; option->name != NULL; option++)
        if (strncmp(option->name, word + 2, length) == 0 && used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, " '--%s'", option->name);
    usage_error(parsing->command, "option '%s' is ambiguous; possibilities:%s", word, names);
}

static void report_long(const struct parsing *parsing, const char *word) {
    size_t length = strcspn(word + 2, "=");
    unsigned count;
    const struct argp_option *option = find_name(parsing, word + 2, length, &count);
    if (count == 0)
        report_unrecognized(parsing, word, length);
    else if (count > 1)
        report_ambiguous(parsing, word, length);
    else if (word[2 + length] == '=')
        usage_error(parsing->command, "option '--%s' doesn't allow an argument", option->name);
    else
        usage_error(parsing->command, "option '--%s' requires an argument", option->name);
}

static void report_short(const struct parsing *parsing, const char *word) {
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        const struct argp_option *option = find_key(parsing, *letter);
        if (option == NULL) {
            usage_error(parsing->command, "invalid option -- '%c'", *letter);
            return;
        }
        if (takes_value(option))
            break;
    }
    usage_error(parsing->command, "option requires an argument -- '%c'", word[strlen(word) - 1]);
}

static void report_error(const struct parsing *parsing, int argc, char **argv) {
    const char *word = parsing->next < argc ? argv[parsing->next] : "";
    if (strncmp(word, "--", 2) == 0)
        report_long(parsing, word);
    else
        report_short(parsing, word);
}

/* `run -o -- true` has forgotten the file's name. */
static bool is_swallowed_end(const struct argp_option *option, const char *text,
                             const struct argp_state *state) {
    return takes_value(option) && strcmp(text, "--") == 0 && text == state->argv[state->next - 1];
}

static error_t take_option(struct parsing *parsing, int key, char *text, struct argp_state *state) {
    const struct argp_option *option = find_key(parsing, key);
    char name[64];
    if (option == NULL)
        return ARGP_ERR_UNKNOWN;
    if (key == KEY_HELP || key == KEY_VERSION) {
        if (key == KEY_HELP)
            options_help(parsing->command);
        else
            puts("portwitness " PORTWITNESS_VERSION);
        parsing->done = true;
        return ECANCELED;
    }
    snprintf(name, sizeof name, "--%s", option->name);
    const struct option_value value = {parsing->command, key, name, text};
    parsing->reported = true;
    if (is_swallowed_end(option, text, state))
        report_error(parsing, state->argc, state->argv);
    else if (parsing->command->take(parsing->into, &value))
        parsing->reported = false;
    parsing->next = state->next;
    return parsing->reported ? EINVAL : 0;
}

static error_t take(int key, char *text, struct argp_state *state) {
    struct parsing *parsing = state->input;
    if (key == ARGP_KEY_ARG && parsing->command->runs_program) {
        parsing->operands = state->argv + state->next - 1;
        state->next = state->argc;
        return 0;
    }
    if (key == ARGP_KEY_ARG) {
        /* It moves to the front; what stood there was read already. */
        parsing->operands[parsing->operand_count++] = text;
        parsing->next = state->next;
        return 0;
    }
    return take_option(parsing, key, text, state);
}

bool options_parse(const struct command *command, int argc, char **argv, void *into,
                   char ***operands, int *status) {
    struct parsing parsing = {.command = command,
                              .into = into,
                              .operands = command->runs_program ? argv + argc : argv + 1,
                              .next = 1};
    join_options(&parsing);
    const struct argp argp = {.options = parsing.options, .parser = take};
    error_t error = argp_parse(&argp, argc, argv, ARGP_SILENT | ARGP_IN_ORDER, NULL, &parsing);
    if (parsing.done) {
        *status = output_finish()                         ? STATUS_GOOD
                  : command->wrong_usage == STATUS_FAILED ? STATUS_FAILED
                                                          : STATUS_UNWRITTEN;
        return false;
    }
    if (error != 0) {
        if (!parsing.reported)
            report_error(&parsing, argc, argv);
        *status = command->wrong_usage;
        return false;
    }
    if (!command->runs_program)
        parsing.operands[parsing.operand_count] = NULL;
    *operands = parsing.operands;
    return true;
}

void options_help(const struct command *command) {
    struct parsing parsing = {.command = command};
    char name[64];
    char *doc = NULL;
    join_options(&parsing);
    snprintf(name, sizeof name, "portwitness %s", command->name);
    if (asprintf(&doc, "%s%s%s", command->about, command->notes != NULL ? "\v" : "",
                 command->notes != NULL ? command->notes : "") < 0)
        abort();
    const struct argp argp = {
        .options = parsing.options, .parser = take, .args_doc = command->operands, .doc = doc};
    /* That an argument of a long option is one of its letter's as well is known. */
    (void)setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
    argp_help(&argp, stdout,
              ARGP_HELP_SHORT_USAGE | ARGP_HELP_PRE_DOC | ARGP_HELP_LONG | ARGP_HELP_POST_DOC,
              name);
    free(doc);
    if (command->more != NULL)
        command->more(stdout);
    printf("\nExamples:\n  portwitness %s\n  portwitness %s\n", command->examples[0],
           command->examples[1]);
}

bool option_wrong(const struct option_value *value, const char *why, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, why);
    vsnprintf(text, sizeof text, why, arguments);
    va_end(arguments);
    return complain(value->command->name, "invalid argument '%s' for '%s': %s",
                    value->text != NULL ? value->text : "", value->name, text);
}

bool option_number(const struct option_value *value, uint64_t least, uint64_t most,
                   uint64_t *number) {
    return read_number(value->text, least, most, number) ||
           option_wrong(value, "must be a number from %llu to %llu", (unsigned long long)least,
                        (unsigned long long)most);
}

bool option_unsigned(const struct option_value *value, unsigned least, unsigned most,
                     unsigned *number) {
    uint64_t wide = 0;
    bool good = option_number(value, least, most, &wide);
    *number = (unsigned)wide;
    return good;
}

int usage_error(const struct command *command, const char *format, ...) {
    const char *name = command != NULL ? command->name : NULL;
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    complain(name, "%s", text);
    fprintf(stderr, "Try 'portwitness %s%s--help' for more information.\n",
            name != NULL ? name : "", name != NULL ? " " : "");
    return command != NULL ? command->wrong_usage : STATUS_USAGE;
}
