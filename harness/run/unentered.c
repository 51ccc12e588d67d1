/* The shim says at once what it cannot enter; whether others see it only shows later. */
#include "harness/run/unentered.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/base/path_last.h"
#include "harness/run/blind_spot.h"

enum { COMM_LENGTH = 15 };

struct unentered_program {
    uint32_t pid;
    unsigned reason;
    uint64_t process;
    uint64_t since_ns;
    char *path;
};

void unentered_add(struct unentered *unentered, uint32_t pid, unsigned reason, uint64_t process,
                   uint64_t since_ns, const char *path) {
    unentered->list = memory_grow(unentered->list, &unentered->room, unentered->count + 1,
                                  sizeof *unentered->list);
    unentered->list[unentered->count++] =
        (struct unentered_program){.pid = pid,
                                   .reason = reason,
                                   .process = process,
                                   .since_ns = since_ns,
                                   .path = memory_copy(path, strlen(path))};
}

bool unentered_has(const struct unentered *unentered, uint32_t pid) {
    for (size_t i = 0; i < unentered->count; i++)
        if (unentered->list[i].pid == pid)
            return true;
    return false;
}

const char *unentered_since(const struct unentered *unentered, uint32_t pid, uint64_t ns) {
    for (size_t i = 0; i < unentered->count; i++)
        if (unentered->list[i].pid == pid && unentered->list[i].since_ns <= ns)
            return unentered->list[i].path;
    return NULL;
}

char *unentered_take(struct unentered *unentered, uint32_t pid) {
    char *path = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < unentered->count; i++) {
        struct unentered_program *program = &unentered->list[i];
        if (program->pid != pid) {
            unentered->list[kept++] = *program;
            continue;
        }
        free(path);
        path = program->path;
    }
    unentered->count = kept;
    return path;
}

void unentered_move(struct unentered *unentered, uint32_t from, uint32_t to) {
    for (size_t i = 0; i < unentered->count; i++)
        if (unentered->list[i].pid == from)
            unentered->list[i].pid = to;
}

bool unentered_is_named(const char *path, const char comm[16]) {
    return strncmp(path_last(path), comm, COMM_LENGTH) == 0;
}

void unentered_reported(struct unentered *unentered, uint32_t pid, const char comm[16],
                        uint64_t ns) {
    size_t kept = 0;
    for (size_t i = 0; i < unentered->count; i++) {
        struct unentered_program *program = &unentered->list[i];
        if (program->reason == PW_BLIND_UNEXAMINED && program->pid == pid &&
            program->since_ns <= ns && unentered_is_named(program->path, comm))
            free(program->path);
        else
            unentered->list[kept++] = *program;
    }
    unentered->count = kept;
}

void unentered_record(const struct unentered *unentered) {
    for (size_t i = 0; i < unentered->count; i++) {
        const struct unentered_program *program = &unentered->list[i];
        blind_spot_record(program->reason, program->process, program->pid, program->path);
    }
}

void unentered_free(struct unentered *unentered) {
    for (size_t i = 0; i < unentered->count; i++)
        free(unentered->list[i].path);
    free(unentered->list);
    *unentered = (struct unentered){0};
}
