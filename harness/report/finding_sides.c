/* One way to name a call, a process and a place, so that text, summary and suppressions speak of
 * the same thing. */
#include "harness/report/finding_sides.h"

#include <inttypes.h>
#include <string.h>

#include "harness/base/message.h"
#include "harness/base/names.h"

enum { GENERATIONS_MAX = 64, LINES_MAX = 24 };

const char *side_call(const struct call *call, char text[SIDE_TEXT_SIZE]) {
    char endpoint[ENDPOINT_TEXT_SIZE];
    endpoint_text(&call->endpoint, endpoint);
    switch (call->kind) {
    case PW_KIND_LISTEN:
        snprintf(text, SIDE_TEXT_SIZE, "listen on %s", endpoint);
        break;
    case PW_KIND_CONNECT:
        snprintf(text, SIDE_TEXT_SIZE, "connect with %s", endpoint);
        break;
    case PW_KIND_AUTOBIND:
        snprintf(text, SIDE_TEXT_SIZE, "send from an unbound socket, as %s", endpoint);
        break;
    case PW_KIND_LEFTOVER:
        snprintf(text, SIDE_TEXT_SIZE, "socket on %s", endpoint);
        break;
    case PW_KIND_CLAIM:
        snprintf(text, SIDE_TEXT_SIZE, "announcement of %s", endpoint);
        break;
    default:
        if (call->requested_port != 0)
            snprintf(text, SIDE_TEXT_SIZE, "bind to %s", endpoint);
        else if (call->endpoint.port != 0)
            snprintf(text, SIDE_TEXT_SIZE, "bind to port 0, which gave %s", endpoint);
        else
            snprintf(text, SIDE_TEXT_SIZE, "bind to port 0 of %s", endpoint);
        break;
    }
    return text;
}

static const struct process *process_of(const struct check *check, const struct call *call) {
    return processes_find(&check->traces[call->trace].processes, call->process);
}

const char *side_process(const struct check *check, const struct call *call,
                         char text[SIDE_TEXT_SIZE]) {
    const struct process *process = process_of(check, call);
    const char *command =
        process != NULL ? process_command(&check->traces[call->trace].processes, process) : NULL;
    if (process == NULL)
        snprintf(text, SIDE_TEXT_SIZE, "a process that is not known");
    else
        snprintf(text, SIDE_TEXT_SIZE, "process %" PRIu32 " %s%s%s%s", process->pid, process->comm,
                 command != NULL ? " (" : "", command != NULL ? command : "",
                 command != NULL ? ")" : "");
    return text;
}

struct site side_module(const struct check *check, const struct call *call, uint64_t address) {
    const struct check_trace *trace = &check->traces[call->trace];
    return modules_site(&trace->modules, &trace->processes, call->process, address, call->unit);
}

const char *side_site(const struct check *check, struct source_lines *lines,
                      const struct call *call, uint64_t address, char text[SIDE_TEXT_SIZE]) {
    const struct site site = side_module(check, call, address);
    text[0] = '\0';
    if (address == 0 || site.module == NULL)
        return text;
    const struct source_line line = source_lines_find(lines, &site);
    char where[SIDE_TEXT_SIZE / 2] = "";
    if (line.file != NULL)
        snprintf(where, sizeof where, " %s:%d", line.file, line.line);
    else if (line.function != NULL && line.beyond != 0)
        snprintf(where, sizeof where, "+0x%" PRIx64, line.beyond);
    snprintf(text, SIDE_TEXT_SIZE, "%s%s%s(%s+0x%" PRIx64 "%s)",
             line.function != NULL ? line.function : "", where,
             line.function != NULL || where[0] != '\0' ? " " : "", site.module, site.offset,
             line.changed ? ", a file that has changed since" : "");
    return text;
}

const char *side_time(const struct check *check, const struct call *call, uint64_t ns,
                      char text[SIDE_TEXT_SIZE]) {
    int64_t since = (int64_t)(ns - check->traces[call->trace].header.monotonic_ns);
    uint64_t size = since < 0 ? -(uint64_t)since : (uint64_t)since;
    snprintf(text, SIDE_TEXT_SIZE, "%s%" PRIu64 ".%06" PRIu64 " s", since < 0 ? "-" : "",
             size / 1000000000, size / 1000 % 1000000);
    return text;
}

/* The images of one process count as one generation. */
static const struct process *above(const struct processes *processes,
                                   const struct process *process) {
    const struct process *parent = processes_find(processes, process->parent);
    while (parent != NULL && parent != process && parent->pid == process->pid)
        parent = processes_find(processes, parent->parent);
    return parent == process ? NULL : parent;
}

/* From the topmost down to the process; how many. */
static unsigned chain_of(const struct processes *processes, uint64_t serial,
                         const struct process *chain[GENERATIONS_MAX]) {
    unsigned count = 0;
    const struct process *process = processes_find(processes, serial);
    for (; process != NULL && count < GENERATIONS_MAX; process = above(processes, process))
        chain[count++] = process;
    for (unsigned i = 0; i < count / 2; i++) {
        const struct process *one = chain[i];
        chain[i] = chain[count - 1 - i];
        chain[count - 1 - i] = one;
    }
    return count;
}

struct family {
    const struct check_trace *trace;
    FILE *to;
    const struct process *shown[LINES_MAX];
    unsigned shown_count;
    unsigned common; /* generations above the first that is shown */
};

static bool is_shown(const struct family *family, const struct process *process) {
    for (unsigned i = 0; i < family->shown_count; i++)
        if (family->shown[i]->pid == process->pid &&
            family->shown[i]->start_time == process->start_time)
            return true;
    return false;
}

static void show(struct family *family, const struct process *process, unsigned depth,
                 const char *role) {
    const char *command = process_command(&family->trace->processes, process);
    if (family->shown_count == LINES_MAX)
        return;
    family->shown[family->shown_count++] = process;
    message_write(family->to, "    %*s%" PRIu32 " %.160s%s%s", 2 * (int)depth, "", process->pid,
                  command != NULL ? command : process->comm, role != NULL ? "   <- " : "",
                  role != NULL ? role : "");
}

static void show_chain(struct family *family, uint64_t serial, const char *role) {
    const struct process *chain[GENERATIONS_MAX];
    unsigned count = chain_of(&family->trace->processes, serial, chain);
    for (unsigned i = family->common; i < count; i++)
        if (i + 1 == count || !is_shown(family, chain[i]))
            show(family, chain[i], i - family->common, i + 1 == count ? role : NULL);
}

/* How many of the topmost generations both have, less one, so that the nearest one is shown. */
static unsigned common_generations(const struct processes *processes, uint64_t one,
                                   uint64_t other) {
    const struct process *first[GENERATIONS_MAX];
    const struct process *second[GENERATIONS_MAX];
    unsigned count = chain_of(processes, one, first);
    unsigned other_count = chain_of(processes, other, second);
    unsigned common = 0;
    while (common < count && common < other_count && first[common]->pid == second[common]->pid)
        common++;
    return common > 0 ? common - 1 : 0;
}

void side_family(const struct check *check, const struct finding *finding, FILE *to) {
    struct family family = {.trace = &check->traces[finding->subject.trace], .to = to};
    const struct {
        const struct call *call;
        const char *role;
    } sides[] = {{&finding->assigned, "was given the number"},
                 {&finding->subject, finding->subject.error != 0 ? "was refused it" : "used it"},
                 {&finding->other_assigned, "was also given it"},
                 {&finding->other, "has or had it"}};
    family.common = UINT32_MAX;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        unsigned common;
        if (sides[i].call->process == 0 || sides[i].call->trace != finding->subject.trace)
            continue;
        common = common_generations(&family.trace->processes, finding->subject.process,
                                    sides[i].call->process);
        family.common = common < family.common ? common : family.common;
    }
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        bool again = false;
        for (size_t j = 0; j < i; j++)
            again = again || (sides[j].call->process == sides[i].call->process &&
                              sides[j].call->trace == sides[i].call->trace);
        if (sides[i].call->process != 0 && sides[i].call->trace == finding->subject.trace && !again)
            show_chain(&family, sides[i].call->process, sides[i].role);
    }
}
