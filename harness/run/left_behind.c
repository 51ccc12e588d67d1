/*
 * A server that a test starts and forgets keeps its port from the next run, which then fails for no
 * reason of its own. Who forgot it can be known only here, when the command has just ended.
 */
#include "harness/run/left_behind.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/system/process_facts.h"
#include "harness/system/process_sockets.h"
#include "shim/shared/recorder.h"

enum { NAMED_AT_MOST = 8, PORTS_AT_MOST = 4 };

struct looking {
    struct left_behind *left;
    const struct socket_table *table;
    struct left_process *process;
};

/* Two descriptors of one socket are one socket. */
static bool has_socket(const struct left_process *process, uint64_t inode) {
    for (size_t i = 0; i < process->count; i++)
        if (process->sockets[i].inode == inode)
            return true;
    return false;
}

static void take_socket(void *with, pid_t pid, int folder, uint64_t inode) {
    struct left_process *process = ((const struct looking *)with)->process;
    const struct socket_table *table = ((const struct looking *)with)->table;
    (void)pid;
    (void)folder;
    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].inode != inode || has_socket(process, inode))
            continue;
        process->sockets = memory_grow(process->sockets, &process->room, process->count + 1,
                                       sizeof *process->sockets);
        process->sockets[process->count++] = table->rows[i];
    }
}

static void take_process(void *with, uint64_t serial, pid_t pid) {
    struct looking *looking = with;
    struct left_behind *left = looking->left;
    struct process_facts facts;
    int folder = process_folder(pid);
    if (folder < 0)
        return;
    if (process_facts_read(pid, &facts)) {
        left->list = memory_grow(left->list, &left->room, left->count + 1, sizeof *left->list);
        looking->process = &left->list[left->count++];
        *looking->process = (struct left_process){.serial = serial, .pid = pid};
        memcpy(looking->process->comm, facts.comm, sizeof facts.comm);
        (void)process_sockets_read(pid, folder, take_socket, looking);
        left->holders += looking->process->count > 0;
    }
    close(folder);
}

static void forget(struct left_behind *left) {
    for (size_t i = 0; i < left->count; i++)
        free(left->list[i].sockets);
    left->count = 0;
    left->holders = 0;
}

void left_behind_look(struct left_behind *left, const struct watch *watch) {
    struct socket_table table = {0};
    struct looking looking = {.left = left, .table = &table};
    forget(left);
    if (watch->living == 0)
        return;
    (void)socket_table_read(&table);
    watch_each_living(watch, take_process, &looking);
    socket_table_free(&table);
}

static void record_socket(const struct left_process *process, const struct socket_row *row,
                          uint64_t netns) {
    const struct endpoint *endpoint = &row->endpoint;
    struct record record;
    if (!record_begin(&record, PW_KIND_LEFTOVER, 2, process->serial, -1, monotonic_ns()))
        return;
    struct pw_start *start = &record.units[0].start;
    struct pw_socket *socket = &record.units[1].socket;
    start->source = PW_SOURCE_RUN;
    start->cookie = row->cookie;
    start->flags = PW_FLAG_HAS_ASSIGNED | (row->listens ? PW_FLAG_LISTENING : 0) |
                   (endpoint->v6only ? PW_FLAG_V6ONLY : 0);
    socket->family = endpoint->family;
    socket->type = endpoint->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
    socket->protocol = endpoint->protocol;
    socket->netns = netns;
    memcpy(socket->assigned, endpoint->address, sizeof socket->assigned);
    socket->assigned_port = endpoint->port;
    socket->scope = endpoint->scope;
    socket->uid = UINT32_MAX;
    record_commit(&record, 0);
}

void left_behind_record(const struct left_behind *left, uint64_t netns) {
    for (size_t i = 0; i < left->count; i++)
        for (size_t j = 0; j < left->list[i].count; j++)
            record_socket(&left->list[i], &left->list[i].sockets[j], netns);
}

/* A text that is built piece by piece and cut where its room ends. */
struct line {
    char *text;
    size_t size;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line->text + line->used, line->size - line->used, format, arguments);
    va_end(arguments);
    if (length > 0)
        line->used +=
            (size_t)length < line->size - line->used ? (size_t)length : line->size - line->used - 1;
}

static void add_ports(struct line *line, const struct left_process *process) {
    char text[ENDPOINT_TEXT_SIZE];
    size_t shown = 0;
    size_t more = 0;
    for (size_t i = 0; i < process->count; i++) {
        bool again = false; /* shared by SO_REUSEPORT */
        for (size_t j = 0; j < i; j++)
            again = again ||
                    endpoints_equal(&process->sockets[i].endpoint, &process->sockets[j].endpoint);
        if (again)
            continue;
        if (shown < PORTS_AT_MOST)
            add(line, "%s%s", shown++ > 0 ? ", " : ", holds ",
                endpoint_text(&process->sockets[i].endpoint, text));
        else
            more++;
    }
    if (more > 0)
        add(line, " and %zu more", more);
}

void left_behind_name(const struct left_behind *left, char *text, size_t size) {
    struct line line = {.text = text, .size = size};
    size_t named = 0;
    const char *between = "";
    *text = '\0';
    for (int with_ports = 1; with_ports >= 0; with_ports--)
        for (size_t i = 0; i < left->count && named < NAMED_AT_MOST; i++) {
            const struct left_process *process = &left->list[i];
            if ((process->count > 0) != (with_ports == 1))
                continue;
            add(&line, "%s%s (%d)", between, process->comm, (int)process->pid);
            add_ports(&line, process);
            between = with_ports == 1 ? "; " : ", ";
            named++;
        }
    if (left->count > named)
        add(&line, "%s and %zu more", left->holders >= named ? ";" : "", left->count - named);
}

void left_behind_free(struct left_behind *left) {
    forget(left);
    free(left->list);
    *left = (struct left_behind){0};
}
