/* What `plan` found, and the two ways to show it. */
#ifndef PORTWITNESS_CLI_PLAN_COMMAND_H
#define PORTWITNESS_CLI_PLAN_COMMAND_H

#include "harness/kind/warnings.h"
#include "harness/system/port_check.h"

struct plan {
    const char *file; /* as named; "-p" for mappings of the command line */
    struct plan_input input;
    struct kind_release release;
    char *error; /* of Kind, NULL if it takes the file */
    struct host_facts facts;
    struct plan_warnings warnings;
    struct port_check *checks; /* of each mapping; NULL unless asked for */
};

/* Was there a number to check, and was that asked for? */
bool plan_is_checked(const struct plan *plan, size_t index);

/* Writes it for people to read, to standard output. */
void plan_text_write(const struct plan *plan);

/* Writes a line a rule of Kind: the releases, and what they say. */
void plan_text_write_rules(const struct plan *plan);

/* Writes it as one JSON object, to standard output. */
void plan_json_write(const struct plan *plan);

#endif
