/* A guest that prints what it sees: "port N pid N" of a socket that it binds, then its environment,
 * a line each, in its order. With arguments, METHOD PROGRAM, it starts that program afterwards with
 * an environment of its own making; "cleared-" before METHOD empties this one's first. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int print_environment(char **given) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return 1;
    printf("port %u pid %d\n", (unsigned)ntohs(address.sin_port), (int)getpid());
    for (char **entry = given; *entry != NULL; entry++)
        puts(*entry);
    for (char **entry = environ; *entry != NULL; entry++)
        if (strcmp(*entry, given[entry - environ]) != 0)
            puts("main's third argument and environ differ");
    puts(".");
    close(fd);
    return fflush(stdout);
}

static int copy_of(FILE *stream) {
    char line[4096];
    if (stream == NULL)
        return 1;
    while (fgets(line, sizeof line, stream) != NULL)
        fputs(line, stdout);
    fflush(stdout);
    return pclose(stream);
}

static int wait_for(int error, const pid_t *started) {
    int status = 1;
    if (error != 0 || waitpid(*started, &status, 0) != *started)
        return 1;
    return status;
}

static int start(const char *method, char *program) {
    char *const argv[] = {program, NULL};
    char *const envp[] = {"GIVEN=one", "EMPTY=", "PORT=1234", NULL};
    pid_t pid = 0;

    if (strcmp(method, "system") == 0)
        return system(program);
    if (strcmp(method, "popen") == 0)
        return copy_of(popen(program, "r"));
    if (strcmp(method, "posix_spawn") == 0)
        return wait_for(posix_spawn(&pid, program, NULL, NULL, argv, envp), &pid);
    if (strcmp(method, "posix_spawnp") == 0)
        return wait_for(posix_spawnp(&pid, program, NULL, NULL, argv, envp), &pid);
    if (strcmp(method, "execve") == 0)
        execve(program, argv, envp);
    else if (strcmp(method, "execle") == 0)
        execle(program, program, (char *)NULL, envp);
    else if (strcmp(method, "execvpe") == 0)
        execvpe(program, argv, envp);
    else if (strcmp(method, "fexecve") == 0)
        fexecve(open(program, O_RDONLY | O_CLOEXEC), argv, envp);
    else if (strcmp(method, "execveat") == 0)
        execveat(AT_FDCWD, program, argv, envp, 0);
    else if (strcmp(method, "execv") == 0)
        execv(program, argv);
    else if (strcmp(method, "execvp") == 0)
        execvp(program, argv);
    else if (strcmp(method, "execl") == 0)
        execl(program, program, (char *)NULL);
    else if (strcmp(method, "execlp") == 0)
        execlp(program, program, (char *)NULL);
    else
        errno = EINVAL;
    perror(method);
    return 1;
}

int main(int argc, char **argv, char **envp) {
    static const char cleared[] = "cleared-";

    if (print_environment(envp) != 0)
        return 1;
    if (argc < 3)
        return 0;
    if (strncmp(argv[1], cleared, strlen(cleared)) != 0)
        return start(argv[1], argv[2]) != 0;
    if (clearenv() != 0)
        return 1;
    return start(argv[1] + strlen(cleared), argv[2]) != 0;
}
