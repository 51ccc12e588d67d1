/*
 * Calls that start programs, and calls on sockets, from threads and signal handlers with the
 * smallest stacks that the C library allows: what the shim needs besides must fit.
 */
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const arguments[] = {"sh", "-c", "exit 6", NULL};
static char *many[600] = {"A=1"};

static int wait_status(pid_t pid) {
    int status = -1;
    waitpid(pid, &status, 0);
    return status;
}

static int bind_one(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int good = bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0;
    return good && close(fd) == 0 ? 0 : -1;
}

static void be_child(char *const environment[]) {
    execve("/bin/sh", arguments, environment);
    _exit(1);
}

static int bind_in_thread(void) { return bind_one(); }

static int fork_in_thread(void) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(bind_one() == 0 ? 6 : 1);
    return wait_status(pid);
}

static int exec_in_thread(void) {
    pid_t pid = fork();
    if (pid == 0)
        be_child(environ);
    return wait_status(pid);
}

static int exec_with_many_variables(void) {
    pid_t pid = fork();
    if (pid == 0)
        be_child(many);
    return wait_status(pid);
}

static int spawn_in_thread(void) {
    pid_t pid = -1;
    int error = posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments, many);
    return error != 0 ? -error : wait_status(pid);
}

static int shell_in_thread(void) { return system("exit 6"); }

static const struct {
    const char *name;
    int (*go)(void);
} ways[] = {{"bind", bind_in_thread},   {"fork", fork_in_thread},
            {"exec", exec_in_thread},   {"exec, many variables", exec_with_many_variables},
            {"spawn", spawn_in_thread}, {"system", shell_in_thread}};

enum { WAYS = sizeof ways / sizeof *ways };

static void *run(void *way) {
    int (*const *go)(void) = way;
    return (void *)(long)(*go)();
}

static volatile sig_atomic_t chosen;
static volatile int answer;

static void handle(int signal_number) {
    (void)signal_number;
    answer = ways[chosen].go();
}

/* Which is what sigaltstack(2) recommends. */
static void use_signal_stack(void) {
    size_t size = (size_t)sysconf(_SC_SIGSTKSZ);
    char *memory = mmap(NULL, size + 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t stack = {.ss_sp = memory + 65536, .ss_size = size};
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    if (memory == MAP_FAILED || mprotect(stack.ss_sp, size, PROT_READ | PROT_WRITE) != 0 ||
        sigaltstack(&stack, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0)
        exit(3);
}

int main(int count, char **words) {
    pthread_attr_t attributes;
    for (size_t i = 1; i < sizeof many / sizeof *many - 1; i++)
        many[i] = many[0];
    if (count > 1 && strcmp(words[1], "cleared") == 0)
        clearenv();
    setvbuf(stdout, NULL, _IONBF, 0);
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) != 0 ||
        pthread_attr_setguardsize(&attributes, 1 << 18) != 0)
        return 3;
    for (int i = 0; i < WAYS; i++) {
        pthread_t thread;
        void *result = NULL;
        printf("%s: ", ways[i].name);
        if (pthread_create(&thread, &attributes, run, (void *)&ways[i].go) != 0)
            return 3;
        pthread_join(thread, &result);
        printf("%lx", (unsigned long)result);
        use_signal_stack();
        chosen = i;
        raise(SIGUSR1);
        printf(" %x\n", (unsigned)answer);
    }
    return 0;
}
