/* Starts a command in five ways, one after the other, with and without an environment; ends with
 * the worst status. */
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const nothing[] = {NULL};

static int wait_status(pid_t pid) {
    int status = -1;
    return waitpid(pid, &status, 0) == pid ? status : 255;
}

static int started(int way, char *const command[]) {
    pid_t pid = way == 2 ? vfork() : fork();
    if (pid != 0)
        return wait_status(pid);
    switch (way) {
    case 0:
        execv(command[0], command);
        break;
    case 1:
        execve(command[0], command, nothing);
        break;
    default:
        execvpe(command[0], command, nothing);
        break;
    }
    _exit(127);
}

static int spawned(char *const command[], char *const environment[]) {
    pid_t pid = 0;
    return posix_spawn(&pid, command[0], NULL, NULL, command, environment) == 0 ? wait_status(pid)
                                                                                : 255;
}

int main(int count, char **arguments) {
    char *const *command = arguments + 1;
    int status = count < 2;
    for (int way = 0; status == 0 && way < 3; way++)
        status = started(way, command);
    status = status != 0 ? status : spawned(command, environ);
    status = status != 0 ? status : spawned(command, nothing);
    if (status != 0)
        fprintf(stderr, "start_ways: status %x\n", (unsigned)status);
    return status != 0;
}
