/* Twenty copies of one server differ in nothing but in who started them. */
#include "harness/report/short_process.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/report/command_text.h"
#include "harness/report/generations.h"
#include "harness/report/stranger_name.h"

/* One side, with those above it. */
struct lineage {
    uint32_t trace;
    struct generations generations;
};

static struct lineage lineage_of(const struct check *check, uint32_t trace, uint64_t serial) {
    struct lineage lineage = {.trace = trace};
    generations_of(&lineage.generations, &check->traces[trace].processes, serial);
    return lineage;
}

static const struct process *self(const struct lineage *lineage) {
    const struct generations *generations = &lineage->generations;
    return generations->count > 0 ? generations->chain[generations->count - 1] : NULL;
}

static const char *command_of(const struct check *check, const struct lineage *lineage,
                              const struct process *process) {
    const char *command = process_command(&check->traces[lineage->trace].processes, process);
    return command != NULL ? command : process->comm;
}

static bool is_above(const struct lineage *upper, const struct lineage *lower) {
    const struct process *process = self(upper);
    for (unsigned i = 0;
         process != NULL && upper->trace == lower->trace && i + 1 < lower->generations.count; i++)
        if (generations_are_one(lower->generations.chain[i], process))
            return true;
    return false;
}

static bool is_same(const struct lineage *one, const struct lineage *other) {
    const struct process *process = self(one);
    const struct process *another = self(other);
    return one->trace == other->trace && process != NULL && another != NULL &&
           generations_are_one(process, another);
}

/* Has anybody from there down this command? */
static bool has_command(const struct check *check, const struct lineage *lineage, unsigned from,
                        const char *command) {
    for (unsigned i = from; i < lineage->generations.count; i++)
        if (strcmp(command_of(check, lineage, lineage->generations.chain[i]), command) == 0)
            return true;
    return false;
}

/* The topmost of the other run with a command that the other one has not above it; where all are
 * alike, none tells them apart. */
static const struct process *of_another_run(const struct check *check, const struct lineage *one,
                                            const struct lineage *other) {
    const struct generations *chain = &one->generations;
    for (unsigned i = 0; self(other) != NULL && i + 1 < chain->count; i++) {
        const char *command = command_of(check, one, chain->chain[i]);
        if (strcmp(command, command_of(check, one, self(one))) != 0 &&
            !has_command(check, other, 0, command))
            return chain->chain[i];
    }
    return NULL;
}

/* The topmost ancestor that the other one has not, with a command that tells them apart. */
static const struct process *distinguishing(const struct check *check, const struct lineage *one,
                                            const struct lineage *other) {
    const struct generations *chain = &one->generations;
    unsigned common = generations_in_common(chain, &other->generations);
    if (one->trace != other->trace)
        return of_another_run(check, one, other);
    if (common == 0)
        return NULL;
    for (unsigned i = common; i + 1 < chain->count; i++) {
        const char *command = command_of(check, one, chain->chain[i]);
        if (strcmp(command, command_of(check, one, self(one))) != 0 &&
            !has_command(check, other, common, command))
            return chain->chain[i];
    }
    return NULL;
}

/* The nearest ancestor with another command, unless that is the other one. */
static const struct process *parent(const struct check *check, const struct lineage *one,
                                    const struct lineage *other) {
    const struct generations *chain = &one->generations;
    for (unsigned i = chain->count; i > 1; i--) {
        const struct process *process = chain->chain[i - 2];
        if (self(other) != NULL && generations_are_one(process, self(other)))
            return NULL;
        if (strcmp(command_of(check, one, process), command_of(check, one, self(one))) != 0)
            return process;
    }
    return NULL;
}

static const char *describe(const struct check *check, const struct lineage *one,
                            const struct lineage *other, const struct process *ancestor,
                            char text[SHORT_PROCESS_SIZE]) {
    const struct process *process = self(one);
    const struct process *another = self(other);
    char command[COMMAND_TEXT_SIZE];
    char above[COMMAND_TEXT_SIZE];
    bool several = check->trace_count > 1;
    if (process == NULL) {
        snprintf(text, SHORT_PROCESS_SIZE, "a process that is not known");
        return text;
    }
    if (process->is_stranger) {
        stranger_name(process, text, SHORT_PROCESS_SIZE);
        return text;
    }
    command_text(command_of(check, one, process),
                 another != NULL ? command_of(check, other, another) : NULL, command);
    if (ancestor != NULL)
        command_text(command_of(check, one, ancestor), NULL, above);
    snprintf(text, SHORT_PROCESS_SIZE, "%" PRIu32 " %s%s%s%s%s%.200s", process->pid, command,
             ancestor != NULL ? " (of " : "", ancestor != NULL ? above : "",
             ancestor != NULL ? ")" : "", several ? " in " : "",
             several ? check->traces[one->trace].path : "");
    return text;
}

static struct lineage holder_of(const struct check *check, const struct finding *finding) {
    const struct call *other = &finding->other;
    return lineage_of(check, other->trace,
                      finding->held_by != 0 ? finding->held_by : other->process);
}

static struct lineage subject_of(const struct check *check, const struct finding *finding) {
    return lineage_of(check, finding->subject.trace, finding->subject.process);
}

const char *short_process_subject(const struct check *check, const struct finding *finding,
                                  char text[SHORT_PROCESS_SIZE]) {
    const struct lineage subject = subject_of(check, finding);
    const struct lineage holder = holder_of(check, finding);
    const struct process *ancestor = distinguishing(check, &subject, &holder);
    return describe(check, &subject, &holder,
                    ancestor != NULL ? ancestor : parent(check, &subject, &holder), text);
}

static const char *relation(const struct lineage *holder, const struct lineage *subject) {
    const struct generations *lower = &holder->generations;
    const struct generations *other = &subject->generations;
    if (is_same(holder, subject))
        return ", the same process";
    if (is_above(holder, subject))
        return lower->count + 1 == other->count ? ", its parent" : ", from which it descends";
    if (is_above(subject, holder))
        return other->count + 1 == lower->count ? ", its child" : ", its descendant";
    return "";
}

const char *short_process_holder(const struct check *check, const struct finding *finding,
                                 char text[SHORT_PROCESS_SIZE]) {
    const struct lineage subject = subject_of(check, finding);
    const struct lineage holder = holder_of(check, finding);
    const struct process *ancestor = distinguishing(check, &holder, &subject);
    describe(check, &holder, &subject, ancestor, text);
    size_t used = strlen(text);
    snprintf(text + used, SHORT_PROCESS_SIZE - used, "%s", relation(&holder, &subject));
    return text;
}

const char *short_process(const struct check *check, const struct finding *finding, uint32_t trace,
                          uint64_t serial, char text[SHORT_PROCESS_SIZE]) {
    const struct lineage subject = subject_of(check, finding);
    const struct lineage one = lineage_of(check, trace, serial);
    if (is_same(&one, &subject)) {
        snprintf(text, SHORT_PROCESS_SIZE, "the same process");
        return text;
    }
    return describe(check, &one, &subject, distinguishing(check, &one, &subject), text);
}
