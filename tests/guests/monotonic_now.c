/* Prints CLOCK_MONOTONIC in nanoseconds: tests place what they saw between the times of a trace,
 * and the shell has no such clock. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

int main(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 1;
    printf("%" PRIu64 "\n", (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
    return 0;
}
