/* What /proc says about a process. Pids repeat: compare the start time before trusting one. */
#ifndef PORTWITNESS_SYSTEM_PROCESS_FACTS_H
#define PORTWITNESS_SYSTEM_PROCESS_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_facts {
    char state; /* as in proc(5): R, S, T, Z, ... */
    pid_t parent;
    uint64_t start_time; /* clock ticks since boot */
    char comm[64];
};

/* Reads /proc/PID/stat. false with errno set: ENOENT or ESRCH where there is no such process. */
bool process_facts_read(pid_t pid, struct process_facts *facts);

/* Takes the text of /proc/PID/stat apart. false where it is malformed. */
bool process_facts_parse(const char *text, struct process_facts *facts);

/* The state of a process as in proc(5), 0 where there is none. */
char process_state(pid_t pid);

/* Is `pid` the process `ancestor` or a living descendant of it? */
bool process_descends_from(pid_t pid, pid_t ancestor);

/* Is the process in the same namespace of that kind as we ("net", "user", ...; namespaces(7))?
 * false also where that may not be looked at. */
bool process_shares_namespace(pid_t pid, const char *kind);

/* The inode of our own pid namespace, 0 where it is not known. */
uint64_t process_own_namespace(void);

/* What a process ended with, as of waitpid(2), once its parent has taken note of it; false before,
 * and where the kernel does not say (PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15). */
bool process_exit_status(int pidfd, int *status);

#endif
