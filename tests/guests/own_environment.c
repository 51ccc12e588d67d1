/*
 * Writes the name of a test into its environment past libc, as bash and perl do, and binds.
 *
 *   own_environment start   into the array that it was started with
 *   own_environment array   into one of its own
 *   own_environment libc    into the one that setenv(3) has made
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void bind_one(void) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (const struct sockaddr *)&any, sizeof any) != 0)
        exit(1);
    close(fd);
}

int main(int count, char **arguments) {
    static char first[] = "BATS_TEST_DESCRIPTION=first";
    static char second[] = "BATS_TEST_DESCRIPTION=second";
    static char third[] = "BATS_TEST_DESCRIPTION=third";
    static char *own[] = {first, NULL};
    char *const names[] = {first, second, third};
    char **at = environ;
    if (count != 2)
        return 2;
    if (strcmp(arguments[1], "array") == 0)
        at = environ = own;
    if (strcmp(arguments[1], "libc") == 0 &&
        (setenv("BATS_TEST_DESCRIPTION", "none", 1) != 0 || setenv("NEW_VARIABLE", "1", 1) != 0))
        return 1;
    if (strcmp(arguments[1], "libc") == 0)
        at = environ;
    while (strncmp(*at, "BATS_TEST_DESCRIPTION=", 22) != 0)
        at++;
    for (int i = 0; i < 3; i++) {
        *at = names[i];
        bind_one();
        bind_one();
    }
    return 0;
}
