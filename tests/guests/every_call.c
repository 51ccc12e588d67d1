/*
 * Calls every row of the list of wrapped calls, so that a test can compare what the shim's presence
 * changes (nothing) and what the trace shows (what each row here says that it should). A row that
 * is added to the list without an exerciser here does not compile.
 *
 *   every_call              each row in a process of its own; prints results and errors
 *   every_call --each N     the same for each Nth row
 *   every_call --list       one line a row: name, what to look for in the trace
 *   every_call --bind       binds one socket: the program that the starting calls start
 *
 * Where $ROWS names a file, "NAME PID" is added to it for each row's process.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/guests/every_call_sockets.h"

pid_t _Fork(void);

static const char *self;

static void wait_for(pid_t pid) {
    int status = -1;
    if (waitpid(pid, &status, 0) < 0)
        status = -1;
    dprintf(1, "  child: %x\n", (unsigned)status);
}

static int bind_one(void) {
    int fd = bound(SOCK_STREAM);
    dprintf(1, "  bound %d\n", fd);
    return fd < 0;
}

/* In a child that was forked: says whether it can bind, and ends. */
static void be_child(void) {
    bind_one();
    _exit(7);
}

static void do_fork(void) {
    pid_t pid = fork();
    if (pid == 0)
        be_child();
    wait_for(pid);
}

static void do__Fork(void) {
    pid_t pid = _Fork();
    if (pid == 0)
        be_child();
    wait_for(pid);
}

/* The child closes what the parent holds, in every way, and binds; the parent's descriptors and
 * what is known of them must not change. */
static void do_vfork(void) {
    int fd = bound(SOCK_STREAM), other = bound(SOCK_STREAM);
    struct sockaddr_in any = loopback(0);
    pid_t pid = vfork();
    if (pid == 0) {
        close(fd);
        dup(0);
        dup2(0, other);
        bind(socket(AF_INET, SOCK_STREAM, 0), ADDRESS(any));
        close_range(3, ~0U, 0);
        _exit(9);
    }
    wait_for(pid);
    TELL(close(fd));
    TELL(close(other));
    pid = vfork();
    if (pid == 0) {
        execl(self, self, "--bind", (char *)NULL);
        _exit(9);
    }
    wait_for(pid);
}

static char *const nothing[] = {NULL};
#define ARGUMENTS ((char *const[]){(char *)self, "--bind", NULL})

/* The child is waited for first, so that what both say does not mix. */
static void print_spawned(const char *what, int error, pid_t pid) {
    if (error == 0)
        wait_for(pid);
    print_result(what, error);
}

static void do_posix_spawn(void) {
    pid_t pid = -1;
    int error = posix_spawn(&pid, "/nowhere/at/all", NULL, NULL, ARGUMENTS, environ);
    print_spawned("no such file", error, pid);
    error = posix_spawn(&pid, self, NULL, NULL, ARGUMENTS, nothing);
    print_spawned("empty environment", error, pid);
    error = posix_spawn(NULL, self, NULL, NULL, ARGUMENTS, environ);
    print_spawned("nowhere for the pid", error, -1);
}

static void do_posix_spawnp(void) {
    pid_t pid = -1;
    int error = posix_spawnp(&pid, "nothing-of-that-name", NULL, NULL, ARGUMENTS, environ);
    print_spawned("no such name", error, pid);
    error = posix_spawnp(&pid, self, NULL, NULL, ARGUMENTS, nothing);
    print_spawned("empty environment", error, pid);
}

static void do_execve(void) {
    TELL(execve("/nowhere", ARGUMENTS, environ));
    TELL(execve("/", ARGUMENTS, environ));
    TELL(execve(self, ARGUMENTS, nothing));
}

static void do_execv(void) {
    TELL(execv("/nowhere", ARGUMENTS));
    clearenv();
    TELL(execv(self, ARGUMENTS));
}

static void do_execvp(void) {
    TELL(execvp("nothing-of-that-name", ARGUMENTS));
    TELL(execvp("", ARGUMENTS));
    TELL(execvp(self, ARGUMENTS));
}

static void do_execvpe(void) {
    TELL(execvpe("nothing-of-that-name", ARGUMENTS, environ));
    TELL(execvpe(self, ARGUMENTS, nothing));
}

static void do_execl(void) {
    TELL(execl("/nowhere", self, "--bind", (char *)NULL));
    TELL(execl(self, self, "--bind", (char *)NULL));
}

static void do_execlp(void) {
    TELL(execlp("nothing-of-that-name", self, "--bind", (char *)NULL));
    TELL(execlp(self, self, "--bind", (char *)NULL));
}

static void do_execle(void) {
    TELL(execle("/nowhere", self, "--bind", (char *)NULL, environ));
    TELL(execle(self, self, "--bind", (char *)NULL, nothing));
}

static void do_fexecve(void) {
    TELL(fexecve(-1, ARGUMENTS, environ));
    TELL(fexecve(open(self, O_RDONLY | O_CLOEXEC), ARGUMENTS, nothing));
}

static void do_execveat(void) {
    TELL(execveat(AT_FDCWD, "/nowhere", ARGUMENTS, environ, 0));
    TELL(execveat(open(self, O_RDONLY | O_CLOEXEC), "", ARGUMENTS, nothing, AT_EMPTY_PATH));
}

/* The shell's own environment is empty; what it starts is to be followed all the same. */
static void do_system(void) {
    char command[4200];
    snprintf(command, sizeof command, "env | grep -v -e ^PWD= -e ^_= -e ^SHLVL=; '%s' --bind",
             self);
    clearenv();
    TELL(system(command));
    TELL(system("exit 3"));
    TELL(system(NULL));
}

static void do_popen(void) {
    char command[4200], line[64];
    snprintf(command, sizeof command, "'%s' --bind", self);
    clearenv();
    FILE *stream = popen(command, "r");
    while (stream != NULL && fgets(line, sizeof line, stream) != NULL)
        dprintf(1, "  it says: %s", line);
    TELL(pclose(stream));
    TELL(popen(command, "x") == NULL ? -1 : 0);
}

static void do__exit(void) { _exit(11); }

static void do__Exit(void) { _Exit(12); }

/* The parent ends inside libc. A pipe shows when the daemon has ended. */
static void do_daemon(void) {
    int both[2];
    char byte;
    if (pipe(both) != 0 || fork() != 0) {
        close(both[1]);
        TELL(read(both[0], &byte, 1));
        wait_for(-1);
        return;
    }
    TELL(daemon(1, 1));
    bind_one();
}

/* Sockets before and after: their namespaces differ. */
static void do_unshare(void) {
    bind_one();
    TELL(unshare(CLONE_NEWNET));
    bind_one();
    TELL(unshare(-1));
}

static void do_setns(void) {
    int before = open("/proc/self/ns/net", O_RDONLY);
    TELL(unshare(CLONE_NEWNET));
    bind_one();
    TELL(setns(before, CLONE_NEWNET));
    bind_one();
    TELL(setns(-1, 0));
}

enum { NOBODY = 65534 };

static void do_setuid(void) {
    TELL(socket(AF_INET, SOCK_STREAM, 0));
    TELL(setuid(NOBODY));
    TELL(setuid(0));
    do_fork();
}

static void do_seteuid(void) {
    TELL(socket(AF_INET, SOCK_STREAM, 0));
    TELL(seteuid(NOBODY));
    do_fork();
}

static void do_setreuid(void) {
    TELL(socket(AF_INET, SOCK_STREAM, 0));
    TELL(setreuid(NOBODY, NOBODY));
    TELL(setreuid(0, 0));
    do_fork();
}

static void do_setresuid(void) {
    TELL(socket(AF_INET, SOCK_STREAM, 0));
    TELL(setresuid(NOBODY, NOBODY, NOBODY));
    TELL(setresuid(0, 0, 0));
    do_fork();
}

static void do_setfsuid(void) {
    TELL(socket(AF_INET, SOCK_STREAM, 0));
    TELL(setfsuid(NOBODY));
    TELL(setfsuid((uid_t)-1));
    do_fork();
}

/* A filter that lets everything through: the program is sandboxed all the same. */
static void do_prctl(void) {
    struct sock_filter filter = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog program = {1, &filter};
    TELL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    TELL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
    bind_one();
}

/* In which test a bind was made, as the environment says it then. */
static void do_setenv(void) {
    TELL(setenv("", "x", 1));
    TELL(setenv("BATS_TEST_DESCRIPTION", "set", 0));
    bind_one();
    TELL(setenv("BATS_TEST_DESCRIPTION", "set again", 1));
    bind_one();
}

static void do_putenv(void) {
    static char variable[] = "BATS_TEST_DESCRIPTION=put";
    bind_one();
    TELL(putenv(variable));
    bind_one();
}

static void do_unsetenv(void) {
    TELL(setenv("BATS_TEST_DESCRIPTION", "left", 1));
    TELL(setenv("PYTEST_CURRENT_TEST", "taken away", 1));
    bind_one();
    TELL(unsetenv("PYTEST_CURRENT_TEST"));
    bind_one();
    TELL(unsetenv("="));
}

static void do_clearenv(void) {
    TELL(setenv("BATS_TEST_DESCRIPTION", "cleared", 1));
    bind_one();
    TELL(clearenv());
    bind_one();
}

/* What stands in the trace for a row that leaves no record of its own name; else its name. */
static const char *expected_of(const char *name) {
    static const char *const others[][2] = {
        {"vfork", "flag vfork-child"},   {"daemon", "anywhere daemon"},
        {"system", "started --bind"},    {"popen", "started --bind"},
        {"setns", "namespaces 2"},       {"unshare", "namespaces 2"},
        {"setuid", "child uid 65534"},   {"seteuid", "child uid 65534"},
        {"setreuid", "child uid 65534"}, {"setresuid", "child uid 65534"},
        {"setfsuid", "child uid 65534"}, {"execl", "call execv"},
        {"execlp", "call execvp"},       {"execle", "call execve"},
        {"setenv", "marker set again"},  {"putenv", "marker put"},
        {"unsetenv", "marker left"},     {"clearenv", "marker "}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i][0], name) == 0)
            return others[i][1];
    return NULL;
}

static const struct {
    const char *name;
    void (*exercise)(void);
} rows[] = {
#define CALL(number, result, name, parameters, arguments) {#name, do_##name},
#define CALL_PLAIN(number, result, name) {#name, do_##name},
#define CALL_VOID(number, name, parameters, arguments) {#name, do_##name},
#define CALL_OWN(number, result, name, parameters) {#name, do_##name},
#include "shim/shared/calls.def"
};

enum { ROWS = sizeof rows / sizeof *rows };

static void list_rows(void) {
    for (size_t i = 0; i < ROWS; i++) {
        const char *expected = expected_of(rows[i].name);
        if (expected != NULL)
            printf("%s %s\n", rows[i].name, expected);
        else
            printf("%s call %s\n", rows[i].name, rows[i].name);
    }
}

static void exercise(size_t row) {
    const char *log = getenv("ROWS");
    pid_t pid = fork();
    if (pid != 0) {
        wait_for(pid);
        return;
    }
    if (log != NULL) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        dprintf(fd, "%s %d\n", rows[row].name, (int)getpid());
        close(fd);
    }
    rows[row].exercise();
    exit(5);
}

int main(int count, char **arguments) {
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    self = path;
    signal(SIGPIPE, SIG_IGN);
    if (count == 2 && strcmp(arguments[1], "--bind") == 0) {
        for (char **variable = environ; *variable != NULL; variable++)
            if (strncmp(*variable, "PORTWITNESS_RESTORED=", 21) == 0)
                dprintf(1, "  the marker was left: %s\n", *variable);
        return bind_one();
    }
    if (count == 2 && strcmp(arguments[1], "--list") == 0) {
        list_rows();
        return 0;
    }
    size_t step = count == 3 && strcmp(arguments[1], "--each") == 0
                      ? (size_t)strtoul(arguments[2], NULL, 10)
                      : 1;
    for (size_t i = 0; i < ROWS; i += step) {
        dprintf(1, "%s\n", rows[i].name);
        exercise(i);
    }
    return 0;
}
