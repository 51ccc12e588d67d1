/*
 * To find a program's table takes some ms, and a program binds often: a few are kept. A file that
 * was replaced is another one by its inode, and one that was written to by its time.
 */
#include "harness/capture/go_programs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_of(const struct go_program *program, const struct stat *status) {
    return program->used != 0 && program->device == status->st_dev &&
           program->inode == status->st_ino && program->changed.tv_sec == status->st_mtim.tv_sec &&
           program->changed.tv_nsec == status->st_mtim.tv_nsec;
}

static void forget(struct go_program *program) {
    if (program->is_go) {
        go_table_close(&program->table);
        close(program->file);
    }
    program->used = 0;
    program->is_go = false;
}

static void read_program(struct go_program *program, int file, const struct stat *status) {
    program->device = status->st_dev;
    program->inode = status->st_ino;
    program->changed = status->st_mtim;
    program->file = fcntl(file, F_DUPFD_CLOEXEC, 3);
    if (program->file < 0)
        return;
    program->is_go = go_table_open(&program->table, program->file);
    if (program->is_go)
        go_root_learn(&program->table, &program->root);
    else
        close(program->file);
}

struct go_program *go_programs_find(struct go_programs *programs, int file) {
    struct go_program *oldest = &programs->program[0];
    struct stat status;
    if (fstat(file, &status) < 0)
        return NULL;
    for (unsigned i = 0; i < GO_PROGRAMS_MAX; i++) {
        struct go_program *program = &programs->program[i];
        if (is_of(program, &status)) {
            program->used = ++programs->clock;
            return program->is_go ? program : NULL;
        }
        if (program->used < oldest->used)
            oldest = program;
    }
    forget(oldest);
    read_program(oldest, file, &status);
    oldest->used = ++programs->clock;
    return oldest->is_go ? oldest : NULL;
}

void go_programs_close(struct go_programs *programs) {
    for (unsigned i = 0; i < GO_PROGRAMS_MAX; i++)
        forget(&programs->program[i]);
    programs->clock = 0;
}
