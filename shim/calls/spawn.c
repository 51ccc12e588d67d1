/* posix_spawn: the child runs libc's code alone until it executes the program, so everything is
 * done here, in the parent, beforehand. */
#include <errno.h>
#include <unistd.h>

#include "shim/gate.h"
#include "shim/policy/place.h"
#include "shim/process/notified_spawn.h"
#include "shim/process/program_start.h"
#include "shim/real.h"
#include "shim/socket/sockets.h"

/* One function for both; they differ in how the program is found. */
typedef int spawn_function(pid_t *, const char *, const posix_spawn_file_actions_t *,
                           const posix_spawnattr_t *, char *const[], char *const[]);

struct spawn_request {
    pid_t *pid;
    const char *path;
    const posix_spawn_file_actions_t *actions;
    const posix_spawnattr_t *attributes;
    char *const *argv;
    char *const *envp;
};

/* Under a filter, where the program needs one; as it was asked for, where that fails. */
static int spawn(spawn_function *next, const struct spawn_request *request,
                 const struct program_start *start, pid_t *pid, char **environment) {
    struct notified_spawn notified;
    int error = -1;
    if (notified_spawn_begin(&notified, start, request->path, request->argv,
                             request->actions != NULL))
        error = real.posix_spawn(pid, notified.path, request->actions, request->attributes,
                                 notified.argv, environment);
    notified_spawn_end(&notified);
    if (error == 0)
        return 0;
    return next(pid, request->path, request->actions, request->attributes, request->argv,
                environment);
}

static int spawn_and_note(spawn_function *next, const struct spawn_request *request, int number,
                          const void *site) {
    struct program_start start;
    pid_t pid = 0; /* the guest's may be NULL */
    const char *search_path = number == NUMBER_posix_spawnp ? program_search_path() : NULL;
    program_start_begin(&start, request->path, search_path, request->envp, number, site);
    if (gate() == GATE_OPEN)
        sockets_record_all(); /* the child may inherit them */
    uint64_t place = gate() == GATE_OPEN ? policy_place_next() : 0;
    char **environment = PROGRAM_START_ENVIRONMENT(&start, request->envp);
    int error = spawn(next, request, &start, &pid, environment);
    program_start_end(&start, environment);
    if (error == E2BIG && start.space != 0)
        error = next(&pid, request->path, request->actions, request->attributes, request->argv,
                     request->envp);
    int saved = errno;
    if (error == 0) {
        if (request->pid != NULL)
            *request->pid = pid;
        policy_place_enter(place, pid);
        program_start_spawned(&start, pid);
    } else {
        program_start_failed(&start, error);
    }
    errno = saved;
    return error;
}

int call_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                     const posix_spawnattr_t *attributes, char *const argv[], char *const envp[],
                     const void *site) {
    struct spawn_request request = {pid, path, actions, attributes, argv, envp};
    return spawn_and_note(real.posix_spawn, &request, NUMBER_posix_spawn, site);
}

int call_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                      const posix_spawnattr_t *attributes, char *const argv[], char *const envp[],
                      const void *site) {
    struct spawn_request request = {pid, file, actions, attributes, argv, envp};
    return spawn_and_note(real.posix_spawnp, &request, NUMBER_posix_spawnp, site);
}
