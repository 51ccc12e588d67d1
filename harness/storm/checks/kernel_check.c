/* The kernel lists sockets by inode, and /proc/PID/fd says whose inode it is. Both lists are put in
 * one order and compared from end to end, so that nothing is counted twice. */
#include "harness/storm/checks/kernel_check.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/map.h"
#include "harness/base/memory.h"
#include "harness/system/sock_diag.h"

/* An endpoint and who has it. */
struct holding {
    struct endpoint endpoint;
    pid_t pid;
};

static void note_descriptors(struct map *owners, uint32_t index, pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        char target[64];
        unsigned long long inode;
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
        if (length <= 0)
            continue;
        target[length] = '\0';
        if (sscanf(target, "socket:[%llu]", &inode) == 1)
            map_put(owners, inode, index);
    }
    closedir(folder);
}

/* The kernel makes a socket with a specific address one for v6 alone, and reports a device in place
 * of a scope: neither says anything of who holds what. */
static struct holding comparable(const struct endpoint *endpoint, pid_t pid) {
    struct holding holding = {.endpoint = *endpoint, .pid = pid};
    holding.endpoint.scope = 0;
    if (!endpoint_is_wildcard(endpoint))
        holding.endpoint.v6only = false;
    return holding;
}

static int in_order(const void *one, const void *other) {
    const struct holding *a = one;
    const struct holding *b = other;
    if (a->pid != b->pid)
        return a->pid < b->pid ? -1 : 1;
    if (a->endpoint.protocol != b->endpoint.protocol)
        return a->endpoint.protocol < b->endpoint.protocol ? -1 : 1;
    if (a->endpoint.port != b->endpoint.port)
        return a->endpoint.port < b->endpoint.port ? -1 : 1;
    int difference = memcmp(a->endpoint.address, b->endpoint.address, 16);
    if (difference != 0)
        return difference;
    return (int)a->endpoint.v6only - (int)b->endpoint.v6only;
}

/* Sockets of ours that the claimants own. */
static size_t held(const struct announcements *announcements, const struct socket_table *table,
                   struct holding *into) {
    struct map owners = {0};
    size_t count = 0;
    for (size_t i = 0; i < announcements->claimant_count; i++)
        note_descriptors(&owners, (uint32_t)i, announcements->claimants[i].pid);
    for (size_t i = 0; i < table->count; i++) {
        uint32_t owner = map_get(&owners, table->rows[i].inode);
        if (owner != MAP_NONE)
            into[count++] =
                comparable(&table->rows[i].endpoint, announcements->claimants[owner].pid);
    }
    map_free(&owners);
    return count;
}

static void compare(const struct holding *announced, size_t announced_count,
                    const struct holding *found, size_t found_count, struct verdict *verdict) {
    char text[ENDPOINT_TEXT_SIZE];
    size_t i = 0;
    size_t j = 0;
    while (i < announced_count || j < found_count) {
        int order = i == announced_count ? 1
                    : j == found_count   ? -1
                                         : in_order(&announced[i], &found[j]);
        if (order < 0)
            verdict_differs(verdict, "process %d announced %s and has no such socket",
                            (int)announced[i].pid, endpoint_text(&announced[i].endpoint, text));
        if (order > 0)
            verdict_differs(verdict, "process %d has %s and did not announce it", (int)found[j].pid,
                            endpoint_text(&found[j].endpoint, text));
        i += order <= 0;
        j += order >= 0;
    }
}

void kernel_check(const struct announcements *announcements, struct verdict *verdict) {
    struct socket_table table = {0};
    int error = socket_table_read(&table);
    if (error != 0) {
        verdict_differs(verdict, "the kernel does not list its sockets: %s", strerror(error));
        socket_table_free(&table);
        return;
    }
    size_t announced_room = 0;
    size_t found_room = 0;
    struct holding *announced =
        memory_grow(NULL, &announced_room, announcements->count + 1, sizeof *announced);
    struct holding *found = memory_grow(NULL, &found_room, table.count + 1, sizeof *found);
    for (size_t i = 0; i < announcements->count; i++)
        announced[i] = comparable(&announcements->list[i].endpoint, announcements->list[i].pid);
    size_t found_count = held(announcements, &table, found);
    qsort(announced, announcements->count, sizeof *announced, in_order);
    qsort(found, found_count, sizeof *found, in_order);
    compare(announced, announcements->count, found, found_count, verdict);
    free(announced);
    free(found);
    socket_table_free(&table);
}
