/*
 * The interpreter may be the program itself or a library of it, and is of a version that is known
 * only here, so nothing of it is compiled in. PyFrame_GetBack came with Python 3.9.
 */
#include "shim/frames/python_calls.h"

#include <stdint.h>
#include <string.h>

#include "shim/process/module_symbol.h"

struct python_calls python;

static bool look_up(void *pointer, const char *name) {
    void *found = started_symbol(name);
    memcpy(pointer, &found, sizeof found);
    return found != NULL;
}

/* "3.11.2 (main, ...". */
static unsigned minor_version(const char *version) {
    unsigned minor = 0;
    if (strncmp(version, "3.", 2) != 0)
        return 0;
    for (version += 2; *version >= '0' && *version <= '9' && minor < 1000; version++)
        minor = minor * 10 + (unsigned)(*version - '0');
    return minor;
}

bool python_look_up(void) {
#define NEEDED(result, name, parameters)                                                           \
    if (!look_up(&python.name, #name))                                                             \
        return false;
#define OPTIONAL(result, name, parameters) (void)look_up(&python.name, #name);
    PYTHON_CALLS(NEEDED, OPTIONAL)
#undef NEEDED
#undef OPTIONAL
    python.PyType_Type = started_variable("PyType_Type");
    python.PyMethodDescr_Type = started_variable("PyMethodDescr_Type");
    python.PyUnicode_Type = started_variable("PyUnicode_Type");
    python.PyBytes_Type = started_variable("PyBytes_Type");
    if (python.PyType_Type == NULL || python.PyMethodDescr_Type == NULL ||
        python.PyUnicode_Type == NULL || python.PyBytes_Type == NULL)
        return false;
    python.minor = minor_version(python.Py_GetVersion());
    return python.minor >= 9;
}

bool python_is_exactly(python_object *object, const python_object *type) {
    python_object *its = object != NULL ? python.PyObject_Type(object) : NULL;
    if (its != NULL)
        python.Py_DecRef(its);
    return its != NULL && its == type;
}

static struct python_kept kept;
static bool keeps;

void python_keep(void) { keeps = true; }

struct python_kept *python_kept(void) {
    return keeps && python.PyInterpreterState_Get() == python.PyInterpreterState_Main() ? &kept
                                                                                        : NULL;
}

void python_forget_kept(void) {
    keeps = false;
    kept = (struct python_kept){0};
}

python_object *python_attribute(python_object *object, enum python_name name) {
    static const char *const names[PYTHON_NAMES] = {"fileno", "co_filename", "co_name",
                                                    "co_qualname", "co_linetable"};
    struct python_kept *here = python_kept();
    python_object *text = here != NULL ? here->name[name] : NULL;
    bool is_kept = text != NULL;
    if (!is_kept)
        text = python.PyUnicode_InternFromString(names[name]);
    python_object *value = text != NULL ? python.PyObject_GetAttr(object, text) : NULL;
    if (text != NULL && here == NULL)
        python.Py_DecRef(text);
    else if (!is_kept)
        here->name[name] = text;
    return value;
}
