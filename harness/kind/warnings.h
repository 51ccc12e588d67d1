/* What Kind leaves unsaid of a file, and the kernel or the runtime will say. */
#ifndef PORTWITNESS_KIND_WARNINGS_H
#define PORTWITNESS_KIND_WARNINGS_H

#include "harness/kind/mapping.h"
#include "harness/kind/release.h"
#include "harness/system/host_facts.h"

struct plan_warning {
    const char *kind; /* "duplicate", for example; portwitness-plan(1) lists them */
    size_t mapping;   /* index of the mapping that it is about */
    char *text;
    char *fix;
};

struct plan_warnings {
    struct plan_warning *list;
    size_t count;
    size_t room;
};

/* Adds what there is to say, in the order of the mappings. Zero-initialize *warnings before. */
void plan_warnings_find(const struct plan_input *input, const struct kind_release *release,
                        const struct host_facts *facts, struct plan_warnings *warnings);

/* Frees what is in it. */
void plan_warnings_free(struct plan_warnings *warnings);

#endif
