/* A process cannot be seen by programs at a control group of its own without being put into one: at
 * the group that it shares with others they would see those, too. The group is a child of ours and
 * not of the root, so that no limit is escaped. */
#include "harness/capture/capture_group.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/base/text_file.h"

#define PREFIX "portwitness-"

enum { FILE_MOST = 1 << 20, LEVELS_MAX = 32 };

/* In mountinfo (proc_pid_mountinfo(5)) blanks and backslashes stand as \040 and the like. */
static void unescape(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        unsigned value;
        if (from[0] == '\\' && sscanf(from + 1, "%3o", &value) == 1 && strlen(from) >= 4) {
            *to++ = (char)value;
            from += 4;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

/* Where a cgroup2 is mounted: its root as seen there, and the mount point, both in `line`. */
static bool parse_mount(char *line, char **root, char **point) {
    if (strstr(line, " - cgroup2 ") == NULL)
        return false;
    char *rest = line;
    for (int skipped = 0; skipped < 3; skipped++)
        strsep(&rest, " ");
    *root = strsep(&rest, " ");
    *point = strsep(&rest, " ");
    if (*root == NULL || *point == NULL)
        return false;
    unescape(*root);
    unescape(*point);
    return true;
}

/* The path of our own group, behind "0::"; NULL if there is none. */
static char *own_path(char *lines) {
    for (char *line = strsep(&lines, "\n"); line != NULL; line = strsep(&lines, "\n"))
        if (strncmp(line, "0::", 3) == 0)
            return line + 3;
    return NULL;
}

/* The part of `path` below `root`; NULL if it is not below. */
static const char *below(const char *path, const char *root) {
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(path, root, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    return strcmp(path + length, "/") == 0 ? "" : path + length;
}

static char *joined(const char *one, const char *other) {
    size_t size = strlen(one) + strlen(other) + 1;
    char *path = memory_zeroed(size, 1);
    snprintf(path, size, "%s%s", one, other);
    return path;
}

/* The folder of our own group, and of the root that is mounted; both to be freed. */
static bool find_own(char *mounts, const char *path, char **own, char **root_folder) {
    for (char *line = strsep(&mounts, "\n"); line != NULL; line = strsep(&mounts, "\n")) {
        char *root, *point;
        if (!parse_mount(line, &root, &point))
            continue;
        const char *rest = below(path, root);
        if (rest == NULL)
            continue;
        *own = joined(point, rest);
        *root_folder = joined(point, "");
        return true;
    }
    return false;
}

/* Named after a process that is no more? One of another pid namespace may seem so, but a group in
 * which something runs cannot be removed, and one that was just made is joined within moments. */
static bool is_left(const char *name) {
    char *end;
    long pid = strtol(name + strlen(PREFIX), &end, 10);
    return *end == '\0' && pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

static bool is_populated(int group) {
    char text[256];
    int file = openat(group, "cgroup.events", O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, sizeof text - 1) : -1;
    if (file >= 0)
        close(file);
    text[length > 0 ? length : 0] = '\0';
    return strstr(text, "populated 0") == NULL;
}

/* With the groups that the command has made in it, if there is no process in any. */
static void remove_group(int at, const char *name, unsigned levels) {
    int group = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *folder = group >= 0 && levels > 0 && !is_populated(group) ? fdopendir(group) : NULL;
    if (folder == NULL && group >= 0)
        close(group);
    if (folder == NULL)
        return;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            remove_group(dirfd(folder), entry->d_name, levels - 1);
    closedir(folder);
    unlinkat(at, name, AT_REMOVEDIR);
}

static void remove_left(const char *own) {
    DIR *folder = opendir(own);
    if (folder == NULL)
        return;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0 && is_left(entry->d_name))
            remove_group(dirfd(folder), entry->d_name, LEVELS_MAX);
    closedir(folder);
}

static uint32_t depth(const char *path) {
    uint32_t parts = 0;
    for (const char *at = path; *at != '\0'; at++)
        parts += at[0] == '/' && at[1] != '/' && at[1] != '\0';
    return parts;
}

static bool make(struct capture_group *group, const char *own, char why[CAPTURE_WHY_BYTES]) {
    char name[32];
    remove_left(own);
    snprintf(name, sizeof name, "/" PREFIX "%ld", (long)getpid());
    group->path = joined(own, name);
    if (mkdir(group->path, 0755) != 0 && errno != EEXIST) {
        snprintf(why, CAPTURE_WHY_BYTES, "no control group can be made in %.180s: %s", own,
                 strerror(errno));
        free(group->path);
        group->path = NULL;
        return false;
    }
    group->folder = open(group->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (group->folder >= 0)
        group->processes = openat(group->folder, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    struct stat status;
    if (group->processes < 0 || fstat(group->folder, &status) != 0) {
        snprintf(why, CAPTURE_WHY_BYTES, "the control group %.180s cannot be used: %s", group->path,
                 strerror(errno));
        return false;
    }
    group->id = status.st_ino;
    return true;
}

static bool find_and_make(struct capture_group *group, bool host, char *mounts, const char *path,
                          char why[CAPTURE_WHY_BYTES]) {
    char *own = NULL;
    char *root = NULL;
    if (!find_own(mounts, path, &own, &root)) {
        snprintf(why, CAPTURE_WHY_BYTES, "no cgroup2 is mounted");
        return false;
    }
    bool made = make(group, own, why);
    group->level = depth(path) + 1;
    if (made && host) {
        group->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        made = group->root >= 0;
        if (!made)
            snprintf(why, CAPTURE_WHY_BYTES, "%.100s: %s", root, strerror(errno));
    }
    free(own);
    free(root);
    return made;
}

bool capture_group_open(struct capture_group *group, bool host, char why[CAPTURE_WHY_BYTES]) {
    *group = (struct capture_group){.folder = -1, .processes = -1, .root = -1};
    size_t length;
    char *mounts = text_file_read("/proc/self/mountinfo", FILE_MOST, &length);
    char *lines = text_file_read("/proc/self/cgroup", FILE_MOST, &length);
    const char *path = lines != NULL ? own_path(lines) : NULL;
    bool made = false;
    if (mounts == NULL || path == NULL)
        snprintf(why, CAPTURE_WHY_BYTES, "this system has no cgroup2");
    else
        made = find_and_make(group, host, mounts, path, why);
    free(mounts);
    free(lines);
    if (!made)
        capture_group_close(group);
    return made;
}

bool capture_group_enter(const struct capture_group *group) {
    return write(group->processes, "0", 1) == 1;
}

static void close_file(int *file) {
    if (*file >= 0)
        close(*file);
    *file = -1;
}

void capture_group_close(struct capture_group *group) {
    close_file(&group->folder);
    close_file(&group->processes);
    close_file(&group->root);
    if (group->path != NULL)
        remove_group(AT_FDCWD, group->path, LEVELS_MAX);
    free(group->path);
    group->path = NULL;
}
