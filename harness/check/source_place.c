/* Whoever is to change a program changes its own lines: not the interpreter that runs them, nor the
 * system's libraries, of which nobody can change a line. */
#include "harness/check/source_place.h"

#include <string.h>

static bool is_of_system(const char *module) {
    static const char *const folders[] = {"/lib", "/usr/lib"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (strncmp(module, folders[i], strlen(folders[i])) == 0)
            return true;
    return false;
}

static struct site site_of(const struct check_trace *trace, const struct call *call,
                           uint64_t address) {
    return modules_site(&trace->modules, &trace->processes, call->process, address, call->unit);
}

/* In a static program libc is part of the program, but nobody has its lines. */
static uint64_t nearest_address(const struct check *check, struct source_lines *lines,
                                const struct call *call) {
    const struct check_trace *trace = &check->traces[call->trace];
    const struct check_stack *stack = check_stack_of(check, call);
    uint64_t nearest = 0;
    for (size_t i = 0; stack != NULL && i < stack->count; i++) {
        uint64_t address = trace->addresses[stack->first + i];
        const struct site site = site_of(trace, call, address);
        if (site.module == NULL || is_of_system(site.module))
            continue;
        if (source_lines_find(lines, &site).file != NULL)
            return address;
        nearest = nearest != 0 ? nearest : address;
    }
    return nearest != 0 ? nearest : call->site;
}

struct source_place source_place_of(const struct check *check, struct source_lines *lines,
                                    const struct call *call) {
    const struct check_frames *frames = check_frames_of(check, call);
    if (frames != NULL) {
        const struct frame_text frame = check_frame(check, call, frames, frames->nearest);
        return (struct source_place){
            .function = frame.function, .file = frame.file, .line = frame.line, .of = frame.of};
    }
    uint64_t address = nearest_address(check, lines, call);
    const struct site site = site_of(&check->traces[call->trace], call, address);
    const struct source_line line = source_lines_find(lines, &site);
    return (struct source_place){.function = line.function,
                                 .file = line.file,
                                 .line = line.file != NULL ? (uint32_t)line.line : 0,
                                 .address = address};
}

static bool same_text(const char *one, const char *other) {
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

bool source_place_is_frame_of_both(const struct check *check, const struct call *one,
                                   const struct call *other) {
    const struct check_frames *first = check_frames_of(check, one);
    const struct check_frames *second = check_frames_of(check, other);
    if (first == NULL || second == NULL)
        return false;
    const struct frame_text a = check_frame(check, one, first, first->nearest);
    const struct frame_text b = check_frame(check, other, second, second->nearest);
    return a.line == b.line && same_text(a.file, b.file) && same_text(a.function, b.function);
}
