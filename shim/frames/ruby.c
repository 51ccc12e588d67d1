/*
 * By Ruby's interface for profilers, which makes no object and takes no lock: whoever calls bind
 * with the interpreter's lock held expects no collection of garbage, and an exception for want of
 * memory would jump past us. So a method's name is without that of its class.
 *
 * That interface gives code that was evaluated in a method the method's file. The innermost frame's
 * file is told right elsewhere; the others are left out where something evaluated them.
 */
#include "shim/frames/ruby.h"

#include <stdint.h>
#include <string.h>

#include "shim/frames/in_handler.h"
#include "shim/process/module_symbol.h"

/* A deep stack is seldom asked for. */
enum { FRAMES_FIRST = 16, FRAMES_MAX = 192, TEXT_MAX = 1 << 16, CONSTANTS_MAX = 64 };

typedef uintptr_t ruby_value; /* VALUE */

#define RUBY_CALLS(CALL)                                                                           \
    CALL(int, ruby_thread_has_gvl_p, (void))                                                       \
    CALL(int, rb_during_gc, (void))                                                                \
    CALL(int, rb_profile_frames, (int, int, ruby_value *, int *))                                  \
    CALL(ruby_value, rb_profile_frame_path, (ruby_value))                                          \
    CALL(ruby_value, rb_profile_frame_absolute_path, (ruby_value))                                 \
    CALL(ruby_value, rb_profile_frame_base_label, (ruby_value))                                    \
    CALL(ruby_value, rb_profile_frame_method_name, (ruby_value))                                   \
    CALL(const char *, rb_sourcefile, (void))                                                      \
    CALL(int, rb_sourceline, (void))                                                               \
    CALL(char *, rb_string_value_ptr, (volatile ruby_value *))                                     \
    CALL(long, rb_str_offset, (ruby_value, long))

#define RUBY_CALL(result, name, parameters) result(*name) parameters;
static struct {
    RUBY_CALLS(RUBY_CALL)
    void *const *ruby_current_vm_ptr;     /* NULL before the interpreter's life and after it */
    void *const *ruby_single_main_ractor; /* NULL while there are several */
} ruby;
#undef RUBY_CALL

static bool is_there;

static bool look_up(void *pointer, const char *name) {
    void *found = started_symbol(name);
    memcpy(pointer, &found, sizeof found);
    return found != NULL;
}

/* 3.1 is the first whose stacks have the methods in C, by which evaluated code is known. */
static bool look_all_up(void) {
#define NEEDED(result, name, parameters)                                                           \
    if (!look_up(&ruby.name, #name))                                                               \
        return false;
    RUBY_CALLS(NEEDED)
#undef NEEDED
    const int *version = started_variable("ruby_api_version");
    ruby.ruby_current_vm_ptr = started_variable("ruby_current_vm_ptr");
    ruby.ruby_single_main_ractor = started_variable("ruby_single_main_ractor");
    return version != NULL && (version[0] > 3 || (version[0] == 3 && version[1] >= 1)) &&
           ruby.ruby_current_vm_ptr != NULL && ruby.ruby_single_main_ractor != NULL;
}

void ruby_begin(void) {
    is_there = frames_are_on() && look_all_up();
    if (is_there)
        atomic_store(&languages_found, true);
}

/* NULL for what is no object: nil and the like. A part of another string has no end of its own. */
static const char *text_of(ruby_value string) {
    if (string <= CONSTANTS_MAX || string % sizeof(void *) != 0)
        return NULL;
    const char *text = ruby.rb_string_value_ptr(&string);
    return text[ruby.rb_str_offset(string, TEXT_MAX)] == '\0' ? text : NULL;
}

struct stack {
    int count;
    bool is_all;
    ruby_value frame[FRAMES_MAX];
    int line[FRAMES_MAX];
};

static void get_stack(struct stack *stack, int limit) {
    stack->count = ruby.rb_profile_frames(0, limit, stack->frame, stack->line);
    stack->is_all = stack->count < limit || limit == FRAMES_MAX;
}

/* A method in C has no path. */
static bool is_in_c(ruby_value frame) { return ruby.rb_profile_frame_path(frame) <= CONSTANTS_MAX; }

static bool is_evaluator(ruby_value method) {
    static const char *const evaluators[] = {"eval", "instance_eval", "class_eval", "module_eval"};
    const char *name = text_of(ruby.rb_profile_frame_method_name(method));
    for (size_t i = 0; name != NULL && i < sizeof evaluators / sizeof *evaluators; i++)
        if (strcmp(name, evaluators[i]) == 0)
            return true;
    return false;
}

/* For one that was given relative to some working folder. What was evaluated has no other. */
static const char *whole_path(ruby_value frame, const char *path) {
    const char *whole = *path == '/' ? path : text_of(ruby.rb_profile_frame_absolute_path(frame));
    return whole != NULL ? whole : path;
}

static bool add_frame(struct frames *frames, ruby_value frame, const char *path, int line) {
    enum pw_frame_of of = ruby_code_of(path);
    bool is_others = of == PW_FRAME_LIBRARY || of == PW_FRAME_FRAMEWORK;
    if (is_others && frames->kept.count > 0 && frames->kept.most == 0)
        return frames_pass(frames, of);
    return frames_add(frames, of, path, text_of(ruby.rb_profile_frame_base_label(frame)),
                      line > 0 ? (uint32_t)line : 0);
}

static bool add_innermost(struct frames *frames, ruby_value frame, const char *path) {
    const char *file = ruby.rb_sourcefile();
    if (file == NULL)
        return false;
    return add_frame(frames, frame, strcmp(file, path) == 0 ? whole_path(frame, path) : file,
                     ruby.rb_sourceline());
}

/* Among several Ractors a lock guards the names of methods in C; then the frames end where one of
 * those called. */
static bool add_outer(struct frames *frames, const struct stack *stack, int at, const char *path) {
    ruby_value caller = at + 1 < stack->count ? stack->frame[at + 1] : 0;
    if (caller != 0 && is_in_c(caller)) {
        if (*ruby.ruby_single_main_ractor == NULL)
            return false;
        if (is_evaluator(caller))
            return true;
    }
    return add_frame(frames, stack->frame[at], whole_path(stack->frame[at], path), stack->line[at]);
}

static void add_frames(struct frames *frames) {
    struct stack stack;
    bool is_outer = false;
    bool more = true;
    get_stack(&stack, FRAMES_FIRST);
    for (int i = 0; more && i < stack.count; i++) {
        const char *path = text_of(ruby.rb_profile_frame_path(stack.frame[i]));
        if (i + 1 == stack.count && !stack.is_all)
            get_stack(&stack, FRAMES_MAX);
        if (path == NULL ||
            (is_outer && stack.line[i] <= 0)) /* below all is one that is no code's */
            continue;
        more = is_outer ? add_outer(frames, &stack, i, path)
                        : add_innermost(frames, stack.frame[i], path);
        is_outer = true;
    }
}

bool ruby_walk(struct frames *frames, int fd, const void *site) {
    (void)fd;
    (void)site;
    if (!is_there || *ruby.ruby_current_vm_ptr == NULL || may_be_in_handler() ||
        ruby.ruby_thread_has_gvl_p() == 0 || ruby.rb_during_gc() != 0)
        return false;
    add_frames(frames);
    return frames->kept.count > 0;
}
