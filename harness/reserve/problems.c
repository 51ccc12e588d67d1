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

#include "harness/base/memory.h"
#include "harness/base/message.h"
#include "harness/trace/processes.h"
#include "harness/trace/reader.h"

enum kind { WITHOUT_REUSE, OVER_UDP, SOMEBODY_ELSE };

struct line {
    enum kind kind;
    uint16_t port;
    uint64_t process;
    uint64_t unit;      /* of the record */
    uint32_t owner_pid; /* SOMEBODY_ELSE: who it is, 0: not known */
    char owner[64];
};

struct lines {
    struct line *list;
    size_t count;
    size_t room;
    uint64_t unseen; /* programs */
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

static void note_bind(struct lines *lines, const struct held_ports *held,
                      const struct trace_record *record) {
    uint16_t port = (record->flags & PW_FLAG_HAS_REQUESTED) != 0 ? record->socket->requested_port
                                                                 : record->socket->assigned_port;
    if (!is_held(held, port))
        return;
    if (record->socket->type == SOCK_DGRAM)
        add(lines, OVER_UDP, port, record);
    else if (record->error == EADDRINUSE)
        add(lines, (record->flags & PW_FLAG_REUSEADDR) != 0 ? SOMEBODY_ELSE : WITHOUT_REUSE, port,
            record);
}

/* Our own socket stands in the kernel's table as well, but is in nobody's way. */
static void note_owner(struct lines *lines, const struct trace_record *record) {
    if (record->peer == NULL || record->peer->pid == 0 || record->peer->pid == (uint32_t)getpid())
        return;
    for (size_t i = 0; i < lines->count; i++) {
        struct line *line = &lines->list[i];
        if (line->unit != record->peer->record || line->owner_pid != 0)
            continue;
        line->owner_pid = record->peer->pid;
        snprintf(line->owner, sizeof line->owner, "%s",
                 record->text != NULL ? record->text : "a process");
    }
}

static void note(struct lines *lines, const struct held_ports *held,
                 const struct trace_record *record) {
    if (record->kind == PW_KIND_BLIND_SPOT)
        lines->unseen++;
    else if (record->kind == PW_KIND_TABLE_ANSWER)
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
    for (size_t i = 0; i < lines.count; i++)
        write_line(&lines.list[i], processes_find(&processes, lines.list[i].process), to);
    if (failed && lines.count == 0 && lines.unseen > 0)
        message_write(to, "portwitness reserve: the command failed, and not all of its programs "
                          "could be seen (static ones, say); a server that does not set "
                          "SO_REUSEADDR cannot use a reserved port");
    free(lines.list);
    processes_free(&processes);
    trace_reader_close(reader);
}
