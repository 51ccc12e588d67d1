/* One way to name a call, a process and a place, so that text, summary and suppressions speak of
 * the same thing. */
#include "harness/report/finding_sides.h"

#include <inttypes.h>
#include <string.h>

#include "harness/base/names.h"
#include "harness/report/run_clock.h"
#include "harness/report/stranger_name.h"

/* Its own end is not known where it got no port; the other one not in the oldest traces. */
static void name_connect(const struct call *call, const char *endpoint, char text[SIDE_TEXT_SIZE]) {
    char peer[ENDPOINT_TEXT_SIZE];
    bool has_port = call->endpoint.port != 0;
    if (call->peer.protocol == 0)
        snprintf(text, SIDE_TEXT_SIZE, "connect with %s", endpoint);
    else
        snprintf(text, SIDE_TEXT_SIZE, "connect to %s%s%s", endpoint_text(&call->peer, peer),
                 has_port ? " as " : "", has_port ? endpoint : "");
}

const char *side_call(const struct call *call, char text[SIDE_TEXT_SIZE]) {
    char endpoint[ENDPOINT_TEXT_SIZE];
    endpoint_text(&call->endpoint, endpoint);
    switch (call->kind) {
    case PW_KIND_LISTEN:
        snprintf(text, SIDE_TEXT_SIZE, "listen on %s", endpoint);
        break;
    case PW_KIND_CONNECT:
        name_connect(call, endpoint, text);
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

const char *side_process_of(const struct check *check, uint32_t trace, uint64_t serial,
                            char text[SIDE_TEXT_SIZE]) {
    const struct processes *processes = &check->traces[trace].processes;
    const struct process *process = processes_find(processes, serial);
    const char *command = process != NULL ? process_command(processes, process) : NULL;
    bool several = check->trace_count > 1;
    if (process == NULL)
        snprintf(text, SIDE_TEXT_SIZE, "a process that is not known");
    else if (process->is_stranger)
        stranger_name(process, text, SIDE_TEXT_SIZE);
    else
        snprintf(text, SIDE_TEXT_SIZE, "process %" PRIu32 " %s%s%s%s%s%s", process->pid,
                 process->comm, command != NULL ? " (" : "", command != NULL ? command : "",
                 command != NULL ? ")" : "", several ? " in " : "",
                 several ? check->traces[trace].path : "");
    return text;
}

const char *side_process(const struct check *check, const struct call *call,
                         char text[SIDE_TEXT_SIZE]) {
    return side_process_of(check, call->trace, call->process, text);
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
    if (line.function == NULL && where[0] == '\0' && !line.changed)
        snprintf(text, SIDE_TEXT_SIZE, "%s+0x%" PRIx64, site.module, site.offset);
    else
        snprintf(text, SIDE_TEXT_SIZE, "%s%s%s(%s+0x%" PRIx64 "%s)",
                 line.function != NULL ? line.function : "", where,
                 line.function != NULL || where[0] != '\0' ? " " : "", site.module, site.offset,
                 line.changed ? ", a file that has changed since" : "");
    return text;
}

const char *side_time(const struct check *check, const struct call *call, uint64_t ns,
                      char text[SIDE_TEXT_SIZE]) {
    char time[RUN_CLOCK_TEXT_SIZE];
    snprintf(text, SIDE_TEXT_SIZE, "%s", run_clock_text(check, call->trace, ns, 6, time));
    return text;
}
