/* A program that loads the shim may call past it (Go, raw system calls, io_uring), so the means is
 * that of its calls as well as of its start. What it forks belongs to it. */
#include "harness/run/seen_programs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/first_names.h"
#include "harness/base/memory.h"
#include "harness/base/message.h"
#include "harness/trace/seen_by.h"

enum { GENERATIONS_MAX = 64, GROUP_BYTES = FIRST_NAMES_BYTES + 64 };

struct seen_program {
    uint64_t parent; /* of a child by fork: serial */
    char *name;      /* NULL: no program, but a child by fork */
    unsigned seen_by;
    uint64_t begin_ns; /* of its start */
};

static struct seen_program *find_or_add(struct seen_programs *programs, uint64_t serial) {
    uint32_t index = map_get(&programs->of, serial);
    if (index == MAP_NONE) {
        index = (uint32_t)programs->count;
        programs->list = memory_grow(programs->list, &programs->room, programs->count + 1,
                                     sizeof *programs->list);
        programs->list[programs->count++] = (struct seen_program){.parent = 0};
        map_put(&programs->of, serial, index);
    }
    return &programs->list[index];
}

static void name(struct seen_program *program, const struct trace_record *record) {
    char comm[sizeof record->identity->comm + 1] = "";
    memcpy(comm, record->identity->comm, sizeof record->identity->comm);
    const char *text = record->text != NULL && record->text[0] != '\0' ? record->text : comm;
    free(program->name);
    program->name = memory_copy(text, strlen(text));
    program->begin_ns = record->begin_ns;
}

void seen_programs_note(struct seen_programs *programs, const struct trace_record *record) {
    bool is_fork = record->kind == PW_KIND_FORK && record->error == 0 && record->identity != NULL;
    unsigned seen_by = seen_by_record(record);
    if (is_fork && record->identity->serial != 0)
        find_or_add(programs, record->identity->serial)->parent = record->process;
    if (seen_by == 0)
        return;
    struct seen_program *program = find_or_add(programs, record->process);
    program->seen_by |= seen_by;
    if (record->kind != PW_KIND_PROCESS_START || record->identity == NULL)
        return;
    if ((record->flags & PW_FLAG_BY_FORK) == 0)
        name(program, record);
    else if (record->identity->parent != 0)
        program->parent = record->identity->parent;
}

/* To the program that a process forked by it goes on with. */
static void pass_on(const struct seen_programs *programs, const struct seen_program *from) {
    const struct seen_program *at = from;
    for (unsigned i = 0; at->name == NULL && i < GENERATIONS_MAX; i++) {
        uint32_t index = at->parent != 0 ? map_get(&programs->of, at->parent) : MAP_NONE;
        if (index == MAP_NONE)
            return;
        at = &programs->list[index];
    }
    if (at->name != NULL)
        programs->list[at - programs->list].seen_by |= from->seen_by;
}

struct group {
    uint64_t count;
    struct first_names names;
};

static void group_text(const struct group *group, const char *means, char text[GROUP_BYTES]) {
    char names[FIRST_NAMES_BYTES];
    text[0] = '\0';
    if (group->count > 0)
        snprintf(text, GROUP_BYTES, ", %" PRIu64 " by %s (%s)", group->count, means,
                 first_names_text(&group->names, names));
}

/* Starts that the shim has not recorded are written some time after. */
static int compare(const void *one, const void *other) {
    uint64_t first = ((const struct seen_program *)one)->begin_ns;
    uint64_t second = ((const struct seen_program *)other)->begin_ns;
    return (first > second) - (first < second);
}

void seen_programs_print(struct seen_programs *programs, FILE *out) {
    struct group ebpf = {.count = 0};
    struct group seccomp = {.count = 0};
    uint64_t shim = 0;
    for (size_t i = 0; i < programs->count; i++)
        if (programs->list[i].name == NULL)
            pass_on(programs, &programs->list[i]);
    map_free(&programs->of); /* of the order before */
    if (programs->count > 0)
        qsort(programs->list, programs->count, sizeof *programs->list, compare);
    for (size_t i = 0; i < programs->count; i++) {
        const struct seen_program *program = &programs->list[i];
        struct group *group = (program->seen_by & SEEN_BY_SECCOMP) != 0 ? &seccomp
                              : (program->seen_by & SEEN_BY_EBPF) != 0  ? &ebpf
                                                                        : NULL;
        if (program->name == NULL)
            continue;
        if (group == NULL) {
            shim++;
            continue;
        }
        group->count++;
        first_names_add(&group->names, program->name);
    }
    if (ebpf.count == 0 && seccomp.count == 0)
        return;
    char by_ebpf[GROUP_BYTES];
    char by_seccomp[GROUP_BYTES];
    group_text(&ebpf, "eBPF", by_ebpf);
    group_text(&seccomp, "seccomp", by_seccomp);
    message_write(out, "portwitness: programs seen: %" PRIu64 " by the shim%s%s", shim, by_ebpf,
                  by_seccomp);
}

void seen_programs_free(struct seen_programs *programs) {
    for (size_t i = 0; i < programs->count; i++)
        free(programs->list[i].name);
    free(programs->list);
    map_free(&programs->of);
    *programs = (struct seen_programs){.count = 0};
}
