/*
 * Copied by the batch, since an exec is to cost only a few system calls more: the pointers up to
 * the end of a page, then the beginnings of their texts.
 */
#include "shim/process/guest_environment.h"

#include <stdint.h>
#include <string.h>

#include "shim/shared/guest_memory.h"

enum { BATCH = 32 };

struct batch {
    const char *text[BATCH];
    struct iovec beginning[BATCH];
    char bytes[BATCH * GUEST_HEAD];
    size_t size;    /* of all beginnings */
    unsigned count; /* of the pointers, without NULL */
    bool is_last;   /* NULL was met */
};

static bool copy_pointers(struct batch *batch, char *const *envp) {
    size_t fit = guest_page_rest(envp) / sizeof *envp;
    fit = fit > BATCH ? BATCH : fit;
    fit = fit == 0 ? 1 : fit; /* one that lies across */
    if (!guest_copy(batch->text, envp, fit * sizeof *envp))
        return false;
    batch->count = 0;
    while (batch->count < fit && batch->text[batch->count] != NULL)
        batch->count++;
    batch->is_last = batch->count < fit;
    return true;
}

static bool copy_beginnings(struct batch *batch) {
    batch->size = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        size_t length = guest_page_rest(batch->text[i]);
        length = length < GUEST_HEAD ? length : GUEST_HEAD;
        batch->beginning[i] = (struct iovec){(char *)(uintptr_t)batch->text[i], length};
        batch->size += length;
    }
    return batch->count == 0 ||
           guest_copy_pieces(batch->bytes, batch->size, batch->beginning, batch->count);
}

/* A beginning that ends with its page, and not with the text, is copied again over the border. */
static bool make_head(struct guest_variable *variable, const char *bytes, size_t length) {
    memcpy(variable->head, bytes, length);
    if (length == GUEST_HEAD || memchr(bytes, '\0', length) != NULL) {
        variable->head[GUEST_HEAD - 1] = '\0';
        return true;
    }
    return guest_copy_string(variable->head, GUEST_HEAD, variable->text) >= 0;
}

static bool visit_batch(const struct batch *batch,
                        bool (*visit)(const struct guest_variable *, void *), void *context) {
    const char *bytes = batch->bytes;
    for (unsigned i = 0; i < batch->count; i++) {
        struct guest_variable variable = {.text = batch->text[i]};
        size_t length = batch->beginning[i].iov_len;
        if (!make_head(&variable, bytes, length) || !visit(&variable, context))
            return false;
        bytes += length;
    }
    return true;
}

bool guest_environment_each(char *const *envp, bool (*visit)(const struct guest_variable *, void *),
                            void *context) {
    struct batch batch = {.is_last = envp == NULL};
    while (!batch.is_last) {
        if (!copy_pointers(&batch, envp) || !copy_beginnings(&batch) ||
            !visit_batch(&batch, visit, context))
            return false;
        envp += batch.count;
    }
    return true;
}

bool guest_variable_is(const struct guest_variable *variable, const char *name) {
    size_t length = strlen(name);
    return strncmp(variable->head, name, length) == 0 && variable->head[length] == '=';
}

struct wanted {
    const char *name;
    const char *value;
};

static bool find(const struct guest_variable *variable, void *context) {
    struct wanted *wanted = context;
    if (!guest_variable_is(variable, wanted->name))
        return true;
    wanted->value = variable->text + strlen(wanted->name) + 1;
    return false;
}

const char *guest_environment_value(char *const *envp, const char *name) {
    struct wanted wanted = {name, NULL};
    guest_environment_each(envp, find, &wanted);
    return wanted.value;
}
