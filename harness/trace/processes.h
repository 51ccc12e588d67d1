/* The processes that a trace names, by serial. */
#ifndef PORTWITNESS_TRACE_PROCESSES_H
#define PORTWITNESS_TRACE_PROCESSES_H

#include <stdbool.h>

#include "harness/base/map.h"
#include "harness/trace/reader.h"

/* A pid says who it is in its own namespace alone, of which the inode has 32 bits: a key of both.
 */
static inline uint64_t processes_pid_key(uint64_t pid_namespace, uint32_t pid) {
    return pid_namespace << 32 | pid;
}

struct process {
    uint64_t serial;
    uint64_t parent; /* serial; of what ran in this pid before, where by_exec and that was seen;
                        else found by pid. 0: not known */
    uint64_t start_time;
    uint64_t pid_namespace;
    uint64_t first_ns;     /* when the earliest record by this process began */
    uint64_t ended_ns;     /* 0: not known */
    uint64_t life_end_ns;  /* ... of the process, whatever it executed since: processes_finish */
    uint64_t sandboxed_ns; /* since when it could be asked nothing; 0: it could be */
    int status;            /* as of waitpid(2); -1: not known */
    int life_status;       /* ... of the process, as life_end_ns */
    uint32_t pid;          /* 0: not known */
    unsigned seen_by;      /* SEEN_BY_... of harness/trace/seen_by.h */
    bool by_fork;
    bool by_exec;
    bool passed_policy; /* seen beside the shim, it was given a port that no policy chose */
    bool is_stranger; /* none of the command's; the three texts below are of such alone, or NULL */
    uint32_t uid;
    uint32_t parent_pid;
    char *folder; /* the working folder */
    char *user;
    char *control_group; /* lines of /proc/PID/cgroup */
    char comm[17];
    char *command; /* arguments with a space between; NULL: not recorded, see process_command */
};

/* Zero-initialized there are none. */
struct processes {
    struct process *list;
    size_t count;
    size_t room;
    struct map by_serial;
    struct map by_pid; /* the latest image that was noted */
    uint32_t last;     /* of which a record was noted last */
};

/* Takes from a record what it says about processes; a record of any other kind shows that its
 * process lives. */
void processes_note(struct processes *processes, const struct trace_record *record);

/* After the last record: an end that was recorded under one serial is that of all that the process
 * executed. */
void processes_finish(struct processes *processes);

/* The process with that serial, NULL if no record names it. */
const struct process *processes_find(const struct processes *processes, uint64_t serial);

/* Its index in processes->list, MAP_NONE if no record names it. */
uint32_t processes_index(const struct processes *processes, uint64_t serial);

/* The parent whose program a process started by fork goes on with; NULL otherwise. */
const struct process *process_forked_from(const struct processes *processes,
                                          const struct process *process);

/* The command line: its own, or that of the process it was forked from. NULL if not known. */
const char *process_command(const struct processes *processes, const struct process *process);

/* Its name: that in the kernel, which has 15 bytes, and where the command line goes on with it all
 * of it. `text` is where it is put. */
enum { PROCESS_NAME_BYTES = 64 };
const char *process_name(const struct processes *processes, const struct process *process,
                         char text[PROCESS_NAME_BYTES]);

/* Frees all. */
void processes_free(struct processes *processes);

#endif
