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
#include "shim/frames/python_facts.h"
#include "shim/frames/text.h"

/* Who called is told by the frames that are near. */
enum { FRAMES_MAX = 512, FRAMES_AFTER_USER = 32 };

/* An object's text, which is seldom asked for. */
struct python_text {
    python_object *encoded;
    const char *text; /* NULL: there is none */
};

static void drop(python_object *object) {
    if (object != NULL)
        python.Py_DecRef(object);
}

/* A file name that is not UTF-8 has another form. */
static struct python_text take_text(python_object *object) {
    struct python_text taken = {NULL, NULL};
    if (object != NULL)
        taken.text = python.PyUnicode_AsUTF8(object);
    if (object != NULL && taken.text == NULL) {
        python.PyErr_Clear();
        taken.encoded = python.PyUnicode_EncodeFSDefault(object);
        taken.text = taken.encoded != NULL ? python.PyBytes_AsString(taken.encoded) : NULL;
    }
    if (taken.text == NULL)
        python.PyErr_Clear();
    return taken;
}

/* What the interpreter has computed of it, once; 0: none. One of a derived type might have a method
 * for that. */
static uint64_t hash_of(python_object *object, const python_object *type) {
    return python_is_exactly(object, type) ? (uint64_t)python.PyObject_Hash(object) : 0;
}

struct walk {
    struct frames *frames;
    struct python_facts *facts;
    unsigned after_user; /* frames since the innermost one of the user's */
    bool user_seen;
};

/* A frame that is being looked at. */
struct looked_at {
    python_object *frame, *code, *file;
    uint64_t file_hash;
    enum pw_frame_of of;
};

static bool is_of_others(enum pw_frame_of of) {
    return of == PW_FRAME_LIBRARY || of == PW_FRAME_FRAMEWORK;
}

/* Of a stack that is deep and knows no test. */
static bool is_past_the_users(struct walk *walk) {
    if (walk->frames->kept.most != 0 || !walk->user_seen)
        return false;
    return walk->after_user++ >= FRAMES_AFTER_USER;
}

/* The field of a code object: a new reference, or NULL. */
static python_object *field_of(python_object *code, enum python_name name) {
    python_object *field = python_attribute(code, name);
    if (field == NULL)
        python.PyErr_Clear();
    return field;
}

static uint32_t no_less(int line) { return line > 0 ? (uint32_t)line : 0; }

/* Whose code it is; false: it has no file. */
static bool find_owner(const struct walk *walk, struct looked_at *at) {
    uint64_t of;
    at->file_hash = hash_of(at->file, python.PyUnicode_Type);
    if (python_fact_known(walk->facts, PYTHON_FILE_OWNER, at->file_hash, 1, &of)) {
        at->of = (enum pw_frame_of)of;
        return true;
    }
    struct python_text file = take_text(at->file);
    if (file.text == NULL)
        return false;
    at->of = python_code_of(file.text);
    drop(file.encoded);
    python_fact_remember(walk->facts, PYTHON_FILE_OWNER, at->file_hash, 1, at->of);
    return true;
}

static uint64_t find_text(const struct walk *walk, const struct looked_at *at) {
    uint64_t text;
    python_object *function =
        field_of(at->code, python.minor >= 11 ? PYTHON_CO_QUALNAME : PYTHON_CO_NAME);
    uint64_t hash = hash_of(function, python.PyUnicode_Type);
    if (!python_fact_known(walk->facts, PYTHON_FRAME_TEXT, at->file_hash, hash, &text)) {
        struct python_text first = take_text(at->file);
        struct python_text second = take_text(function);
        text = text_intern(first.text, second.text);
        drop(first.encoded);
        drop(second.encoded);
        if (text != 0)
            python_fact_remember(walk->facts, PYTHON_FRAME_TEXT, at->file_hash, hash, text);
    }
    drop(function);
    return text;
}

/* Before Python 3.11 the instruction is not told, and lines are found fast. Where it is told, it is
 * -1 before the first one, and the line then the function's first, as the interpreter has it. */
static uint32_t find_line(const struct walk *walk, const struct looked_at *at) {
    uint64_t line;
    if (python.PyFrame_GetLasti == NULL)
        return no_less(python.PyFrame_GetLineNumber(at->frame));
    python_object *table = field_of(at->code, PYTHON_CO_LINETABLE);
    uint64_t hash = hash_of(table, python.PyBytes_Type);
    drop(table);
    int instruction = python.PyFrame_GetLasti(at->frame);
    uint64_t place =
        (uint64_t)no_less(python.PyCode_Addr2Line(at->code, -1)) << 32 | (uint32_t)instruction;
    if (!python_fact_known(walk->facts, PYTHON_FRAME_LINE, hash, place, &line)) {
        line = no_less(python.PyCode_Addr2Line(at->code, instruction));
        python_fact_remember(walk->facts, PYTHON_FRAME_LINE, hash, place, line);
    }
    return (uint32_t)line;
}

/* false: enough is known. */
static bool add_frame(struct walk *walk, python_object *frame) {
    struct looked_at at = {.frame = frame, .code = python.PyFrame_GetCode(frame)};
    bool goes_on = false;
    at.file = field_of(at.code, PYTHON_CO_FILENAME);
    if (find_owner(walk, &at) && !is_past_the_users(walk)) {
        bool is_passed =
            is_of_others(at.of) && walk->frames->kept.count > 0 && walk->frames->kept.most == 0;
        goes_on = is_passed ? frames_pass(walk->frames, at.of)
                            : frames_add_interned(walk->frames, at.of, find_text(walk, &at),
                                                  find_line(walk, &at));
        walk->user_seen = walk->user_seen || at.of == PW_FRAME_USER;
    }
    drop(at.file);
    drop(at.code);
    return goes_on;
}

static void add_all(struct walk *walk) {
    python_object *frame = python.PyEval_GetFrame();
    if (frame == NULL)
        return;
    python.Py_IncRef(frame); /* that one is borrowed, the others are ours */
    for (unsigned i = 0; frame != NULL && i < FRAMES_MAX; i++) {
        python_object *back = add_frame(walk, frame) ? python.PyFrame_GetBack(frame) : NULL;
        drop(frame);
        frame = back;
    }
    drop(frame);
}

void python_add_frames(struct frames *frames) {
    struct walk walk = {.frames = frames, .facts = python_facts_take()};
    bool can_pause = python.PyGC_Disable != NULL && python.PyGC_Enable != NULL;
    bool was_on = can_pause && python.PyGC_Disable() != 0;
    add_all(&walk);
    if (was_on)
        python.PyGC_Enable();
    python_facts_give(walk.facts);
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
    return frames->kept.count > 0;
}
