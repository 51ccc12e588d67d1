/*
 * The module in JavaScript opens this library as an addon, and so needs no file of its own beside
 * it. Node's functions for addons are looked up: only Node has them. Workers are environments of
 * their own, each in its thread, so nothing is kept but by thread.
 */
#include "shim/frames/node.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/frames/frames.h"
#include "shim/frames/node_api.h"
#include "shim/frames/node_stack.h"
#include "shim/portwitness.h"

enum { AUTO_LENGTH = -1, TEXT_BYTES = 8192, WORDS_MAX = 8 };

/* The environment of this thread that has the module; it may be asked to load it once more. */
static __thread napi_env installed;

napi_value napi_register_module_v1(napi_env env, napi_value exports);

static uint32_t take_number(char **at) {
    uint32_t number = 0;
    for (; **at >= '0' && **at <= '9'; ++*at)
        number = number * 10 + (uint32_t)(**at - '0');
    return number;
}

/* Cuts off the word up to `end`; NULL where there is none. */
static char *take_word(char **at, char end) {
    char *word = *at, *stop = strchr(word, end);
    if (stop == NULL)
        return NULL;
    *stop = '\0';
    *at = stop + 1;
    return word;
}

/* Lines of: whose it is, in one digit; the number of the line; TAB function TAB file. */
static void take_frames(struct frames *frames, char *at) {
    frames_begin(frames);
    while (*at >= '0' + PW_FRAME_LIBRARY && *at <= '0' + PW_FRAME_USER) {
        enum pw_frame_of of = (enum pw_frame_of)(*at++ - '0');
        uint32_t line = take_number(&at);
        at += *at == '\t';
        const char *function = take_word(&at, '\t');
        const char *file = function != NULL ? take_word(&at, '\n') : NULL;
        if (file == NULL || !frames_add(frames, of, file, function, line))
            return;
    }
}

/* enter(text): the calls of this thread until leave() are for these lines. */
static napi_value enter(napi_env env, napi_info info) {
    char text[TEXT_BYTES];
    struct frames frames;
    napi_value word;
    size_t count = 1, length;
    if (node.get_cb_info(env, info, &count, &word, NULL, NULL) != NAPI_OK || count < 1 ||
        node.get_value_string_utf8(env, word, text, sizeof text, &length) != NAPI_OK)
        return NULL;
    take_frames(&frames, text);
    frames_note(FRAMES_ANY_DESCRIPTOR, &frames);
    return NULL;
}

static napi_value leave(napi_env env, napi_info info) {
    (void)env;
    (void)info;
    frames_forget();
    return NULL;
}

/* What the passing function of this thread's environment needs; the module makes one. */
struct passing {
    napi_ref real, told;
    int limit;
};

/* A function that tells another one what it is called with, and calls the real one. An exception of
 * that stays pending, and so is thrown by this one. */
static napi_value pass(napi_env env, napi_info info) {
    napi_value words[1 + WORDS_MAX], self, real, told, result = NULL;
    size_t count = WORDS_MAX;
    struct passing *passing;
    if (node.get_cb_info(env, info, &count, words + 1, &self, (void **)&passing) != NAPI_OK ||
        node.get_reference_value(env, passing->real, &real) != NAPI_OK ||
        node.get_reference_value(env, passing->told, &told) != NAPI_OK ||
        node.create_double(env, node_stack_key(env, passing->limit), words) != NAPI_OK)
        return NULL;
    count = count < WORDS_MAX ? count : WORDS_MAX;
    node.call_function(env, self, told, count + 1, words, &result);
    result = NULL;
    node.call_function(env, self, real, count, words + 1, &result);
    return result;
}

/* passing(real, told, limit) makes such a function: `told` is called with the key of the stack
 * first. JavaScript's own frames would be seen in stacks. */
static napi_value make_passing(napi_env env, napi_info info) {
    static __thread struct passing passing;
    napi_value words[3], made = NULL;
    size_t count = 3;
    if (node.get_cb_info(env, info, &count, words, NULL, NULL) == NAPI_OK && count == 3 &&
        node.get_value_int32(env, words[2], &passing.limit) == NAPI_OK &&
        node.create_reference(env, words[0], 1, &passing.real) == NAPI_OK &&
        node.create_reference(env, words[1], 1, &passing.told) == NAPI_OK)
        node.create_function(env, "", 0, pass, &passing, &made);
    return made;
}

/* stackKey(limit): see node_stack.h. */
static napi_value stack_key(napi_env env, napi_info info) {
    napi_value word, made = NULL;
    size_t count = 1;
    int32_t limit;
    if (node.get_cb_info(env, info, &count, &word, NULL, NULL) == NAPI_OK && count == 1 &&
        node.get_value_int32(env, word, &limit) == NAPI_OK)
        node.create_double(env, node_stack_key(env, limit), &made);
    return made;
}

/* mark(name, what): portwitness.h has the words. */
static napi_value mark(napi_env env, napi_info info) {
    char name[TEXT_BYTES];
    napi_value words[2], made = NULL;
    size_t count = 2, length;
    int32_t what = 0;
    bool good = node.get_cb_info(env, info, &count, words, NULL, NULL) == NAPI_OK && count == 2 &&
                node.get_value_string_utf8(env, words[0], name, sizeof name, &length) == NAPI_OK &&
                node.get_value_int32(env, words[1], &what) == NAPI_OK &&
                portwitness_mark(name, what) == 0;
    node.get_boolean(env, good, &made);
    return made;
}

static bool export_function(napi_env env, napi_value exports, const char *name,
                            napi_callback *function) {
    napi_value made;
    return node.create_function(env, name, (size_t)AUTO_LENGTH, function, NULL, &made) == NAPI_OK &&
           node.set_named_property(env, exports, name, made) == NAPI_OK;
}

/* What Node calls in whom it opens as an addon. Without `enter` the module does nothing. */
__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env,
                                                                          napi_value exports) {
    napi_value whole;
    struct frames frames;
    node_start_undo();
    if (!node_api_find() || !export_function(env, exports, "mark", mark) || !frames_are_on() ||
        installed == env)
        return exports;
    frames_begin(&frames);
    if (node.get_boolean(env, frames.kept.most != 0, &whole) == NAPI_OK &&
        node.set_named_property(env, exports, "whole", whole) == NAPI_OK &&
        export_function(env, exports, "leave", leave) &&
        export_function(env, exports, "passing", make_passing) &&
        (!node_stack_find(env) || export_function(env, exports, "stackKey", stack_key)) &&
        export_function(env, exports, "enter", enter))
        installed = env;
    return exports;
}
