/* A trace is known by the part of its header that never changes, in which two clocks stand as they
 * were when it was made, and by its first record; so a copy is known as well as a link. */
#include "harness/trace/same_trace.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/trace/header.h"

struct named {
    const char *path;
    bool known;    /* it is a trace, and what follows is set */
    bool left_out; /* another one stands for it */
    dev_t device;
    ino_t inode;
    uint64_t units;
    uint64_t first_process; /* of its first record */
    uint64_t first_ns;
    char header[offsetof(struct pw_header, next_unit)];
};

static bool read_identity(int file, struct named *named) {
    struct trace_reader_problem problem = {0};
    struct pw_header header = {0};
    struct stat status;
    union pw_unit first = {0};
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) ||
        !header_check(file, status.st_size, &header, &problem))
        return false;
    named->device = status.st_dev;
    named->inode = status.st_ino;
    named->units = header_units_taken(&header);
    memcpy(named->header, &header, sizeof named->header);
    header_read_at(file, &first, sizeof first, (off_t)header.units_offset);
    named->first_process = first.start.process;
    named->first_ns = first.start.begin_ns;
    return true;
}

static void look_at(const char *path, struct named *named) {
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    *named = (struct named){.path = path};
    if (file < 0)
        return;
    named->known = read_identity(file, named);
    close(file);
}

static bool is_same(const struct named *one, const struct named *other) {
    if (!one->known || !other->known)
        return false;
    if (one->device == other->device && one->inode == other->inode)
        return true;
    return one->first_process == other->first_process && one->first_ns == other->first_ns &&
           memcmp(one->header, other->header, sizeof one->header) == 0;
}

/* Leaves out one of the two that are the same. */
static void choose(struct named *earlier, struct named *later, same_trace_report *report,
                   void *with) {
    bool swap = later->units > earlier->units;
    struct named *kept = swap ? later : earlier;
    struct named *left = swap ? earlier : later;
    left->left_out = true;
    report(with, left->path, kept->path);
}

const char **same_trace_once(const char *const *paths, same_trace_report *report, void *with) {
    size_t room = 0;
    size_t kept_room = 0;
    size_t kept = 0;
    size_t count = 0;
    while (paths[count] != NULL)
        count++;
    struct named *list = memory_grow(NULL, &room, count + 1, sizeof *list);
    const char **once = memory_grow(NULL, &kept_room, count + 1, sizeof *once);
    for (size_t i = 0; i < count; i++) {
        look_at(paths[i], &list[i]);
        for (size_t j = 0; j < i && !list[i].left_out; j++)
            if (!list[j].left_out && is_same(&list[j], &list[i]))
                choose(&list[j], &list[i], report, with);
    }
    for (size_t i = 0; i < count; i++)
        if (!list[i].left_out)
            once[kept++] = list[i].path;
    once[kept] = NULL;
    free(list);
    return once;
}
