/* By what else than the shim `run` sees programs: chosen, opened, and turned into records. */
#ifndef PORTWITNESS_RUN_CAPTURE_H
#define PORTWITNESS_RUN_CAPTURE_H

#include <stdbool.h>

#include "harness/capture/ebpf.h"
#include "harness/capture/notify_supervisor.h"
#include "harness/run/captured.h"
#include "harness/run/child.h"
#include "harness/run/notified_walk.h"
#include "harness/run/run_options.h"

struct capture {
    unsigned means; /* PW_CAPTURE_..., 0: none */
    enum capture_choice choice;
    struct capture_ebpf ebpf;
    struct notify_supervisor *supervisor; /* NULL: no seccomp */
    struct notified_walk walk;            /* of the thread that answers */
    const struct program_facts *command;  /* as program_inspect found it */
    struct captured captured;
    uint64_t settled_ns;             /* when refused binds were looked for last */
    char missing[CAPTURE_WHY_BYTES]; /* why none could be had, though one was looked for; "" else */
    char no_ebpf[CAPTURE_WHY_BYTES]; /* why there is no eBPF; "": there is */
};

/* Opens what was chosen, or what can be had, as far as that needs no trace. false, with a line on
 * stderr, where one that was named cannot be had. */
bool capture_open(struct capture *capture, enum capture_choice choice);

/* When the trace is there, signals are blocked and no thread has been made: begins to take events.
 * false as capture_open. */
bool capture_begin(struct capture *capture, struct destroyed *destroyed,
                   struct trace_reader *reader);

/* Lets the epoll instance wake whoever waits, with that number, when events had better be taken. */
void capture_wake(const struct capture *capture, int epoll, uint64_t number);

/* What the command has to do before it is executed, so that it is seen. What program_inspect found
 * of it must live until then. */
struct child_preparation capture_preparation(struct capture *capture,
                                             const struct program_facts *command);

/* Takes the events that wait; before the trace is read. true if there were any. */
bool capture_take(struct capture *capture);

/* Writes records of what the shim has not recorded; after the trace was read to its end. `all`: at
 * the end of the run, of everything. true if there were any. */
bool capture_settle(struct capture *capture, bool all);

/* How many programs had to give up gaining privileges so that they are seen. */
uint64_t capture_unprivileged(const struct capture *capture);

/* Whether somebody would have answered for `run` at any time, had it been killed. */
bool capture_had_standby(const struct capture *capture);

/* How many were seen though no descriptor may be taken from them, by the kernel's table of sockets:
 * their calls are the kernel's.
 */
uint64_t capture_by_table(const struct capture *capture);

/* Ends it, and frees what is held. */
void capture_close(struct capture *capture);

#endif
