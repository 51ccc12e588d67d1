/* A process that has recorded nothing but its start makes another one past libc's fork, with
 * clone(2):
 *
 *   clones copy     one with a copy of its memory, which binds a port
 *   clones space    the same as the first process of a new pid namespace (needs root)
 *   clones shared   one that shares its memory and executes `true`, as vfork would
 *
 * Then it binds a port itself. Each prints who it is and the port. */
#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static _Alignas(16) char stack[256 * 1024];

static int bind_a_port(void *who) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return 1;
    printf("%s %d\n", (const char *)who, ntohs(address.sin_port));
    fflush(stdout);
    return 0;
}

static int execute_true(void *who) {
    (void)who;
    execl("/bin/true", "true", (char *)NULL);
    _exit(127);
}

int main(int count, char *arguments[]) {
    const char *how = count == 2 ? arguments[1] : "";
    int flags = SIGCHLD, status = -1;
    if (strcmp(how, "shared") == 0)
        flags |= CLONE_VM | CLONE_VFORK;
    else if (strcmp(how, "space") == 0)
        flags |= CLONE_NEWPID;
    else if (strcmp(how, "copy") != 0)
        return 2;
    static char child[] = "child", parent[] = "parent";
    pid_t pid = clone((flags & CLONE_VM) != 0 ? execute_true : bind_a_port, stack + sizeof stack,
                      flags, child);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        return 1;
    return bind_a_port(parent);
}
