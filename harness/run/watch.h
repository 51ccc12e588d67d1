/* The processes that the trace names, and their ends. */
#ifndef PORTWITNESS_RUN_WATCH_H
#define PORTWITNESS_RUN_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/map.h"
#include "harness/trace/reader.h"

struct watched;

struct watch {
    int epoll; /* where pidfds are waited for; the serial is the event's data */
    uint64_t own_namespace;
    pid_t child;      /* the command, whose way of ending is known */
    bool child_ended; /* set, with the status, before the end is recorded */
    int child_status; /* as of waitpid(2) */
    struct watched *processes;
    size_t process_count;
    size_t process_room;
    struct map by_serial;    /* index in `processes`; a serial may be any number */
    uint64_t *serial_by_pid; /* 0: none */
    size_t pid_room;
    struct watch_list {
        uint64_t *serials;
        size_t count;
        size_t room;
    } fresh, ripe, executing, ended;
    /* In another PID namespace, and not found here yet. */
    struct watch_foreign {
        uint64_t serial;
        uint64_t pid_namespace;
        char comm[16];
    } * foreign;
    size_t foreign_count;
    size_t foreign_room;
    struct map by_inner; /* index of the last one with a namespace's inode and a pid there */
    struct map visible;  /* inodes of PID namespaces whose processes are in our /proc, too */
    size_t living;       /* pidfds open */
    uid_t trace_owner;
    mode_t trace_mode;
};

/* Begins with nothing watched. `trace` is the file's path, looked at for who may open it. Raises
 * our own descriptor limit as far as it goes, so call it when the command has been started. */
void watch_start(struct watch *watch, int epoll, pid_t child, const char *trace);

/* Learns of a process from a record of the trace. */
void watch_learn(struct watch *watch, const struct trace_record *record);

/* Writes the end of the process whose pidfd became readable. */
void watch_ended(struct watch *watch, uint64_t serial);

/* After each complete round of reading the trace: writes the ends of processes that had ended when
 * they were first seen, unless the round showed that they wrote their own, and the exit statuses of
 * those that did not record theirs. */
void watch_settle(struct watch *watch);

/* Looks at processes that executed a program and have not reported since. Now and then. */
void watch_look(struct watch *watch);

/* Writes blind spots for programs that never reported, where it is plain that they never would:
 * they were alive for long, or their user may not open the trace. At the end. */
void watch_record_unseen(struct watch *watch);

/* Does the process still run? */
bool watch_lives(const struct watch *watch, uint64_t serial);

typedef void watch_take(void *with, uint64_t serial, pid_t pid);

/* Shows the processes that live, in the order in which the trace names them. */
void watch_each_living(const struct watch *watch, watch_take *take, void *with);

/* Frees what is held. */
void watch_stop(struct watch *watch);

#endif
