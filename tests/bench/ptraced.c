/* The least that a tracer by ptrace(2) does: stops a program at the begin and the end of each of
 * its system calls, looks at which one it is, and lets it go on.
 *
 *   ptraced COMMAND...   its exit status is the command's
 */
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long binds;

static void look(pid_t pid) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, pid, NULL, &registers) == 0)
        binds += registers.orig_rax == SYS_bind;
}

static int follow(pid_t pid) {
    int status;
    int signal_to_pass = 0;
    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
        signal_to_pass = WSTOPSIG(status);
        if (signal_to_pass == (SIGTRAP | 0x80)) {
            look(pid);
            signal_to_pass = 0;
        } else if (signal_to_pass == SIGTRAP) {
            signal_to_pass = 0;
        }
        ptrace(PTRACE_SYSCALL, pid, NULL, signal_to_pass);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int count, char **arguments) {
    if (count < 2)
        return 2;
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execvp(arguments[1], arguments + 1);
        _exit(127);
    }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid ||
        ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0) {
        perror("ptraced");
        return 1;
    }
    ptrace(PTRACE_SYSCALL, pid, NULL, 0);
    status = follow(pid);
    return binds > 0 ? status : 1;
}
