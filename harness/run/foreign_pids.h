/* A pid of another PID namespace is a number of ours as well, of somebody else: in its place stands
 * a number that no process here has. */
#ifndef PORTWITNESS_RUN_FOREIGN_PIDS_H
#define PORTWITNESS_RUN_FOREIGN_PIDS_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/map.h"
#include "harness/trace/reader.h"

/* Numbers that stand for a pid elsewhere begin here; Linux gives none as high. */
#define FOREIGN_PID UINT32_C(0x80000000)

/* Zero-initialized but for own_namespace all are ours. */
struct foreign_pids {
    uint64_t own_namespace;  /* inode of our own pid namespace */
    struct map namespace_of; /* serials of processes in another one, to its inode */
    struct map numbers;      /* what stands for a pid there, less FOREIGN_PID */
    struct map hosts;        /* what such a process is called here, once it is known */
};

/* Learns from a record of the trace which processes are in another namespace. */
void foreign_pids_learn(struct foreign_pids *foreign, const struct trace_record *record);

/* The pid in the identity of a record: ours, or what stands for it, always the same. Call it when
 * the record has been learned. */
uint32_t foreign_pids_of(struct foreign_pids *foreign, const struct trace_record *record);

/* What stands for that pid in the namespace with that inode: the pid itself where that is ours, and
 * the process's pid here where it was met. */
uint32_t foreign_pids_number(struct foreign_pids *foreign, uint64_t pid_namespace, uint32_t pid);

/* From now on the process that has that pid there is the one that has `here` here. */
void foreign_pids_met(struct foreign_pids *foreign, uint64_t pid_namespace, uint32_t pid,
                      uint32_t here);

/* Frees what is held. */
void foreign_pids_free(struct foreign_pids *foreign);

#endif
