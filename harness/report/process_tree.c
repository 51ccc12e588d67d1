/* A process can be more than one side of a finding, and above another side: it is shown once, with
 * all that it was. */
#include "harness/report/process_tree.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "harness/base/message.h"
#include "harness/report/generations.h"

enum { LINES_MAX = 24, SIDES_MAX = 5, ROLES_SIZE = 160 };

struct side {
    const struct process *process;
    uint32_t trace;
    const char *role;
};

struct tree {
    const struct check *check;
    FILE *to;
    struct side sides[SIDES_MAX];
    unsigned side_count;
    const struct process *shown[LINES_MAX];
    unsigned shown_count;
};

static void add_side(struct tree *tree, uint32_t trace, uint64_t serial, const char *role) {
    const struct process *process = processes_find(&tree->check->traces[trace].processes, serial);
    if (serial != 0 && process != NULL)
        tree->sides[tree->side_count++] = (struct side){process, trace, role};
}

static void add_sides(struct tree *tree, const struct finding *finding) {
    bool passed_on = finding->held_by != 0;
    const char *has = finding->how == HOW_TIME_WAIT || finding->holder == HOLDER_TIME_WAIT
                          ? "had it"
                          : "has or had it";
    add_side(tree, finding->assigned.trace, finding->assigned.process, "was given the number");
    add_side(tree, finding->subject.trace, finding->subject.process,
             finding->subject.error != 0 ? "was refused it" : "used it");
    add_side(tree, finding->other_assigned.trace, finding->other_assigned.process,
             "was also given it");
    add_side(tree, finding->other.trace, finding->other.process, passed_on ? "bound it" : has);
    add_side(tree, finding->other.trace, finding->held_by, "has it");
}

static const char *roles_of(const struct tree *tree, uint32_t trace, const struct process *process,
                            char text[ROLES_SIZE]) {
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < tree->side_count; i++) {
        const struct side *side = &tree->sides[i];
        if (side->trace == trace && generations_are_one(side->process, process) &&
            used < ROLES_SIZE)
            used += (size_t)snprintf(text + used, ROLES_SIZE - used, "%s%s",
                                     used > 0 ? ", " : "   <- ", side->role);
    }
    return text;
}

static bool is_shown(const struct tree *tree, const struct process *process) {
    for (unsigned i = 0; i < tree->shown_count; i++)
        if (generations_are_one(tree->shown[i], process))
            return true;
    return false;
}

static void show(struct tree *tree, uint32_t index, const struct process *process, unsigned depth) {
    const struct check_trace *trace = &tree->check->traces[index];
    const char *command = process_command(&trace->processes, process);
    char roles[ROLES_SIZE];
    if (tree->shown_count == LINES_MAX || is_shown(tree, process))
        return;
    tree->shown[tree->shown_count++] = process;
    message_write(tree->to, "    %*s%" PRIu32 " %s%s", 2 * (int)depth, "", process->pid,
                  command != NULL ? command : process->comm, roles_of(tree, index, process, roles));
}

/* From the nearest that all sides in the trace have in common; one side alone with all above it. */
static void show_trace(struct tree *tree, uint32_t trace) {
    const struct processes *processes = &tree->check->traces[trace].processes;
    struct generations first = {.count = 0};
    unsigned common = UINT_MAX;
    bool several = false;
    if (tree->check->trace_count > 1)
        message_write(tree->to, "   in %s:", tree->check->traces[trace].path);
    for (unsigned i = 0; i < tree->side_count; i++) {
        struct generations other;
        if (tree->sides[i].trace != trace)
            continue;
        generations_of(&other, processes, tree->sides[i].process->serial);
        if (first.count == 0)
            first = other;
        several = several ||
                  !generations_are_one(first.chain[first.count - 1], other.chain[other.count - 1]);
        unsigned shared = generations_in_common(&first, &other);
        common = shared < common ? shared : common;
    }
    unsigned from = several && common > 0 ? common - 1 : 0;
    for (unsigned i = 0; i < tree->side_count; i++) {
        struct generations one;
        if (tree->sides[i].trace != trace)
            continue;
        generations_of(&one, processes, tree->sides[i].process->serial);
        for (unsigned j = from; j < one.count; j++)
            show(tree, trace, one.chain[j], j - from);
    }
}

void process_tree_write(const struct check *check, const struct finding *finding, FILE *to) {
    struct tree tree = {.check = check, .to = to};
    add_sides(&tree, finding);
    for (unsigned i = 0; i < tree.side_count; i++) {
        bool again = false;
        for (unsigned j = 0; j < i; j++)
            again = again || tree.sides[j].trace == tree.sides[i].trace;
        if (!again)
            show_trace(&tree, tree.sides[i].trace);
    }
}
