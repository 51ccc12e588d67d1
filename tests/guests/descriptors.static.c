/* Prints the numbers of its open descriptors. A static program, which no preload can enter. */
#include <fcntl.h>
#include <stdio.h>

int main(void) {
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf(fd == 0 ? "%d" : " %d", fd);
    printf("\n");
    return 0;
}
