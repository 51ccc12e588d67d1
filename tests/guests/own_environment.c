/*
 * Writes the name of a test into its environment past libc, as bash and perl do, and binds.
 *
 *   own_environment start   into the array that it was started with
 *   own_environment array   into one of its own
 *   own_environment libc    into the one that setenv(3) has made
 *   own_environment behind  the same, with more and more variables behind it
 */
#include <netinet/in.h>
#include <stdio.h>
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

static char **find(void) {
    char **at = environ;
    while (strncmp(*at, "BATS_TEST_DESCRIPTION=", 22) != 0)
        at++;
    return at;
}

/* Texts as far from each other as two that malloc has given. */
static int bind_behind(void) {
    static _Alignas(64) char texts[3][64] = {"BATS_TEST_DESCRIPTION=first",
                                             "BATS_TEST_DESCRIPTION=second",
                                             "BATS_TEST_DESCRIPTION=third"};
    for (int i = 0; i < 64; i++) {
        char name[16];
        snprintf(name, sizeof name, "BEHIND_%d", i);
        if (setenv(name, "1", 1) != 0)
            return 1;
        for (int j = 0; j < 3; j++) {
            *find() = texts[j];
            bind_one();
        }
    }
    return 0;
}

int main(int count, char **arguments) {
    static char first[] = "BATS_TEST_DESCRIPTION=first";
    static char second[] = "BATS_TEST_DESCRIPTION=second";
    static char third[] = "BATS_TEST_DESCRIPTION=third";
    static char *own[] = {first, NULL};
    char *const names[] = {first, second, third};
    char **at;
    if (count != 2)
        return 2;
    if (strcmp(arguments[1], "behind") == 0)
        return bind_behind();
    if (strcmp(arguments[1], "array") == 0)
        environ = own;
    if (strcmp(arguments[1], "libc") == 0 &&
        (setenv("BATS_TEST_DESCRIPTION", "none", 1) != 0 || setenv("NEW_VARIABLE", "1", 1) != 0))
        return 1;
    at = find();
    for (int i = 0; i < 3; i++) {
        *at = names[i];
        bind_one();
        bind_one();
    }
    return 0;
}
