/* One place decides what happens without memory, so that no reader of a trace prints half an answer
 * as if it were whole. */
#include "harness/base/memory.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/message.h"
#include "harness/base/statuses.h"

static _Noreturn void give_up(void) {
    complain(NULL, "out of memory");
    exit(STATUS_USAGE);
}

void *memory_grow(void *array, size_t *room, size_t needed, size_t size) {
    size_t wanted = *room > 0 ? *room : 16;

    if (needed <= *room)
        return array;
    while (wanted < needed)
        wanted *= 2;
    array = reallocarray(array, wanted, size);
    if (array == NULL)
        give_up();
    *room = wanted;
    return array;
}

void *memory_zeroed(size_t count, size_t size) {
    void *memory = calloc(count, size);

    if (memory == NULL)
        give_up();
    return memory;
}

char *memory_copy(const char *text, size_t length) {
    char *copy = malloc(length + 1);

    if (copy == NULL)
        give_up();
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}
