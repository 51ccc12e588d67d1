/* privsep: the parent binds by number as root, drops privilege in child; rresvport; SIGCHLD; vfork
 * helpers */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    for (int i = 0; i < 5; i++) {
        int port = 1000 - i;
        int fd = rresvport(&port);
        if (fd >= 0) {
            listen(fd, 1);
            close(fd);
        }
        pid_t k = vfork();
        if (k == 0) {
            execl("/bin/true", "true", (char *)0);
            _exit(1);
        }
        waitpid(k, 0, 0);
    }
    return 0;
}
