/*
 * By CPython's public interface alone, which creates objects: so the interpreter's lock must be
 * held, and no collection of garbage may start in the middle of a call whose caller expects no
 * Python code to run.
 */
#include <stddef.h>
#include <string.h>

#include "shim/frames/in_handler.h"
#include "shim/frames/python.h"
#include "shim/frames/python_calls.h"
#include "shim/frames/python_code.h"

/* Who called is told by the frames that are near. */
enum { FRAMES_MAX = 512, FRAMES_AFTER_USER = 32 };

struct python_text {
    python_object *object;
    python_object *encoded;
    const char *text; /* NULL: there is none */
};

/* The text of a code object's field. A file name that is not UTF-8 has another form. */
static struct python_text take_text(python_object *code, enum python_name field) {
    struct python_text taken = {python_attribute(code, field), NULL, NULL};
    if (taken.object != NULL)
        taken.text = python.PyUnicode_AsUTF8(taken.object);
    if (taken.object != NULL && taken.text == NULL) {
        python.PyErr_Clear();
        taken.encoded = python.PyUnicode_EncodeFSDefault(taken.object);
        taken.text = taken.encoded != NULL ? python.PyBytes_AsString(taken.encoded) : NULL;
    }
    if (taken.text == NULL)
        python.PyErr_Clear();
    return taken;
}

static void drop(python_object *object) {
    if (object != NULL)
        python.Py_DecRef(object);
}

static void drop_text(const struct python_text *taken) {
    drop(taken->encoded);
    drop(taken->object);
}

struct walk {
    struct frames *frames;
    unsigned after_user; /* frames since the innermost one of the user's */
    bool user_seen;
};

static bool is_of_others(enum pw_frame_of of) {
    return of == PW_FRAME_LIBRARY || of == PW_FRAME_FRAMEWORK;
}

/* Of a stack that is deep and knows no test. */
static bool is_past_the_users(struct walk *walk) {
    if (walk->frames->whole || !walk->user_seen)
        return false;
    return walk->after_user++ >= FRAMES_AFTER_USER;
}

static bool add_named(struct walk *walk, enum pw_frame_of of, python_object *frame,
                      python_object *code, const char *file) {
    struct python_text name =
        take_text(code, python.minor >= 11 ? PYTHON_CO_QUALNAME : PYTHON_CO_NAME);
    int line = python.PyFrame_GetLineNumber(frame);
    bool goes_on = frames_add(walk->frames, of, file, name.text, line > 0 ? (uint32_t)line : 0);
    drop_text(&name);
    return goes_on;
}

/* false: enough is known. */
static bool add_frame(struct walk *walk, python_object *frame) {
    python_object *code = python.PyFrame_GetCode(frame);
    struct python_text file = take_text(code, PYTHON_CO_FILENAME);
    bool goes_on = false;
    if (file.text != NULL) {
        enum pw_frame_of of = python_code_of(file.text);
        if (is_past_the_users(walk))
            goes_on = false;
        else if (is_of_others(of) && walk->frames->count > 0 && !walk->frames->whole)
            goes_on = frames_pass(walk->frames, of);
        else
            goes_on = add_named(walk, of, frame, code, file.text);
        walk->user_seen = walk->user_seen || of == PW_FRAME_USER;
    }
    drop_text(&file);
    drop(code);
    return goes_on;
}

static void add_all(struct frames *frames) {
    struct walk walk = {frames, 0, false};
    python_object *frame = python.PyEval_GetFrame();
    if (frame == NULL)
        return;
    python.Py_IncRef(frame); /* that one is borrowed, the others are ours */
    for (unsigned i = 0; frame != NULL && i < FRAMES_MAX; i++) {
        python_object *back = add_frame(&walk, frame) ? python.PyFrame_GetBack(frame) : NULL;
        drop(frame);
        frame = back;
    }
    drop(frame);
}

void python_add_frames(struct frames *frames) {
    bool can_pause = python.PyGC_Disable != NULL && python.PyGC_Enable != NULL;
    bool was_on = can_pause && python.PyGC_Disable() != 0;
    add_all(frames);
    if (was_on)
        python.PyGC_Enable();
}

static void *current_thread_state(void) {
    if (python.PyThreadState_GetUnchecked != NULL)
        return python.PyThreadState_GetUnchecked();
    return python._PyThreadState_UncheckedGet != NULL ? python._PyThreadState_UncheckedGet() : NULL;
}

/* Up to 3.11 the current state is that of whichever thread holds the lock. In a subinterpreter it
 * is not the one that the thread is remembered by; then the answer is no. */
static bool holds_lock(void) {
    void *state = current_thread_state();
    return state != NULL && (python.minor >= 12 || state == python.PyGILState_GetThisThreadState());
}

bool python_walk(struct frames *frames, int fd, const void *site) {
    (void)fd;
    (void)site;
    if (python.minor < 9 || !python.Py_IsInitialized() || !holds_lock() || may_be_in_handler())
        return false;
    /* Without a way to pause the collector, only what the interpreter itself asks for. */
    if (python.PyGC_Disable == NULL || python.PyErr_Occurred() != NULL)
        return false;
    python_add_frames(frames);
    return frames->count > 0;
}
