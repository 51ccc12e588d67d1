/* The exec family. What the new program needs is put into its environment on our stack, so that it
 * works in a signal handler and in a vfork child alike. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "shim/process/program_start.h"
#include "shim/real.h"
#include "shim/shared/guest_memory.h"
#include "shim/shared/raw_syscall.h"

/* Our additions alone may have been too much: then as the guest gave it (execve(2), E2BIG). */
#define TRY_EXEC(start, given, statement)                                                          \
    do {                                                                                           \
        char **environment = PROGRAM_START_ENVIRONMENT(&(start), given);                           \
        (statement);                                                                               \
        program_start_end(&(start), environment);                                                  \
        if (errno == E2BIG && (start).space != 0) {                                                \
            environment = (char **)(uintptr_t)(given);                                             \
            (statement);                                                                           \
        }                                                                                          \
        program_start_failed(&(start), errno);                                                     \
    } while (0)

int call_execve(const char *path, char *const argv[], char *const envp[], const void *site) {
    struct program_start start;
    program_start_begin(&start, path, NULL, envp, NUMBER_execve, site);
    TRY_EXEC(start, envp, real.execve(path, argv, environment));
    return -1;
}

int call_execv(const char *path, char *const argv[], const void *site) {
    struct program_start start;
    program_start_begin(&start, path, NULL, environ, NUMBER_execv, site);
    if (start.space == 0) {
        int result = real.execv(path, argv);
        program_start_failed(&start, errno);
        return result;
    }
    TRY_EXEC(start, environ, real.execve(path, argv, environment));
    return -1;
}

int call_execvp(const char *file, char *const argv[], const void *site) {
    struct program_start start;
    program_start_begin(&start, file, program_search_path(), environ, NUMBER_execvp, site);
    if (start.space == 0) {
        int result = real.execvp(file, argv);
        program_start_failed(&start, errno);
        return result;
    }
    TRY_EXEC(start, environ, real.execvpe(file, argv, environment));
    return -1;
}

int call_execvpe(const char *file, char *const argv[], char *const envp[], const void *site) {
    struct program_start start;
    program_start_begin(&start, file, program_search_path(), envp, NUMBER_execvpe, site);
    TRY_EXEC(start, envp, real.execvpe(file, argv, environment));
    return -1;
}

int call_fexecve(int fd, char *const argv[], char *const envp[], const void *site) {
    struct program_start start;
    program_start_begin_descriptor(&start, fd, envp, NUMBER_fexecve, site);
    TRY_EXEC(start, envp, real.fexecve(fd, argv, environment));
    return -1;
}

static bool is_empty(const char *path) {
    char first;
    return guest_copy(&first, path, sizeof first) && first == '\0';
}

int call_execveat(int directory, const char *path, char *const argv[], char *const envp[],
                  int flags, const void *site) {
    struct program_start start;
    long file = -1;
    if ((flags & AT_EMPTY_PATH) != 0 && is_empty(path))
        program_start_begin_descriptor(&start, directory, envp, NUMBER_execveat, site);
    else if (directory == AT_FDCWD)
        program_start_begin(&start, path, NULL, envp, NUMBER_execveat, site);
    else {
        file = raw_syscall4(SYS_openat, directory, RAW(path), O_PATH | O_CLOEXEC, 0);
        program_start_begin_descriptor(&start, (int)file, envp, NUMBER_execveat, site);
    }
    if (file >= 0)
        raw_syscall3(SYS_close, file, 0, 0);
    TRY_EXEC(start, envp, real.execveat(directory, path, argv, environment, flags));
    return -1;
}
