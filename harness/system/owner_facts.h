/* Who has a socket: what a person needs to know to find the process and to end it. */
#ifndef PORTWITNESS_SYSTEM_OWNER_FACTS_H
#define PORTWITNESS_SYSTEM_OWNER_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct owner_facts {
    pid_t pid;
    pid_t parent;
    uint32_t uid;        /* UINT32_MAX: not known */
    uint64_t start_time; /* clock ticks since boot */
    uint64_t started_ns; /* CLOCK_REALTIME */
    char comm[16];       /* as in struct pw_process */
    char command[1200];  /* arguments with a space between; "" where it is not known, and below */
    char folder[900];    /* the working folder */
    char user[64];       /* the name of uid */
    char control_group[1400]; /* /proc/PID/cgroup; "" as well where it is the same as our own, which
                                 says nothing of who started it */
};

/* Reads them from the process's folder of /proc. false where the process has ended. */
bool owner_facts_read(pid_t pid, int folder, struct owner_facts *facts);

/* The name of a user, "" where there is none. */
void owner_user_name(uint32_t uid, char *name, size_t size);

#endif
