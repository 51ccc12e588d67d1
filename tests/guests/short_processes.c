/* Many short programs. Usage: short_processes COUNT AT_ONCE. Starts itself so often, in turn by
 * posix_spawn, by vfork and by fork; each child binds port 0 on TCP or UDP and prints, in one
 * write, its process id, its protocol and the port, and ends without closing anything. */
#include <arpa/inet.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int bind_and_print(int type) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, type, 0);
    char line[64];

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return 1;
    int size = snprintf(line, sizeof line, "%d %s %u\n", (int)getpid(),
                        type == SOCK_STREAM ? "tcp" : "udp", (unsigned)ntohs(address.sin_port));
    return write(STDOUT_FILENO, line, (size_t)size) == size ? 0 : 1;
}

static int start(unsigned number, char *self) {
    char *argv[] = {self, number % 2 != 0 ? "udp" : "tcp", NULL};
    pid_t pid;

    if (number % 3 == 0)
        return posix_spawn(&pid, self, NULL, NULL, argv, environ);
    pid = number % 3 == 1 ? vfork() : fork();
    if (pid == 0) {
        execv(self, argv);
        _exit(127);
    }
    return pid < 0;
}

static int collect(void) {
    int status;
    return wait(&status) > 0 && status == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc == 2)
        return bind_and_print(strcmp(argv[1], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM);
    unsigned count = argc > 2 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    unsigned at_once = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    int failed = count == 0 || at_once == 0;

    for (unsigned i = 0; i < count && !failed; i++)
        failed = (i >= at_once && collect() != 0) || start(i, argv[0]) != 0;
    for (unsigned i = 0; i < at_once && i < count && !failed; i++)
        failed = collect();
    return failed;
}
