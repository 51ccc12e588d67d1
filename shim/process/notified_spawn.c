/* Whatever goes wrong here is no error: the program is then started as it was asked for, and stays
 * a blind spot. */
#include "shim/process/notified_spawn.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "shim/gate.h"
#include "shim/process/sandbox.h"
#include "shim/real.h"
#include "shim/shared/guest_memory.h"
#include "shim/shared/notify_filter.h"
#include "shim/shared/notify_join.h"
#include "shim/shared/raw_syscall.h"
#include "shim/shared/recorder.h"

#define HELPER "portwitness-exec"

enum { BEFORE = 3 /* helper, trace, program */, ARGUMENTS_MOST = 1 << 20 };

static bool is_wanted(const struct program_start *start) {
    struct pw_notify_area *area = notify_area(recorder_header());
    return area != NULL && start->on && gate() == GATE_OPEN && !sandbox_is_on() &&
           notify_is_needed(&start->facts) && atomic_load(&area->open) == PW_NOTIFY_OPEN &&
           !notify_filter_is_on();
}

/* Beside the shim. */
static bool find_helper(char path[PATH_MAX]) {
    const char *shim = environment_shim();
    const char *slash = strrchr(shim, '/');
    size_t folder = slash != NULL ? (size_t)(slash - shim) + 1 : 0;
    if (folder == 0 || folder + sizeof HELPER > PATH_MAX)
        return false;
    memcpy(path, shim, folder);
    memcpy(path + folder, HELPER, sizeof HELPER);
    return raw_syscall3(SYS_faccessat, AT_FDCWD, RAW(path), X_OK) == 0;
}

/* How many there are; -1 where the array cannot be read. */
static long count_arguments(char *const argv[]) {
    char *one;
    for (long count = 0; count < ARGUMENTS_MOST; count++) {
        if (!guest_copy(&one, argv + count, sizeof one))
            return -1;
        if (one == NULL)
            return count;
    }
    return -1;
}

/* The program by a name that means the same in the child. */
static const char *lasting_name(const struct program_start *start, const char *path, bool moves) {
    if (start->number == NUMBER_posix_spawn)
        return moves && start->facts.path[0] != '/' ? NULL : path;
    if (start->facts.path[0] != '/' || strlen(start->facts.path) + 1 == sizeof start->facts.path)
        return NULL;
    return start->facts.path;
}

bool notified_spawn_begin(struct notified_spawn *spawn, const struct program_start *start,
                          const char *path, char *const argv[], bool moves) {
    *spawn = (struct notified_spawn){.path = NULL};
    if (!is_wanted(start))
        return false;
    const char *program = lasting_name(start, path, moves);
    long count = argv != NULL ? count_arguments(argv) : -1;
    if (program == NULL || count < 1)
        return false;
    size_t arguments = ((size_t)count + 1) * sizeof *argv;
    size_t size = PATH_MAX + BEFORE * sizeof *argv + arguments;
    char *space = program_start_map(size);
    if (space == NULL)
        return false;
    *spawn = (struct notified_spawn){NULL, (char **)(void *)(space + PATH_MAX), size};
    if (!find_helper(space) || !guest_copy(spawn->argv + BEFORE, argv, arguments)) {
        notified_spawn_end(spawn);
        return false;
    }
    spawn->path = space;
    spawn->argv[0] = space;
    spawn->argv[1] = (char *)(uintptr_t)environment_trace();
    spawn->argv[2] = (char *)(uintptr_t)program;
    spawn->argv[BEFORE + count] = NULL;
    return true;
}

void notified_spawn_end(struct notified_spawn *spawn) {
    if (spawn->size != 0)
        program_start_unmap((char *)(void *)spawn->argv - PATH_MAX, spawn->size);
    *spawn = (struct notified_spawn){.path = NULL};
}
