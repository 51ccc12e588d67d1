/* What of CPython's C interface is called, where the program has it. */
#ifndef PORTWITNESS_FRAMES_PYTHON_CALLS_H
#define PORTWITNESS_FRAMES_PYTHON_CALLS_H

#include <stdbool.h>

typedef struct python_object python_object; /* PyObject, and what begins with one */

typedef int python_audit_hook(const char *event, python_object *arguments, void *unused);

/* NEEDED: without one of them there are no frames. */
#define PYTHON_CALLS(NEEDED, OPTIONAL)                                                             \
    NEEDED(int, Py_IsInitialized, (void))                                                          \
    NEEDED(const char *, Py_GetVersion, (void))                                                    \
    NEEDED(void, Py_IncRef, (python_object *))                                                     \
    NEEDED(void, Py_DecRef, (python_object *))                                                     \
    NEEDED(int, Py_AddPendingCall, (int (*)(void *), void *))                                      \
    NEEDED(int, PySys_AddAuditHook, (python_audit_hook *, void *))                                 \
    NEEDED(python_object *, PyErr_Occurred, (void))                                                \
    NEEDED(void, PyErr_Clear, (void))                                                              \
    NEEDED(python_object *, PyEval_GetFrame, (void))                                               \
    NEEDED(python_object *, PyFrame_GetBack, (python_object *))                                    \
    NEEDED(python_object *, PyFrame_GetCode, (python_object *))                                    \
    NEEDED(int, PyFrame_GetLineNumber, (python_object *))                                          \
    NEEDED(int, PyCode_Addr2Line, (python_object *, int))                                          \
    NEEDED(python_object *, PyObject_GetAttr, (python_object *, python_object *))                  \
    NEEDED(python_object *, PyObject_Type, (python_object *))                                      \
    NEEDED(python_object *, PyModule_GetDict, (python_object *))                                   \
    NEEDED(long, PyObject_Hash, (python_object *))                                                 \
    NEEDED(python_object *, PyUnicode_InternFromString, (const char *))                            \
    NEEDED(const char *, PyUnicode_AsUTF8, (python_object *))                                      \
    NEEDED(python_object *, PyUnicode_EncodeFSDefault, (python_object *))                          \
    NEEDED(char *, PyBytes_AsString, (python_object *))                                            \
    NEEDED(python_object *, PyTuple_GetItem, (python_object *, long))                              \
    NEEDED(python_object *, PyImport_GetModuleDict, (void))                                        \
    NEEDED(python_object *, PyDict_GetItemString, (python_object *, const char *))                 \
    NEEDED(python_object *, PyObject_CallFunctionObjArgs, (python_object *, ...))                  \
    NEEDED(long, PyLong_AsLong, (python_object *))                                                 \
    NEEDED(void *, PyGILState_GetThisThreadState, (void))                                          \
    NEEDED(void *, PyInterpreterState_Get, (void))                                                 \
    NEEDED(void *, PyInterpreterState_Main, (void))                                                \
    OPTIONAL(void *, PyThreadState_GetUnchecked, (void))  /* from 3.13 on */                       \
    OPTIONAL(void *, _PyThreadState_UncheckedGet, (void)) /* up to 3.12 */                         \
    OPTIONAL(int, PyFrame_GetLasti, (python_object *))    /* from 3.11 on */                       \
    OPTIONAL(int, PyGC_Disable, (void))                   /* from 3.10 on */                       \
    OPTIONAL(int, PyGC_Enable, (void))

#define PYTHON_CALL(result, name, parameters) result(*name) parameters;
struct python_calls {
    PYTHON_CALLS(PYTHON_CALL, PYTHON_CALL)
    python_object *PyType_Type, *PyMethodDescr_Type, *PyUnicode_Type, *PyBytes_Type;
    unsigned minor; /* of the version 3.x */
};
#undef PYTHON_CALL

extern struct python_calls python;

/* Looks them up, and is true, where an interpreter is part of the program whose stack can be
 * walked. While the shim starts. */
bool python_look_up(void);

enum python_name {
    PYTHON_FILENO,
    PYTHON_CO_FILENAME,
    PYTHON_CO_NAME,
    PYTHON_CO_QUALNAME,
    PYTHON_CO_LINETABLE,
    PYTHON_NAMES
};

/* The attribute of that name: a new reference, or NULL with an exception set. By a string that the
 * interpreter has: one of our own would stay in its cache of types' attributes, and push out the
 * program's. */
python_object *python_attribute(python_object *object, enum python_name name);

/* Whether the object is of that type, and not of one derived from it, which may have Python code of
 * its own. */
bool python_is_exactly(python_object *object, const python_object *type);

/* What is asked for at each call is kept while the main interpreter lives; others may run at the
 * same time, each with objects of its own. NULL in those. A member is NULL until
 * somebody needs it, who puts a new reference there. */
struct python_kept {
    python_object *name[PYTHON_NAMES];
    python_object *fileno; /* of _socket.socket */
};
struct python_kept *python_kept(void);

/* From now on: whoever calls this hears of the interpreter's end. Before, python_kept is NULL. */
void python_keep(void);

/* The interpreter ends, and all that is kept with it. */
void python_forget_kept(void);

#endif
