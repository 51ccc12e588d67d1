/*
 * Guests that put a seccomp filter on themselves and use ports under it. One system call that they
 * do not make themselves ends them, with the action `kill` or `trap`.
 *
 *   sandboxed HOW ACTION WHAT
 *     HOW     prctl, seccomp, tsync (all threads), raw-prctl (through syscall(2)), refused (the
 *             kernel does not take the filter), none (no filter: what it does without)
 *     ACTION  kill, trap, errno
 *     WHAT    calls, some, many, fork, clone, vfork, vfork-filter, exec, spawn, shell,
 *             thread, cut-name, own-connection, beside-refused, beside-binds, picked,
 *             use-up
 *   sandboxed --bind                    binds one socket: what exec starts
 *   sandboxed --surround ACTION COMMAND...   as a container does: the filter, and then the command
 */
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/guests/print.h"
#include "tests/guests/sandbox_filter.h"

static const char *self;
static const char *how;
static unsigned action;

static unsigned filter_action(const char *name) {
    if (strcmp(name, "kill") == 0)
        return SECCOMP_RET_KILL_PROCESS;
    return strcmp(name, "trap") == 0 ? SECCOMP_RET_TRAP : SECCOMP_RET_ERRNO | EPERM;
}

static void lock(const struct sock_filter *filter, unsigned short count) {
    const struct sock_fprog program = {count, (struct sock_filter *)(size_t)filter};
    const bool refused = strcmp(how, "refused") == 0;
    long result = 0;
    if (strcmp(how, "none") == 0)
        return;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (strcmp(how, "seccomp") == 0 || refused)
        result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, refused ? NULL : &program);
    else if (strcmp(how, "tsync") == 0)
        result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    else if (strcmp(how, "raw-prctl") == 0)
        result = syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    else
        result = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    print("filter: %ld\n", result);
}

static void allow_own_calls(void) {
    static const short calls[] = {SYS_read,    SYS_write,       SYS_close,      SYS_socket,
                                  SYS_bind,    SYS_listen,      SYS_connect,    SYS_accept,
                                  SYS_accept4, SYS_sendto,      SYS_shutdown,   SYS_setsockopt,
                                  SYS_dup,     SYS_dup2,        SYS_exit_group, SYS_fcntl,
                                  SYS_recvmsg, SYS_close_range, SYS_getsockname};
    struct sock_filter filter[FILTER_MOST];
    lock(filter, filter_allow(filter, calls, sizeof calls / sizeof *calls, action));
}

static void deny_others(void) {
    struct sock_filter filter[FILTER_MOST];
    lock(filter, filter_deny(filter, action));
}

static struct sockaddr_in loopback(void) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static int bound(int type, struct sockaddr_in *address) {
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, type, 0);
    *address = loopback();
    if (fd < 0 || bind(fd, (struct sockaddr *)address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)address, &length) != 0 || address->sin_port == 0)
        return -1;
    return fd;
}

static int bind_one(void) {
    struct sockaddr_in address;
    int fd = bound(SOCK_STREAM, &address);
    return fd < 0 || close(fd) != 0;
}

static int use_connection(int listener, const struct sockaddr_in *address) {
    struct linger at_once = {1, 0};
    int client = socket(AF_INET, SOCK_STREAM, 0), failed = 0;
    failed += setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) != 0;
    failed += connect(client, (const struct sockaddr *)address, sizeof *address) != 0;
    int server = accept(listener, NULL, NULL);
    int copy = dup(server);
    int high = fcntl(server, F_DUPFD, 2000);
    failed += server < 0 || copy < 0 || high < 0 || close(server) != 0 || close(copy) != 0;
    failed += close_range((unsigned)high, (unsigned)high, 0) != 0;
    failed += close(client) != 0;
    return failed;
}

/* Every call on ports that the filter lets through. */
static int calls(void) {
    struct sockaddr_in before, address, by_number;
    int old = bound(SOCK_STREAM, &before); /* bound without the filter, closed under it */
    allow_own_calls();
    int failed = close(old) != 0;
    int listener = bound(SOCK_STREAM, &address);
    failed += listener < 0 || listen(listener, 1) != 0;
    failed += use_connection(listener, &address);
    int datagram = socket(AF_INET, SOCK_DGRAM, 0);
    failed += sendto(datagram, "x", 1, 0, (struct sockaddr *)&address, sizeof address) != 1;
    failed += close(datagram) != 0 || shutdown(listener, SHUT_RDWR) != 0 || close(listener) != 0;
    int second = socket(AF_INET, SOCK_STREAM, 0);
    by_number = before;
    failed += bind(second, (struct sockaddr *)&by_number, sizeof by_number) != 0;
    int third = socket(AF_INET, SOCK_STREAM, 0);
    failed +=
        bind(third, (struct sockaddr *)&by_number, sizeof by_number) == 0 || errno != EADDRINUSE;
    failed += dup2(third, second) != second || listen(second, 1) != 0;
    return failed;
}

/* More sockets than the shim has room for without asking for more, more records than one page. */
static int bind_times(int times) {
    int failed = 0;
    allow_own_calls();
    for (int i = 0; i < times; i++)
        failed += bind_one();
    return failed;
}

static int some(void) { return bind_times(1000); }
static int many(void) { return bind_times(3000); }

static int ended(pid_t pid) {
    int status = -1;
    return waitpid(pid, &status, 0) != pid ? -1 : status;
}

static int fork_child(void) {
    deny_others();
    pid_t pid = fork();
    if (pid == 0)
        _exit(bind_one());
    return ended(pid) | bind_one();
}

/* Past every wrapper, as sandboxes do it. */
static int clone_child(void) {
    deny_others();
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(bind_one());
    return ended(pid) | bind_one();
}

static int vfork_child(void) {
    struct sockaddr_in address;
    deny_others();
    int fd = bound(SOCK_STREAM, &address);
    pid_t pid = vfork();
    if (pid == 0) {
        close(fd);
        _exit(0);
    }
    volatile int failed = ended(pid);
    pid = vfork();
    if (pid == 0) {
        execl(self, self, "--bind", NULL);
        _exit(9);
    }
    failed |= ended(pid);
    return failed | (close(fd) != 0) | bind_one();
}

/* The child alone has the filter; its memory is the parent's, which must be recorded on. */
static int vfork_filter(void) {
    pid_t pid = vfork();
    if (pid == 0) {
        deny_others();
        _exit(bind_one());
    }
    volatile int failed = ended(pid);
    pid = vfork();
    if (pid == 0) {
        deny_others();
        execl("/nonexistent", "nonexistent", NULL);
        execl(self, self, "--bind", NULL);
        _exit(9);
    }
    return failed | ended(pid) | bind_one();
}

static int exec_program(void) {
    deny_others();
    execl(self, self, "--bind", NULL);
    return 9;
}

static int spawn_program(void) {
    char *arguments[] = {(char *)(size_t)self, "--bind", NULL};
    pid_t pid = 0;
    deny_others();
    if (posix_spawn(&pid, self, NULL, NULL, arguments, environ) != 0)
        return 9;
    return ended(pid) | bind_one();
}

/* What the shell makes of the filter is its own affair, and the same with the shim as without. */
static int shell(void) {
    deny_others();
    print("system: %x\n", (unsigned)system("exit 3"));
    return bind_one();
}

static void *in_thread(void *result) {
    *(int *)result = bind_one();
    return NULL;
}

static int thread(void) {
    int results[3] = {9, 9, 9};
    pthread_t threads[3];
    deny_others();
    for (int i = 0; i < 3; i++)
        if (pthread_create(&threads[i], NULL, in_thread, &results[i]) == 0)
            pthread_join(threads[i], NULL);
    return results[0] | results[1] | results[2] | bind_one();
}

/* The address is cut to its family: what stands behind it is the program's own. */
static int cut_name(void) {
    struct sockaddr_in address = loopback();
    socklen_t length = sizeof address.sin_family;
    deny_others();
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int failed = bind(fd, (struct sockaddr *)&address, sizeof address);
    address.sin_port = htons(4242);
    failed |= getsockname(fd, (struct sockaddr *)&address, &length);
    return failed | (address.sin_port != htons(4242)) | close(fd);
}

/* The connection that it accepted keeps the number taken: nobody else had it. */
static int own_connection(void) {
    struct sockaddr_in address;
    int listener = bound(SOCK_STREAM, &address);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    int failed = listen(listener, 1);
    failed |= connect(client, (struct sockaddr *)&address, sizeof address);
    deny_others();
    int server = accept(listener, NULL, NULL);
    failed |= server < 0 || close(listener) != 0;
    int again = socket(AF_INET, SOCK_STREAM, 0);
    failed |= bind(again, (struct sockaddr *)&address, sizeof address) == 0 || errno != EADDRINUSE;
    return failed;
}

static int bind_number(int type, const struct sockaddr_in *address) {
    int fd = socket(AF_INET, type, 0);
    return bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? fd : -1;
}

/* What was picked before the filter is bound under it, and a socket of before listens. */
static int picked(void) {
    struct sockaddr_in tcp, udp, old;
    int failed = close(bound(SOCK_STREAM, &tcp)) != 0 || close(bound(SOCK_DGRAM, &udp)) != 0;
    int listener = bound(SOCK_STREAM, &old); /* still open */
    allow_own_calls();
    int server = bind_number(SOCK_STREAM, &tcp);
    int again = bind_number(SOCK_STREAM, &tcp);
    failed += server < 0 || again >= 0 || errno != EADDRINUSE || listen(server, 1) != 0;
    failed += use_connection(server, &tcp);
    failed += bind_number(SOCK_DGRAM, &udp) < 0;
    failed += listen(listener, 1) != 0;
    failed += use_connection(listener, &old);
    return failed;
}

/* All that bind is given for port 0, until it is refused: what was picked before as well. */
static int use_up(void) {
    struct sockaddr_in address;
    int failed = 0, given = 0;
    for (int i = 0; i < 4; i++)
        failed += close(bound(SOCK_STREAM, &address)) != 0;
    allow_own_calls();
    address.sin_port = 0;
    while (bind_number(SOCK_STREAM, &address) >= 0)
        given++;
    print("given: %d\n", given);
    return failed + (errno != EADDRINUSE);
}

static volatile bool is_over;

/* Asks again and again for a filter on all threads that the kernel does not take. */
static void *be_refused(void *begun) {
    struct sock_filter filter[] = {FILTER_RETURN(SECCOMP_RET_ALLOW), {.code = 0xffff}};
    const struct sock_fprog program = {2, filter};
    while (!is_over) {
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
        *(volatile bool *)begun = true;
    }
    return NULL;
}

static int beside_refused(void) {
    volatile bool begun = false;
    pthread_t thread;
    if (pthread_create(&thread, NULL, be_refused, (void *)&begun) != 0)
        return 9;
    while (!begun)
        ;
    deny_others();
    is_over = true;
    int failed = pthread_join(thread, NULL);
    for (int i = 0; i < 20; i++)
        failed |= bind_one();
    return failed;
}

/* Sockets with both reuse options, made and bound while another thread takes a filter. */
static void *bind_with_options(void *begun) {
    int failed = 0, on = 1;
    for (int i = 0; i < 300; i++) {
        struct sockaddr_in address = loopback();
        socklen_t length = sizeof on;
        int found[2] = {0, 0}, fd = socket(AF_INET, SOCK_DGRAM, 0);
        failed |= setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        failed |= setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
        failed |= bind(fd, (struct sockaddr *)&address, sizeof address);
        failed |= getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &found[0], &length);
        failed |= getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &found[1], &length);
        failed |= !found[0] || !found[1];
        close(fd);
        *(volatile bool *)begun = true;
    }
    return (void *)(size_t)(failed != 0);
}

static int beside_binds(void) {
    volatile bool begun = false;
    void *failed = NULL;
    pthread_t thread;
    if (pthread_create(&thread, NULL, bind_with_options, (void *)&begun) != 0)
        return 9;
    while (!begun)
        ;
    struct sock_filter filter[] = {FILTER_LOAD(nr), FILTER_UNLESS(SYS_getppid, 1),
                                   FILTER_RETURN(action), FILTER_RETURN(SECCOMP_RET_ALLOW)};
    lock(filter, sizeof filter / sizeof *filter);
    pthread_join(thread, &failed);
    return failed != NULL;
}

static const struct {
    const char *name;
    int (*go)(void);
} whats[] = {{"cut-name", cut_name},
             {"own-connection", own_connection},
             {"beside-refused", beside_refused},
             {"beside-binds", beside_binds},
             {"calls", calls},
             {"use-up", use_up},
             {"picked", picked},
             {"some", some},
             {"many", many},
             {"fork", fork_child},
             {"clone", clone_child},
             {"vfork", vfork_child},
             {"vfork-filter", vfork_filter},
             {"exec", exec_program},
             {"spawn", spawn_program},
             {"shell", shell},
             {"thread", thread}};

static int surround(char **command) {
    struct sock_filter filter[] = {FILTER_LOAD(nr), FILTER_UNLESS(SYS_getpeername, 1),
                                   FILTER_RETURN(action), FILTER_RETURN(SECCOMP_RET_ALLOW)};
    return filter_surround(filter, sizeof filter / sizeof *filter, command);
}

int main(int count, char **arguments) {
    self = arguments[0];
    if (count == 2 && strcmp(arguments[1], "--bind") == 0) {
        int failed = bind_one();
        print("started, %d failed\n", failed);
        return failed;
    }
    if (count < 4)
        return 2;
    action = filter_action(arguments[2]);
    if (strcmp(arguments[1], "--surround") == 0)
        return surround(arguments + 3);
    how = arguments[1];
    for (size_t i = 0; i < sizeof whats / sizeof *whats; i++) {
        if (strcmp(whats[i].name, arguments[3]) != 0)
            continue;
        int failed = whats[i].go();
        print("%s: %d\n", arguments[3], failed);
        return failed != 0;
    }
    return 2;
}
