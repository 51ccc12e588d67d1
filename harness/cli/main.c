/* One table of commands drives dispatch, help and suggestions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/near_miss.h"
#include "harness/base/output.h"
#include "harness/base/shell_words.h"
#include "harness/base/statuses.h"
#include "harness/cli/commands.h"
#include "harness/cli/version.h"
#include "shim/shared/clock.h"

static const struct command *const commands[] = {
    &run_command,     &check_command, &stress_command, &reserve_command, &ports_command,
    &explain_command, &plan_command,  &storm_command,  &export_command,  &mark_command};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void show_usage(FILE *to) {
    fputs("Usage: portwitness COMMAND [OPTION...] [ARGUMENT...]\n"
          "Records which ports programs ask for and get, and finds port races.\n"
          "\n"
          "Commands:\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n"
          "portwitness [--] PROGRAM [ARGUMENT...] is short for run --check -- PROGRAM ...\n"
          "portwitness help COMMAND, or COMMAND --help, shows a command's options.\n"
          "-h, --help shows this help and -V, --version the version.\n",
          to);
}

static const struct command *find_command(const char *name) {
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
    return NULL;
}

/* The words that can come first, for suggestions. */
static const char *nearest(const char *word) {
    const char *names[COMMANDS + 1] = {"help"};
    for (size_t i = 0; i < COMMANDS; i++)
        names[i + 1] = commands[i]->name;
    return near_miss(word, names, COMMANDS + 1);
}

static int finish(void) { return output_finish() ? STATUS_GOOD : STATUS_UNWRITTEN; }

static int unknown(const char *word, const char *what) {
    const char *meant = nearest(word);
    return usage_error(NULL, "'%s' is %s%s%s%s", word, what,
                       meant != NULL ? "; did you mean '" : "", meant != NULL ? meant : "",
                       meant != NULL ? "'?" : "");
}

/* `help`, as every command, has an option for help. */
static bool is_help_option(const char *word) {
    return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
}

static int help(int argc, char **argv) {
    if (argc > 1 && is_help_option(argv[argc - 1]))
        argc--;
    const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
    if (argc > 1 && command == NULL && strcmp(argv[1], "help") != 0)
        return unknown(argv[1], "not a command");
    if (argc > 2)
        return usage_error(NULL, "extra operand '%s': one command at a time", argv[2]);
    if (command != NULL)
        options_help(command);
    else
        show_usage(stdout);
    return finish();
}

static bool is_program(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* Would execvp(3) find it? */
static bool is_on_path(const char *name) {
    const char *path = getenv("PATH");
    char candidate[8192];
    if (strchr(name, '/') != NULL)
        return is_program(name);
    for (path = path != NULL ? path : "/bin:/usr/bin"; *name != '\0';) {
        size_t length = strcspn(path, ":");
        snprintf(candidate, sizeof candidate, "%.*s/%s", length > 0 ? (int)length : 1,
                 length > 0 ? path : ".", name);
        if (is_program(candidate))
            return true;
        if (path[length] == '\0')
            break;
        path += length + 1;
    }
    return false;
}

/* portwitness PROGRAM is the shortest way to the question that most have. */
static int run_checked(int argc, char **argv) {
    static char name[] = "run", check[] = "--check", end[] = "--";
    char *const first[] = {name, check, end};
    const size_t count = sizeof first / sizeof *first;
    char **words = calloc((size_t)argc + count + 1, sizeof *words);
    if (words == NULL)
        return STATUS_FAILED;
    memcpy(words, first, sizeof first);
    memcpy(words + count, argv, (size_t)argc * sizeof *words);
    int status = run_command.run(argc + (int)count, words);
    free(words);
    return status;
}

/* A long option may be abbreviated, as those of the commands. */
static bool is_option(const char *word, const char *letter, const char *name) {
    return strcmp(word, letter) == 0 ||
           (strlen(word) > 2 && strncmp(word, name, strlen(word)) == 0);
}

static int take_option(const char *word) {
    static const char *const names[] = {"--help", "--version"};
    const char *meant = near_miss(word, names, 2);
    if (strcmp(word, "--") == 0)
        return usage_error(NULL, "missing operand: COMMAND");
    if (is_option(word, "-h", "--help")) {
        show_usage(stdout);
        return finish();
    }
    if (is_option(word, "-V", "--version")) {
        puts("portwitness " PORTWITNESS_VERSION);
        return finish();
    }
    if (word[1] != '-' && word[1] != '\0')
        return usage_error(NULL, "invalid option -- '%c'", word[1]);
    return usage_error(NULL, "unrecognized option '%s'%s%s%s", word,
                       meant != NULL ? "; did you mean '" : "", meant != NULL ? meant : "",
                       meant != NULL ? "'?" : "");
}

int main(int argc, char **argv) {
    if (argc < 2) {
        show_usage(stderr);
        return STATUS_USAGE;
    }
    clock_find_namespace();
    const char *word = argv[1];
    if (strcmp(word, "--") == 0 && argc > 2)
        return run_checked(argc - 2, argv + 2);
    if (word[0] == '-')
        return take_option(word);
    if (strcmp(word, "help") == 0)
        return help(argc - 1, argv + 1);
    const struct command *command = find_command(word);
    if (command != NULL)
        return command->run(argc - 1, argv + 1);
    if (is_on_path(word))
        return run_checked(argc - 1, argv + 1);
    if (shell_hint(word))
        return STATUS_USAGE;
    return unknown(word, "neither a command nor a program");
}
