/*
 * CPython releases its lock before it calls bind, so at the call itself nobody may look at its
 * stack. It reports the call before: `socket.bind` and its like are audit events, raised with the
 * lock held in the thread that makes the call, right before it.
 *
 * The hook cannot be there from the start. Before the interpreter is initialised its memory is not
 * (with -X dev it would abort), and the end of the interpreter drops the hook. So it is added by a
 * pending call, which the main thread makes between two steps of Python code, as soon as one of our
 * wrappers sees an initialised interpreter. That is seldom the first socket: importing any module
 * from a file closes that file.
 */
#include <errno.h>
#include <string.h>

#include "shim/frames/python.h"
#include "shim/frames/python_calls.h"
#include "shim/gate.h"
#include "shim/identity.h"
#include "shim/real.h"
#include "shim/shared/raw_syscall.h"
#include "shim/socket/sockets.h"

enum hook { HOOK_WANTED, HOOK_ASKED_FOR, HOOK_IN_PLACE };

_Atomic bool python_is_awaited;
static _Atomic int hook;
static uint32_t first_process;

static const struct event {
    const char *name;
    int call;
} events[] = {
    {"bind", NUMBER_bind},
    {"connect", NUMBER_connect},
    {"sendto", NUMBER_sendto},
    {"sendmsg", NUMBER_sendmsg},
};

/* fileno of the type that C code made, NULL where something in Python stands in for the module, the
 * type or the method. */
static python_object *find_fileno(void) {
    python_object *module = python.PyDict_GetItemString(python.PyImport_GetModuleDict(), "_socket");
    python_object *names = module != NULL ? python.PyModule_GetDict(module) : NULL;
    python_object *type = names != NULL ? python.PyDict_GetItemString(names, "socket") : NULL;
    if (!python_is_exactly(type, python.PyType_Type))
        return NULL;
    python_object *method = python_attribute(type, PYTHON_FILENO);
    if (python_is_exactly(method, python.PyMethodDescr_Type))
        return method;
    if (method != NULL)
        python.Py_DecRef(method);
    return NULL;
}

/* The number of the socket, by that method: a subclass may have one of its own, and Python code
 * must not run here. -1: none. */
static int descriptor_of(python_object *socket) {
    struct python_kept *kept = python_kept();
    python_object *method = kept != NULL && kept->fileno != NULL ? kept->fileno : find_fileno();
    if (kept != NULL)
        kept->fileno = method;
    python_object *number =
        method != NULL ? python.PyObject_CallFunctionObjArgs(method, socket, NULL) : NULL;
    long fd = number != NULL ? python.PyLong_AsLong(number) : -1;
    if (number == NULL || fd < 0)
        python.PyErr_Clear();
    if (number != NULL)
        python.Py_DecRef(number);
    if (method != NULL && kept == NULL)
        python.Py_DecRef(method);
    return fd >= 0 && fd <= INT32_MAX ? (int)fd : -1;
}

static void note_call(int call, python_object *arguments) {
    struct frames frames;
    struct socket_facts facts;
    python_object *socket = python.PyTuple_GetItem(arguments, 0);
    frames_forget();
    if (socket == NULL || gate() != GATE_OPEN) {
        python.PyErr_Clear();
        return;
    }
    int fd = descriptor_of(socket);
    bool is_send = call == NUMBER_sendto || call == NUMBER_sendmsg;
    if (fd < 0 || !(is_send ? descriptor_may_bind_by_send(fd, MSG_FASTOPEN)
                            : socket_known(fd, &facts, false)))
        return;
    frames_begin(&frames);
    frames.call = call;
    python_add_frames(&frames);
    frames_note(fd, &frames);
}

/* Raised for each import, each open and many other things: nearly all end at the first letter. */
static int audited(const char *event, python_object *arguments, void *unused) {
    (void)unused;
    if (event[0] == 's' && strncmp(event, "socket.", 7) == 0) {
        int saved = errno;
        python_keep();
        for (size_t i = 0; i < sizeof events / sizeof *events; i++)
            if (strcmp(event + 7, events[i].name) == 0)
                note_call(events[i].call, arguments);
        errno = saved;
    } else if (event[0] == 'c' && strcmp(event, "cpython._PySys_ClearAuditHooks") == 0) {
        python_forget_kept();
        atomic_store(&hook, HOOK_WANTED); /* the next interpreter of this process needs it again */
        atomic_store(&python_is_awaited, true);
    }
    return 0;
}

/* Made by the main thread, with the lock. A hook of the program's own may refuse ours. */
static int add_hook(void *unused) {
    int asked = HOOK_ASKED_FOR;
    (void)unused;
    if (!atomic_compare_exchange_strong(&hook, &asked, HOOK_IN_PLACE))
        return 0;
    atomic_store(&python_is_awaited, false);
    if (python.PySys_AddAuditHook(audited, NULL) != 0)
        python.PyErr_Clear();
    return 0;
}

/* In the child of a fork another thread's lock may be held for ever, until Python code runs there
 * again; a child that makes a socket is beyond that. */
static bool may_ask(enum python_at at) {
    if (gate() != GATE_OPEN || !python.Py_IsInitialized())
        return false;
    return at == PYTHON_AT_SOCKET || identity_pid_now() == first_process;
}

void python_install(enum python_at at) {
    int saved = errno;
    int state = atomic_load(&hook);
    if (state == HOOK_ASKED_FOR && !python.Py_IsInitialized()) /* it ended before the call */
        atomic_compare_exchange_strong(&hook, &state, HOOK_WANTED);
    state = HOOK_WANTED;
    if (may_ask(at) && atomic_compare_exchange_strong(&hook, &state, HOOK_ASKED_FOR) &&
        python.Py_AddPendingCall(add_hook, NULL) != 0)
        atomic_store(&hook, HOOK_WANTED);
    errno = saved;
}

void python_begin(void) {
    if (!frames_are_on() || !python_look_up())
        return;
    atomic_store(&languages_found, true);
    first_process = identity_pid_now();
    atomic_store(&python_is_awaited, true);
}
