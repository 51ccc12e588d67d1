/* The kernel's table of sockets knows no processes. Those with a descriptor of a socket are found
 * by going through the descriptors of all. */
#include "harness/system/process_sockets.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int process_folder(pid_t pid) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static DIR *open_folder(int at, const char *name) {
    int folder = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *opened = folder >= 0 ? fdopendir(folder) : NULL;
    if (opened == NULL && folder >= 0)
        close(folder);
    return opened;
}

int process_sockets_read(pid_t pid, int folder, process_sockets_take *take, void *with) {
    static const char prefix[] = "socket:[";
    const struct dirent *entry;
    DIR *descriptors = open_folder(folder, "fd");
    if (descriptors == NULL)
        return errno;
    while ((entry = readdir(descriptors)) != NULL) {
        char target[48];
        ssize_t length = readlinkat(dirfd(descriptors), entry->d_name, target, sizeof target - 1);
        if (length < (ssize_t)sizeof prefix || memcmp(target, prefix, sizeof prefix - 1) != 0)
            continue;
        target[length] = '\0';
        take(with, pid, folder, strtoull(target + sizeof prefix - 1, NULL, 10));
    }
    closedir(descriptors);
    return 0;
}

size_t process_sockets_walk(process_sockets_take *take, void *with) {
    size_t denied = 0;
    const struct dirent *entry;
    DIR *processes = opendir("/proc");
    if (processes == NULL)
        return 1;
    while ((entry = readdir(processes)) != NULL) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        int folder = openat(dirfd(processes), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
            continue;
        int error =
            process_sockets_read((pid_t)strtol(entry->d_name, NULL, 10), folder, take, with);
        if (error != 0 && error != ENOENT && error != ESRCH)
            denied++;
        close(folder);
    }
    closedir(processes);
    return denied;
}
