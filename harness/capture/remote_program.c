/*
 * The kernel tells a program where it has loaded its program headers and its first instruction, in
 * the auxiliary vector (getauxval(3)); the file says where these were to be as linked.
 */
#include "harness/capture/remote_program.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "harness/capture/elf_image.h"

enum { AUXV_MAX = 64 };

static int open_in_proc(pid_t pid, const char *name) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static uint64_t auxiliary(const Elf64_auxv_t *vector, size_t count, uint64_t type) {
    for (size_t i = 0; i < count && vector[i].a_type != AT_NULL; i++)
        if (vector[i].a_type == type)
            return vector[i].a_un.a_val;
    return 0;
}

static bool find_bias(pid_t pid, struct elf_image *image, uint64_t *bias) {
    Elf64_auxv_t vector[AUXV_MAX];
    int file = open_in_proc(pid, "auxv");
    ssize_t got = file >= 0 ? read(file, vector, sizeof vector) : -1;
    if (file >= 0)
        close(file);
    if (got <= 0)
        return false;
    size_t count = (size_t)got / sizeof *vector;
    uint64_t headers = auxiliary(vector, count, AT_PHDR);
    uint64_t entry = auxiliary(vector, count, AT_ENTRY);
    if (headers != 0 && image->headers != 0)
        *bias = headers - image->headers;
    else if (entry != 0)
        *bias = entry - image->entry;
    return headers != 0 || entry != 0;
}

bool remote_program_open(pid_t pid, struct remote_program *program) {
    struct elf_image image;
    *program = (struct remote_program){.file = open_in_proc(pid, "exe")};
    if (program->file < 0)
        return false;
    if (elf_image_open(&image, program->file)) {
        program->has_bias = find_bias(pid, &image, &program->bias);
        elf_image_close(&image);
    }
    return true;
}
