/* Many programs end within a few ms, sooner than anybody can look at their folder of /proc. */
#include "harness/run/captured_program.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

/* Where a program that is not position independent lies is known without the process. */
static bool is_at_fixed_address(int file) {
    Elf64_Ehdr header;
    return pread(file, &header, sizeof header, 0) == (ssize_t)sizeof header &&
           header.e_type == ET_EXEC;
}

static bool open_by_path(const char *path, struct remote_program *program) {
    if (path[0] != '/')
        return false;
    *program = (struct remote_program){
        .file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), .has_bias = true};
    if (program->file >= 0 && is_at_fixed_address(program->file))
        return true;
    if (program->file >= 0)
        close(program->file);
    return false;
}

bool captured_program_open(pid_t pid, const char *path, struct captured_elsewhere elsewhere,
                           struct remote_program *program) {
    if (pid != 0 && remote_program_open(pid, program))
        return true;
    if (pid != 0 && elsewhere.find != NULL && elsewhere.find(elsewhere.with, pid, program))
        return true;
    return open_by_path(path, program);
}
