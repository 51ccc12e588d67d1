/* Ports, pids and temporary files differ from run to run, and folders from machine to machine; a
 * finding is known all the same. What belongs to a name stays: server1.py is not server2.py. */
#include "harness/report/stable_text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "harness/report/random_name.h"

enum { FOLDERS_KEPT = 2, NUMBER_DIGITS = 4, HASH_SIZE = 18 /* with its sign and the NUL */ };

/* What stands between the words and paths of a command line. */
static const char between[] = " \t\r\n=:,;'\"()[]{}<>@&?|";

struct writing {
    char *to;
    size_t size;
    size_t length; /* also of what has no room */
    uint64_t hash; /* FNV-1a of all */
};

static void put(struct writing *writing, char byte) {
    if (writing->length + 1 < writing->size)
        writing->to[writing->length] = byte;
    writing->length++;
    writing->hash = (writing->hash ^ (unsigned char)byte) * UINT64_C(0x100000001b3);
}

static const char *finish(const struct writing *writing) {
    size_t last = writing->length < writing->size ? writing->length : writing->size - 1;
    writing->to[last] = '\0';
    if (writing->length > last && writing->size >= HASH_SIZE)
        snprintf(writing->to + writing->size - HASH_SIZE, HASH_SIZE, "~%016" PRIx64, writing->hash);
    return writing->to;
}

static bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

static bool is_word(char byte) {
    return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* How many digits stand there as a number of the run: neither in a name nor before a dot, but also
 * as in -p43211. */
static size_t run_number(const char *name, size_t length, size_t at) {
    size_t end = at;
    if (at > 0 && name[at - 1] != '-' && !(at == 2 && name[0] == '-'))
        return 0;
    while (end < length && is_digit(name[end]))
        end++;
    return end == length && end - at >= NUMBER_DIGITS ? end - at : 0;
}

/* A part of a path, or a word. */
static void put_name(struct writing *writing, const char *name, size_t length) {
    for (size_t i = 0; i < length; i++) {
        bool begins = i == 0 || !is_word(name[i - 1]);
        size_t digits = run_number(name, length, i);
        size_t number = begins && digits == 0 ? random_name_number(name + i, length - i) : 0;
        put(writing, digits > 0 ? 'N' : number > 0 ? '*' : name[i]);
        i += digits > 0 ? digits - 1 : number > 0 ? number - 1 : 0;
    }
}

static bool is_name(const char *name, size_t length, const char *other) {
    return length == strlen(other) && strncmp(name, other, length) == 0;
}

static bool is_for_temporary_files(const char *name, size_t length) {
    return is_name(name, length, "tmp") || is_name(name, length, "temp") ||
           is_name(name, length, "shm");
}

static size_t part_length(const char *part, const char *end) {
    const char *slash = memchr(part, '/', (size_t)(end - part));
    return (size_t)((slash != NULL ? slash : end) - part);
}

/* Behind the last part that looks random; the path itself: none does. */
static const char *behind_random(const char *path, const char *end) {
    const char *behind = path;
    bool temporary = false;
    for (const char *part = path; part < end; part += part_length(part, end) + 1) {
        size_t length = part_length(part, end);
        /* A number of the run alone, as below /proc, is none. */
        if (run_number(part, length, 0) != length && random_name_is(part, length, temporary))
            behind = part + length;
        temporary = temporary || is_for_temporary_files(part, length);
    }
    return behind;
}

/* Where the folders begin that are kept. */
static const char *kept(const char *path, const char *end) {
    unsigned slashes = 0;
    for (const char *at = end; at > path; at--)
        if (at[-1] == '/' && at != end && ++slashes > FOLDERS_KEPT)
            return at - 1 == path ? path : at;
    return path;
}

static void put_path(struct writing *writing, const char *path, const char *end) {
    const char *from = behind_random(path, end);
    if (from != path)
        put(writing, '*');
    else if (*path == '/')
        from = kept(path, end);
    while (from < end) {
        size_t length = part_length(from, end);
        put_name(writing, from, length);
        from += length;
        if (from < end)
            put(writing, *from++);
    }
}

const char *stable_text(const char *text, char *to, size_t size) {
    struct writing writing = {.to = to, .size = size, .hash = UINT64_C(0xcbf29ce484222325)};
    while (*text != '\0') {
        size_t length = strcspn(text, between);
        if (length > 0)
            put_path(&writing, text, text + length);
        text += length;
        if (*text != '\0')
            put(&writing, *text++);
    }
    return finish(&writing);
}
