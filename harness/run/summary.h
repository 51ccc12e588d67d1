/* What `run` says at the end: at most six lines on stderr, the sixth under a policy, and some
 * more where something was not seen, or at a price. */
#ifndef PORTWITNESS_RUN_SUMMARY_H
#define PORTWITNESS_RUN_SUMMARY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "harness/base/map.h"
#include "harness/run/seen_programs.h"
#include "harness/run/unnotified.h"
#include "harness/trace/reader.h"

enum { SUMMARY_BLIND_MAX = 64 };

struct summary {
    uint64_t requests;      /* port-0 requests */
    uint64_t assigned;      /* those that got a port */
    uint64_t programs;      /* starts of a program that were seen */
    uint64_t forks;         /* children that came by fork */
    uint64_t by_kernel;     /* of both: those that eBPF alone saw */
    uint64_t strangers;     /* processes of the machine that are none of the command's */
    struct map is_stranger; /* by serial */
    uint64_t by_supervisor; /* ... and those that notifications of seccomp alone showed */
    uint64_t beyond;        /* programs that only eBPF sees, and no policy reaches */
    uint64_t by_table;      /* set by `run`: seen by the kernel's table of sockets alone */
    uint64_t unprivileged;  /* set by `run`: programs that can gain no privileges any more */
    uint64_t torn;          /* begun, never committed, and the process is gone */
    uint64_t blank;         /* units that were taken and never written */
    struct summary_blind {
        unsigned reason; /* enum pw_blind */
        char *name;
    } blind[SUMMARY_BLIND_MAX]; /* different ones */
    size_t blind_count;
    uint64_t blind_more;          /* beyond the table */
    struct unnotified unnotified; /* set by `run` */
    struct seen_programs seen;
};

/* Counts one committed record of the trace. */
void summary_add(struct summary *summary, const struct trace_record *record);

/* Prints the lines. `header` may be written to meanwhile: only its counters are looked at. `policy`
 * is the run's, as it was asked for; `living` names the processes that live on, with their ports,
 * "" for none; `no_ebpf` says why eBPF was not used, "" where it was; `trace` is the file's name,
 * and stands alone behind "portwitness: " on the last line. */
void summary_print(struct summary *summary, const struct pw_header *header, const char *policy,
                   const char *living, const char *no_ebpf, const char *trace, FILE *out);

/* Prints the last line alone: the file's name. */
void summary_print_name(const char *trace, FILE *out);

/* Frees what the summary holds. */
void summary_free(struct summary *summary);

#endif
