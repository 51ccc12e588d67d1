/* Ways of using wrapped calls that are rare and must work all the same; each prints what it got. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf out;

static void leave(int signal_number) {
    (void)signal_number;
    siglongjmp(out, 1);
}

/* A connect that waits: the listener's queue is full, and its first segment is dropped. */
static int blocked_connect(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 0) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        return -1;
    for (int i = 0; i < 8; i++) {
        int filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(filler, (struct sockaddr *)&address, length);
    }
    int client = socket(AF_INET, SOCK_STREAM, 0);
    struct itimerval soon = {.it_value = {.tv_usec = 200000}};
    signal(SIGALRM, leave);
    if (sigsetjmp(out, 1) == 0) {
        setitimer(ITIMER_REAL, &soon, NULL);
        connect(client, (struct sockaddr *)&address, length);
        return -1;
    }
    length = sizeof address;
    getsockname(client, (struct sockaddr *)&address, &length);
    return ntohs(address.sin_port);
}

static void *jump_and_end(void *port) {
    *(int *)port = blocked_connect();
    pthread_exit(NULL);
}

static int jump(void) {
    pthread_t thread;
    sigset_t alarm_only;
    int port = 0;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    pthread_create(&thread, NULL, jump_and_end, &port);
    pthread_sigmask(SIG_BLOCK, &alarm_only, NULL); /* it is for the other thread */
    pthread_join(thread, NULL);
    printf("left a connect on port %d\n", port);
    return port > 0 ? 0 : 1;
}

static void *not_a_cancellation_point(void *answer) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    listen(listener, 1);
    pthread_cancel(pthread_self());
    *(long *)answer = syscall(SYS_accept4, listener, NULL, NULL, 0);
    return NULL;
}

static int by_number(void) {
    pthread_t thread;
    long answer = 0;
    pthread_create(&thread, NULL, not_a_cancellation_point, &answer);
    pthread_join(thread, NULL);
    printf("accept by syscall: %ld\n", answer);
    return answer == -1 ? 0 : 1;
}

static int long_shell_command(void) {
    static char command[131072];
    memset(command, ' ', sizeof command - 1);
    memcpy(command + sizeof command - 7, "exit 5", 6);
    printf("shell: %d\n", WEXITSTATUS(system(command)));
    return 0;
}

static char *arguments[] = {"/bin/true", NULL};
static char *many[3000];

static void *vfork_in_little_room(void *status) {
    pid_t pid = vfork();
    if (pid == 0) {
        execve(arguments[0], arguments, many);
        _exit(9);
    }
    waitpid(pid, status, 0);
    return NULL;
}

static int small_vfork(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    int status = -1;
    for (size_t i = 0; i + 1 < sizeof many / sizeof *many; i++)
        many[i] = "VARIABLE=value";
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 32768);
    pthread_create(&thread, &attributes, vfork_in_little_room, &status);
    pthread_join(thread, NULL);
    printf("vfork: %x\n", (unsigned)status);
    return 0;
}

static int lock_memory(void) {
    printf("mlockall: %d\n", mlockall(MCL_CURRENT));
    return 0;
}

/* FOLDER PROGRAM: by execveat in a folder that is not ours, or by O_PATH (fexecve). */
static int in_folder(const char *folder, char *program, int by_descriptor) {
    extern char **environ;
    char *words[] = {program, NULL};
    int directory = open(folder, O_PATH | O_DIRECTORY);
    if (by_descriptor)
        fexecve(openat(directory, program, O_PATH), words, environ);
    else
        syscall(SYS_execveat, directory, program, words, environ, 0);
    perror(program);
    return 1;
}

int main(int count, char **words) {
    const char *what = count > 1 ? words[1] : "";
    setvbuf(stdout, NULL, _IONBF, 0);
    if (strcmp(what, "jump") == 0)
        return jump();
    if (strcmp(what, "by-number") == 0)
        return by_number();
    if (strcmp(what, "long-command") == 0)
        return long_shell_command();
    if (strcmp(what, "small-vfork") == 0)
        return small_vfork();
    if (strcmp(what, "lock") == 0)
        return lock_memory();
    if (strcmp(what, "in-folder") == 0 && count == 4)
        return in_folder(words[2], words[3], 0);
    if (strcmp(what, "by-descriptor") == 0 && count == 4)
        return in_folder(words[2], words[3], 1);
    fprintf(stderr, "usage: corners WHAT\n");
    return 2;
}
