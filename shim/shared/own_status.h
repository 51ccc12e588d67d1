/* What /proc/thread-self/status says of its reader, which is read at each start for its filters. */
#ifndef PORTWITNESS_SHARED_OWN_STATUS_H
#define PORTWITNESS_SHARED_OWN_STATUS_H

#include <stdbool.h>
#include <stdint.h>

struct own_status {
    bool known;          /* the rest is what the thread itself would be told by its calls */
    uint32_t pid;        /* of the first thread, which it is */
    uint32_t parent_pid; /* getppid(2) */
    uint32_t uid;        /* of the file system: setfsuid(2) */
    char name[16];       /* PR_GET_NAME; "": not known */
};

/* Reads the first lines of the file. Not `known` where the thread is not the first of its process,
 * where the file is of another pid namespace than its own, and where something is missing. */
void own_status_read(const char *text, struct own_status *status);

#endif
