/* The command line of each command: its options, its help, and what is said where it is wrong. */
#ifndef PORTWITNESS_CLI_OPTIONS_H
#define PORTWITNESS_CLI_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct command;

/* One option as it was given. */
struct option_value {
    const struct command *command;
    int key;          /* of its row */
    const char *name; /* "--pid" */
    const char *text; /* its argument; NULL: none */
};

struct command {
    const char *name;
    const char *summary;  /* for the list of all commands */
    const char *operands; /* behind the options in the usage line; more than one form by lines */
    const char *about;
    const char *notes;                 /* behind the options; NULL: none */
    void (*more)(FILE *to);            /* writes what follows the notes; NULL: nothing */
    const char *examples[2];           /* without "portwitness" */
    bool runs_program;                 /* options end at the first word that is not one */
    int wrong_usage;                   /* the exit status after it */
    const struct argp_option *options; /* ended by a row of zeros; -h and -V are every command's */
    const struct argp_option *shared_options; /* more of them, behind; NULL: none */
    /* Takes one option into what options_parse was given. false after a complaint. */
    bool (*take)(void *into, const struct option_value *value);
    int (*run)(int argc, char **argv); /* argv[0] is the name; returns the exit status */
};

/* Hands the options in argv to the command's `take`, and leaves the other words, ended by NULL, in
 * *operands; both point into argv, which is changed. true to go on; otherwise *status is the exit
 * status, after help or version were written, or after a complaint. */
bool options_parse(const struct command *command, int argc, char **argv, void *into,
                   char ***operands, int *status);

/* Writes the command's help to standard output. */
void options_help(const struct command *command);

/* Complains that an option's argument is wrong, and why. Always false. */
bool option_wrong(const struct option_value *value, const char *why, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads an option's argument as a number; false after a complaint. */
bool option_number(const struct option_value *value, uint64_t least, uint64_t most,
                   uint64_t *number);

/* The same for numbers that fit. */
bool option_unsigned(const struct option_value *value, unsigned least, unsigned most,
                     unsigned *number);

/* Complains about the command line itself, and names the help. Returns the exit status. The command
 * is NULL for portwitness itself. */
int usage_error(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
