/* system and popen start a shell inside libc, past the exec wrappers. Where our variables are not
 * in environ, the shell's command is prefixed with them, so that at least what the shell starts is
 * seen. */
#include <string.h>
#include <unistd.h>

#include "shim/process.h"
#include "shim/program_start.h"
#include "shim/real.h"

enum { PREFIX_BYTES = 12 * 1024 };

struct shell_command {
    struct program_start start;
    char *text; /* NULL: the command as it is */
    size_t size;
};

static void begin_command(struct shell_command *shell, const char *command, int number,
                          const void *site) {
    char prefix[PREFIX_BYTES];
    shell->text = NULL;
    shell->start.number = number;
    shell->start.site = site;
    program_inspect("/bin/sh", NULL, &shell->start.facts);
    if (command == NULL || environment_plan(&shell->start.plan, environ, &shell->start.facts) == 0)
        return;
    size_t length = environment_prefix(&shell->start.plan, prefix, sizeof prefix);
    size_t rest = strlen(command) + 1;
    if (length == 0 || length >= sizeof prefix)
        return;
    shell->size = length + rest;
    shell->text = program_start_map(shell->size);
    if (shell->text == NULL)
        return;
    memcpy(shell->text, prefix, length);
    memcpy(shell->text + length, command, rest);
}

static void end_command(const struct shell_command *shell) {
    if (shell->text != NULL)
        program_start_unmap(shell->text, shell->size);
}

int call_system(const char *command, const void *site) {
    struct shell_command shell;
    begin_command(&shell, command, NUMBER_system, site);
    int status = real.system(shell.text != NULL ? shell.text : command);
    end_command(&shell);
    return status;
}

FILE *call_popen(const char *command, const char *mode, const void *site) {
    struct shell_command shell;
    begin_command(&shell, command, NUMBER_popen, site);
    FILE *stream = real.popen(shell.text != NULL ? shell.text : command, mode);
    end_command(&shell);
    return stream;
}
