/* The shim says at once what it cannot enter; whether others see it only shows later. */
#include "harness/run/unentered.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "shim/shared/recorder.h"

struct unentered_program {
    uint32_t pid;
    unsigned reason;
    uint64_t process;
    char *path;
};

void unentered_add(struct unentered *unentered, uint32_t pid, unsigned reason, uint64_t process,
                   const char *path) {
    unentered->list = memory_grow(unentered->list, &unentered->room, unentered->count + 1,
                                  sizeof *unentered->list);
    unentered->list[unentered->count++] = (struct unentered_program){
        .pid = pid, .reason = reason, .process = process, .path = memory_copy(path, strlen(path))};
}

bool unentered_has(const struct unentered *unentered, uint32_t pid) {
    for (size_t i = 0; i < unentered->count; i++)
        if (unentered->list[i].pid == pid)
            return true;
    return false;
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

static void record_one(const struct unentered_program *program) {
    size_t length = strlen(program->path);
    unsigned units = record_text_units(length, PW_RECORD_UNITS_MAX - 2);
    struct record record;
    if (!record_begin(&record, PW_KIND_BLIND_SPOT, 2 + units, program->process, -1, monotonic_ns()))
        return;
    record.units[0].start.source = PW_SOURCE_RUN;
    record.units[1].numbers.code = program->reason;
    record.units[1].numbers.number[0] = program->pid;
    if (!record_text(&record, 2, program->path, length))
        record.units[0].start.flags |= PW_FLAG_TEXT_CUT;
    record_commit(&record, 0);
}

void unentered_record(const struct unentered *unentered) {
    for (size_t i = 0; i < unentered->count; i++)
        record_one(&unentered->list[i]);
}

void unentered_free(struct unentered *unentered) {
    for (size_t i = 0; i < unentered->count; i++)
        free(unentered->list[i].path);
    free(unentered->list);
    *unentered = (struct unentered){0};
}
