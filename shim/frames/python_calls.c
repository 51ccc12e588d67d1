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
    if (!look_up(&python.PyType_Type, "PyType_Type") ||
        !look_up(&python.PyMethodDescr_Type, "PyMethodDescr_Type"))
        return false;
    python.minor = minor_version(python.Py_GetVersion());
    return python.minor >= 9;
}

python_object *python_attribute(python_object *object, const char *name) {
    python_object *text = python.PyUnicode_InternFromString(name);
    python_object *value = text != NULL ? python.PyObject_GetAttr(object, text) : NULL;
    if (text != NULL)
        python.Py_DecRef(text);
    return value;
}
