/* What `plan` found, and the two ways to show it. */
#ifndef PORTWITNESS_KIND_PLAN_H
#define PORTWITNESS_KIND_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/kind/release.h"
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

/* What is asked of it. */
struct plan_request {
    const char *file;         /* NULL: the specifications; "-": standard input */
    const char *const *specs; /* as `docker run -p` takes them */
    size_t spec_count;
    const struct kind_release *release; /* NULL: the newest */
    bool check_now;                     /* whether numbers are free here */
};

/* Reads the input and makes the plan of it. false, with one line on stderr, where the input cannot
 * be read or is bad. To be freed in either case. */
bool plan_make(struct plan *plan, const struct plan_request *request);

/* Frees what the plan holds. */
void plan_free(struct plan *plan);

/* Was there a number to check, and was that asked for? */
bool plan_is_checked(const struct plan *plan, size_t index);

/* Writes it for people to read, to standard output. */
void plan_text_write(const struct plan *plan);

/* Writes a line a rule of Kind: the releases, and what they say. */
void plan_text_write_rules(const struct plan *plan);

/* Writes it as one JSON object, to standard output. */
void plan_json_write(const struct plan *plan);

#endif
