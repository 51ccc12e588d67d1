/* The eBPF programs of harness/capture/programs, which are part of our own file, loaded by libbpf.
 */
#ifndef PORTWITNESS_CAPTURE_EBPF_PROGRAMS_H
#define PORTWITNESS_CAPTURE_EBPF_PROGRAMS_H

#include <stdbool.h>

#include "harness/capture/capture_group.h"
#include "harness/capture/programs/shared.h"

struct bpf_object;
struct bpf_link;

enum { EBPF_LINKS_MAX = 16 };

struct ebpf_programs {
    struct bpf_object *object; /* NULL: not loaded */
    struct bpf_link *links[EBPF_LINKS_MAX];
    unsigned count;
    struct ebpf_switches switches; /* as they were loaded */
    struct ebpf_words *words;      /* shared with the programs */
    bool execs;                    /* programs that are executed are reported */
};

/* Loads the programs with all that this kernel offers of what they can use, and attaches them to
 * the group, or to the root if it was opened. false, with one sentence for the user in why; nothing
 * is left then. */
bool ebpf_programs_load(struct ebpf_programs *programs, const struct capture_group *group,
                        char why[CAPTURE_WHY_BYTES]);

/* The descriptor of the map with this name. */
int ebpf_programs_map(const struct ebpf_programs *programs, const char *name);

/* Detaches and unloads them. */
void ebpf_programs_unload(struct ebpf_programs *programs);

#endif
