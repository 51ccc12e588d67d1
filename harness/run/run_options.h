/* The options of `portwitness run`. */
#ifndef PORTWITNESS_RUN_RUN_OPTIONS_H
#define PORTWITNESS_RUN_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/policy_option.h"

struct run_options {
    const char *trace;   /* NULL: a new name in the current folder */
    const char *host_id; /* NULL: none */
    uint64_t max_size;   /* bytes, 0: the default */
    unsigned mode;       /* permissions of the trace, 0: the default */
    gid_t group;         /* (gid_t)-1: as it comes */
    unsigned stacks;     /* return addresses to record with a call, 0: none */
    unsigned questions;  /* that a process may ask of the kernel's table of sockets */
    struct policy_option policy;
    bool check; /* the trace, when the command has ended */
    bool quiet;
    bool wait;
    bool follow;
    bool help;
    bool bad_policy; /* what made the reading fail was the value of --policy */
    char **command;  /* ended by NULL; has at least the program, unless help is asked for */
};

/* Fills *options from the arguments of `run` (argv[0] is "run"). false, with one line on stderr,
 * where they make no sense. The options point into argv. */
bool run_options_parse(struct run_options *options, int argc, char **argv);

/* Reads a size such as 67108864, 64M or 2GiB (powers of 1024) into *bytes. false if it is none. */
bool run_options_size(const char *text, uint64_t *bytes);

/* Reads the value of --shared: NULL is mode 0666, digits are an octal mode, anything else a group
 * with mode 0660. NULL, or what is wrong with it. */
const char *run_options_shared(const char *text, unsigned *mode, gid_t *group);

/* Help for `portwitness run`. */
extern const char run_options_help[];

#endif
