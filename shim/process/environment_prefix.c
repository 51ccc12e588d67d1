/* A shell that libc starts gets its variables by commands, as its environment is out of reach. */
#include <string.h>

#include "shim/process/environment.h"

/* Text that counts on beyond the end of its buffer, so that a caller learns what would be needed.
 */
struct bounded_text {
    char *bytes;
    size_t size;
    size_t length;
};

static void add(struct bounded_text *text, char c) {
    if (text->length < text->size)
        text->bytes[text->length] = c;
    text->length++;
}

static void add_text(struct bounded_text *text, const char *from, size_t length) {
    for (size_t i = 0; i < length; i++)
        add(text, from[i]);
}

/* In single quotes for a POSIX shell. */
static void add_quoted(struct bounded_text *text, const char *from) {
    add(text, '\'');
    for (; *from != '\0'; from++) {
        if (*from == '\'')
            add_text(text, "'\\'", 3); /* closes, the apostrophe itself, and opens again */
        add(text, *from);
    }
    add(text, '\'');
}

size_t environment_prefix(const struct environment_plan *plan, void *space, char *prefix,
                          size_t size) {
    struct bounded_text text = {prefix, size, 0};
    struct environment_plan added = *plan;
    added.given = NULL;
    added.entries = 0;
    char **entry = environment_build(&added, space);
    for (; entry != NULL && *entry != NULL; entry++) {
        size_t name = strcspn(*entry, "=") + 1;
        add_text(&text, "export ", 7);
        add_text(&text, *entry, name);
        add_quoted(&text, *entry + name);
        add_text(&text, "; ", 2);
    }
    if (text.length < size)
        prefix[text.length] = '\0';
    return text.length;
}
