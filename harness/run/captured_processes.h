/* The processes of the run that the shim is not in, as far as events show them; and what the
 * shim says of programs that it cannot enter. */
#ifndef PORTWITNESS_RUN_CAPTURED_PROCESSES_H
#define PORTWITNESS_RUN_CAPTURED_PROCESSES_H

#include <stdbool.h>
#include <sys/types.h>

#include "harness/base/map.h"
#include "harness/capture/outside_event.h"
#include "harness/run/captured_program.h"
#include "harness/run/departed.h"
#include "harness/run/foreign_pids.h"
#include "harness/run/unentered.h"
#include "harness/trace/reader.h"

struct captured_process;

/* Zero-initialized it knows nobody. */
struct captured_processes {
    struct foreign_pids foreign;
    struct captured_elsewhere elsewhere;
    bool is_host; /* container daemons are seen as well */
    struct map
        by_pid; /* or by what stands for one: index of the latest program that was seen in it */
    struct captured_process *list;
    size_t count;
    size_t room;
    size_t opened;   /* programs, of which some may have been closed since */
    size_t sweep_at; /* look at more of them than that */
    uint32_t *ended; /* indexes of those whose program is still open */
    size_t ended_count;
    size_t ended_room;
    struct captured_replaced
        *replaced; /* programs that executed another before they were recorded */
    size_t replaced_count;
    size_t replaced_room;
    uint32_t *waiting; /* indexes of those whose start is not recorded yet */
    size_t waiting_count;
    size_t waiting_room;
    struct unentered unentered;
    struct departed departed;
};

/* Learns from a record who is recorded by the shim, and which programs it cannot enter. */
void captured_processes_learn(struct captured_processes *processes,
                              const struct trace_record *record);

/* A program was executed. What /proc says of it is read at once: it may end at any time. */
void captured_processes_executed(struct captured_processes *processes,
                                 const struct outside_event *event);

/* A process makes its first call, and was not seen to execute a program. Its start is recorded only
 * once it is needed. */
void captured_processes_met(struct captured_processes *processes,
                            const struct outside_event *event);

/* A process left the command's control group: a blind spot, unless the shim is in it. */
void captured_processes_left(struct captured_processes *processes,
                             const struct outside_event *event);

/* A program that was started before any event could tell, and which the shim cannot enter. */
void captured_processes_unentered(struct captured_processes *processes, pid_t pid, unsigned reason,
                                  const char *path);

/* Is it the child of a process that the shim is in, which has not recorded it yet? */
bool captured_processes_expects_shim(const struct captured_processes *processes, uint32_t pid);

/* The serial of the process with that pid, as far as it is known; 0: it is not. */
uint64_t captured_processes_known(const struct captured_processes *processes, uint32_t pid);

/* Counts the programs that were executed in that pid, so that an event which waits is not taken for
 * one of the next. */
unsigned captured_processes_image(const struct captured_processes *processes, uint32_t pid);

/* Is the process of the run, and alive as far as is known? `start_time` as in /proc/PID/stat, 0:
 * not known. */
bool captured_processes_has(const struct captured_processes *processes, uint32_t pid,
                            uint64_t start_time);

/* The serial of the event's process; where nobody has recorded its start, a record of it is
 * written. 0: the trace is full. */
uint64_t captured_processes_serial(struct captured_processes *processes,
                                   const struct outside_event *event, unsigned image);

/* The program that the process with that pid runs, NULL where nothing is known. Where the shim is
 * in it, it is looked for now: Go with C in it loads the shim and calls past it. */
const struct remote_program *captured_processes_program(struct captured_processes *processes,
                                                        uint32_t pid);

/* After the trace was read to its end: writes the starts of programs that have executed another
 * one, and that the shim has not recorded. */
void captured_processes_settle_replaced(struct captured_processes *processes);

/* When no event waits: closes the programs of those that have ended. */
void captured_processes_forget_ended(struct captured_processes *processes);

/* Writes the starts of those which the shim has not recorded though it had the time to; at the
 * end (`all`) of all, and a blind spot for each program that nobody saw. */
void captured_processes_settle(struct captured_processes *processes, bool all);

/* Frees all. */
void captured_processes_free(struct captured_processes *processes);

#endif
