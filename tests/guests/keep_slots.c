/* How many slots for questions to the keeper are in use in a trace: keep_slots TRACE. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "shim/shared/keep_format.h"

int main(int argc, char **argv) {
    int file = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    const char *trace =
        file < 0 ? MAP_FAILED : mmap(NULL, PW_UNITS_OFFSET, PROT_READ, MAP_SHARED, file, 0);
    if (trace == MAP_FAILED) {
        perror("keep_slots");
        return 2;
    }
    const struct pw_keep_area *area =
        (const struct pw_keep_area *)(const void *)(trace + PW_HEADER_SIZE + PW_KEEP_OFFSET);
    unsigned used = 0;
    for (unsigned i = 0; i < PW_KEEP_SLOTS; i++)
        used += PW_KEEP_STAGE(area->slot[i].word) != PW_KEEP_FREE;
    printf("%u in use\n", used);
    return 0;
}
