/* system and popen start a shell inside libc, past the exec wrappers. Where our variables are not
 * in environ, the shell's command is prefixed with them, so that at least what the shell starts is
 * seen. All of it is made in a mapping, since the calling thread's stack can be small. */
#include <stdatomic.h>
#include <unistd.h>

#include "shim/gate.h"
#include "shim/policy/place.h"
#include "shim/process/program_start.h"
#include "shim/real.h"
#include "shim/shared/guest_memory.h"
#include "shim/socket/sockets.h"

/* The kernel takes no longer argument (MAX_ARG_STRLEN, execve(2)). */
enum { COMMAND_MOST = 128 * 1024 };

struct shell_command {
    struct program_start start;
    const char *command;
    char *space; /* NULL: nothing had to be changed */
    size_t size;
    char **given; /* environ, where the shell gets another one */
    char **exchanged;
};

/* Stands at the end of a mapping that is to be given back later. */
struct kept_space {
    char *space;
    size_t size;
};

/* The shell itself would print something on the guest's stderr, before any prefix: its loader, that
 * the shim cannot be found (after chroot), or its shim, that the trace cannot be opened. */
static void exchange_environment(struct shell_command *shell) {
    shell->given = environ;
    shell->exchanged = environment_build(&shell->start.plan, shell->space);
    if (shell->exchanged != NULL)
        environ = shell->exchanged;
}

static void put_prefix(struct shell_command *shell, size_t used) {
    char *text = shell->space + used;
    size_t length = environment_prefix(&shell->start.plan, shell->space, text, COMMAND_MOST);
    if (length == 0 || length >= COMMAND_MOST)
        return;
    long rest = guest_copy_string(text + length, COMMAND_MOST - length, shell->command);
    if (rest >= 0 && length + (size_t)rest < COMMAND_MOST)
        shell->command = text;
}

static void begin_command(struct shell_command *shell, const char *command, int number,
                          const void *site) {
    shell->command = command;
    shell->space = NULL;
    shell->exchanged = NULL;
    shell->start.number = number;
    shell->start.site = site;
    if (command == NULL)
        return;
    if (gate() == GATE_OPEN) {
        sockets_record_all(); /* the shell may inherit them */
        policy_place_announce(policy_place_next());
    }
    program_inspect("/bin/sh", NULL, &shell->start.facts);
    if (shell->start.facts.obstacle == 0)
        shell->start.facts.obstacle = environment_obstacle();
    size_t used = environment_plan(&shell->start.plan, environ, &shell->start.facts);
    if (used == 0)
        return;
    shell->size = used + COMMAND_MOST + 2 * sizeof(struct kept_space);
    shell->size &= ~(sizeof(struct kept_space) - 1);
    shell->space = program_start_map(shell->size);
    if (shell->space == NULL)
        return;
    if (shell->start.plan.at_once)
        exchange_environment(shell);
    else
        put_prefix(shell, used);
}

/* Another thread may still be reading the exchanged environment: it is kept until the next one. */
static void unmap_later(const struct shell_command *shell) {
    static _Atomic(struct kept_space *) kept;
    struct kept_space *mine = (struct kept_space *)(void *)(shell->space + shell->size) - 1;
    *mine = (struct kept_space){shell->space, shell->size};
    struct kept_space *old = atomic_exchange(&kept, mine);
    if (old != NULL)
        program_start_unmap(old->space, old->size);
}

static void end_command(const struct shell_command *shell) {
    if (shell->exchanged != NULL && environ == shell->exchanged)
        environ = shell->given;
    if (shell->exchanged != NULL)
        unmap_later(shell);
    else if (shell->space != NULL)
        program_start_unmap(shell->space, shell->size);
}

int call_system(const char *command, const void *site) {
    struct shell_command shell;
    begin_command(&shell, command, NUMBER_system, site);
    int status = real.system(shell.command);
    end_command(&shell);
    return status;
}

FILE *call_popen(const char *command, const char *mode, const void *site) {
    struct shell_command shell;
    begin_command(&shell, command, NUMBER_popen, site);
    FILE *stream = real.popen(shell.command, mode);
    end_command(&shell);
    return stream;
}
