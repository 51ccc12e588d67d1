/*
 * A C program with an interpreter in it: initialised and ended three times, each time with a bind
 * in Python code, and with a bind of its own between. Built by the test that runs it, against the
 * shared or the static library, and so without Python's headers.
 *
 *   embeds [blocked]   blocked: the thread that initialised it waits in C while another binds
 */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

extern void Py_Initialize(void);
extern int Py_FinalizeEx(void);
extern int PyRun_SimpleString(const char *);
extern int PyGILState_Ensure(void);
extern void PyGILState_Release(int);
extern void *PyEval_SaveThread(void);
extern void PyEval_RestoreThread(void *);
extern int PySys_AddAuditHook(int (*)(const char *, void *, void *), void *);

static const char *const code = "import socket\n"
                                "def embedded():\n"
                                "    only = socket.socket()\n"
                                "    only.bind(('127.0.0.1', 0))\n"
                                "embedded()\n";
static unsigned events;

static int own_hook(const char *event, void *arguments, void *unused) {
    (void)arguments;
    (void)unused;
    events += strcmp(event, "socket.bind") == 0;
    return 0;
}

static int bind_in_c(void) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return bind(fd, (struct sockaddr *)&any, sizeof any);
}

static void *in_thread(void *unused) {
    int state = PyGILState_Ensure();
    PyRun_SimpleString(code);
    PyGILState_Release(state);
    return unused;
}

static void run_blocked(void) {
    pthread_t thread;
    Py_Initialize();
    void *state = PyEval_SaveThread();
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    PyEval_RestoreThread(state);
    Py_FinalizeEx();
}

int main(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[1], "blocked") == 0) {
        run_blocked();
        return 0;
    }
    for (int round = 0; round < 3; round++) {
        PySys_AddAuditHook(own_hook, NULL);
        Py_Initialize();
        if (PyRun_SimpleString(code) != 0 || bind_in_c() != 0)
            return 1;
        Py_FinalizeEx();
    }
    printf("%u events\n", events);
    return 0;
}
