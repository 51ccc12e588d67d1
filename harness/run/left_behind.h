/* Processes that outlive the command, with the ports that they hold. */
#ifndef PORTWITNESS_RUN_LEFT_BEHIND_H
#define PORTWITNESS_RUN_LEFT_BEHIND_H

#include "harness/run/watch.h"
#include "harness/system/sock_diag.h"

struct left_process {
    uint64_t serial;
    pid_t pid;
    char comm[64];
    struct socket_row *sockets; /* that it holds ports with */
    size_t count;
    size_t room;
};

/* Zero-initialized there are none. */
struct left_behind {
    struct left_process *list; /* those that began first come first */
    size_t count;
    size_t room;
    size_t holders; /* how many of them hold ports */
};

/* Looks at the processes that live now, in place of those before. The sockets that count are those
 * that are bound and not connected, in our own network namespace: a connection keeps nobody from
 * its port for long. */
void left_behind_look(struct left_behind *left, const struct watch *watch);

/* Writes a record for each socket of each process. */
void left_behind_record(const struct left_behind *left, uint64_t netns);

/* Names them, those with ports first: "python3 (5407), holds tcp 127.0.0.1:8080; sh (12), sh (13)
 * and 3 more", "" for none. */
void left_behind_name(const struct left_behind *left, char *text, size_t size);

/* Frees what is held; there are none then. */
void left_behind_free(struct left_behind *left);

#endif
