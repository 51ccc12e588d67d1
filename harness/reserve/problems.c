/*
 * A server that cannot use a reserved port says "address already in use" at best, as if the number
 * had been lost again. Whoever reserved it should read why at once.
 */
#include "harness/reserve/problems.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/map.h"
#include "harness/base/memory.h"
#include "harness/base/message.h"
#include "harness/trace/processes.h"
#include "harness/trace/reader.h"

enum { IN_THE_WAY_MAX = 4 };

enum kind { WITHOUT_REUSE, OVER_UDP, SOMEBODY_ELSE };

struct line {
    enum kind kind;
    uint16_t port;
    uint64_t process;
    uint64_t unit;                       /* of the record */
    uint64_t in_the_way[IN_THE_WAY_MAX]; /* SOMEBODY_ELSE: cookies, by the kernel's table */
    unsigned in_the_way_count;
    uint32_t owner_pid; /* who it is, 0: not known */
    char owner[64];
};

struct lines {
    struct line *list;
    size_t count;
    size_t room;
    uint64_t unseen;   /* programs */
    struct map binder; /* of each socket that has one of the ports: index in `binders` */
    uint64_t *binders; /* serials */
    size_t binder_count;
    size_t binder_room;
};

static bool is_held(const struct held_ports *held, uint16_t port) {
    for (size_t i = 0; i < held->count; i++)
        if (held->ports[i] == port)
            return true;
    return false;
}

/* Each program and port once. */
static void add(struct lines *lines, enum kind kind, uint16_t port,
                const struct trace_record *record) {
    for (size_t i = 0; i < lines->count; i++)
        if (lines->list[i].kind == kind && lines->list[i].port == port &&
            lines->list[i].process == record->process)
            return;
    lines->list = memory_grow(lines->list, &lines->room, lines->count + 1, sizeof *lines->list);
    lines->list[lines->count++] =
        (struct line){.kind = kind, .port = port, .process = record->process, .unit = record->unit};
}

static void note_binder(struct lines *lines, const struct trace_record *record) {
    lines->binders = memory_grow(lines->binders, &lines->binder_room, lines->binder_count + 1,
                                 sizeof *lines->binders);
    map_put(&lines->binder, record->cookie, (uint32_t)lines->binder_count);
    lines->binders[lines->binder_count++] = record->process;
}

static void note_bind(struct lines *lines, const struct held_ports *held,
                      const struct trace_record *record) {
    uint16_t port = (record->flags & PW_FLAG_HAS_REQUESTED) != 0 ? record->socket->requested_port
                                                                 : record->socket->assigned_port;
    if (!is_held(held, port))
        return;
    if (record->error == 0 && record->cookie != 0)
        note_binder(lines, record);
    if (record->socket->type == SOCK_DGRAM)
        add(lines, OVER_UDP, port, record);
    else if (record->error == EADDRINUSE)
        add(lines, (record->flags & PW_FLAG_REUSEADDR) != 0 ? SOMEBODY_ELSE : WITHOUT_REUSE, port,
            record);
}

static void name_owner(struct line *line, uint32_t pid, const char *command) {
    if (line->owner_pid != 0 || pid == 0)
        return;
    line->owner_pid = pid;
    snprintf(line->owner, sizeof line->owner, "%s", command != NULL ? command : "a process");
}

static void note_answer(struct lines *lines, const struct trace_record *record) {
    for (size_t i = 0; record->peer != NULL && i < lines->count; i++) {
        struct line *line = &lines->list[i];
        if (line->unit == record->peer->record && line->in_the_way_count < IN_THE_WAY_MAX)
            line->in_the_way[line->in_the_way_count++] = record->peer->other_cookie;
        if (line->unit == record->peer->record && record->peer->pid != (uint32_t)getpid())
            name_owner(line, record->peer->pid, record->text);
    }
}

static bool is_in_the_way(const struct line *line, uint64_t cookie) {
    for (unsigned i = 0; i < line->in_the_way_count; i++)
        if (line->in_the_way[i] == cookie)
            return true;
    return false;
}

/* Our own socket stands in the kernel's table as well, but is in nobody's way. */
static void note_owner(struct lines *lines, const struct trace_record *record) {
    if (record->identity == NULL || record->identity->pid == (uint32_t)getpid())
        return;
    for (size_t i = 0; i < lines->count; i++)
        if (is_in_the_way(&lines->list[i], record->cookie))
            name_owner(&lines->list[i], record->identity->pid, record->text);
}

/* Where the stranger is recorded as well, the trace says who it is. */
static void name_recorded(struct lines *lines, const struct processes *processes) {
    for (size_t i = 0; i < lines->count; i++) {
        struct line *line = &lines->list[i];
        for (unsigned j = 0; j < line->in_the_way_count; j++) {
            uint32_t index = map_get(&lines->binder, line->in_the_way[j]);
            const struct process *process =
                index != MAP_NONE ? processes_find(processes, lines->binders[index]) : NULL;
            if (process != NULL)
                name_owner(line, process->pid, process_command(processes, process));
        }
    }
}

static void note(struct lines *lines, const struct held_ports *held,
                 const struct trace_record *record) {
    if (record->kind == PW_KIND_BLIND_SPOT)
        lines->unseen += (record->flags & PW_FLAG_OTHERS_SEE) == 0;
    else if (record->kind == PW_KIND_TABLE_ANSWER)
        note_answer(lines, record);
    else if (record->kind == PW_KIND_HOLDER)
        note_owner(lines, record);
    else if ((record->kind == PW_KIND_BIND || record->kind == PW_KIND_LISTEN) &&
             record->socket != NULL)
        note_bind(lines, held, record);
}

static void write_line(const struct line *line, const struct process *process, FILE *to) {
    const char *name = process != NULL && process->comm[0] != '\0' ? process->comm : "a program";
    unsigned pid = process != NULL ? process->pid : 0;
    switch (line->kind) {
    case WITHOUT_REUSE:
        message_write(
            to,
            "portwitness reserve: port %u: %s (process %u) was refused, since it does not "
            "set SO_REUSEADDR; only a server that does can use a reserved port",
            line->port, name, pid);
        break;
    case OVER_UDP:
        message_write(to,
                      "portwitness reserve: port %u: %s (process %u) bound it over UDP; what is "
                      "reserved is the TCP port alone",
                      line->port, name, pid);
        break;
    default:
        if (line->owner_pid != 0)
            message_write(to,
                          "portwitness reserve: port %u: %s (process %u) was refused; process %u "
                          "(%s) has taken that very number, with SO_REUSEADDR",
                          line->port, name, pid, line->owner_pid, line->owner);
        else
            message_write(to,
                          "portwitness reserve: port %u: %s (process %u) was refused, since "
                          "somebody else has taken that very number, with SO_REUSEADDR",
                          line->port, name, pid);
        break;
    }
}

void reserve_problems_report(const char *trace, const struct held_ports *held, bool failed,
                             FILE *to) {
    struct trace_reader_problem problem;
    struct trace_reader *reader = trace_reader_open(trace, &problem);
    struct processes processes = {0};
    struct trace_record record;
    struct lines lines = {0};
    if (reader == NULL)
        return;
    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD) {
        processes_note(&processes, &record);
        if (record.committed)
            note(&lines, held, &record);
    }
    name_recorded(&lines, &processes);
    for (size_t i = 0; i < lines.count; i++)
        write_line(&lines.list[i], processes_find(&processes, lines.list[i].process), to);
    if (failed && lines.count == 0 && lines.unseen > 0)
        message_write(to, "portwitness reserve: the command failed, and not all of its programs "
                          "could be seen (static ones, say); a server that does not set "
                          "SO_REUSEADDR cannot use a reserved port");
    free(lines.list);
    free(lines.binders);
    map_free(&lines.binder);
    processes_free(&processes);
    trace_reader_close(reader);
}
