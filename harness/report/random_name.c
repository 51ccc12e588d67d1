/* A name is taken for a random one by its form alone, so the forms are narrow: what is taken for
 * one by mistake hides a new finding behind a known one. */
#include "harness/report/random_name.h"

#include <string.h>

static bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
static bool is_lower(char byte) { return byte >= 'a' && byte <= 'z'; }
static bool is_upper(char byte) { return byte >= 'A' && byte <= 'Z'; }
static bool is_word(char byte) { return is_digit(byte) || is_lower(byte) || is_upper(byte); }
static bool is_hexadecimal(char byte) {
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static bool is_end(const char *text, size_t length, size_t at) {
    return at == length || !is_word(text[at]);
}

/* 8-4-4-4-12 */
static size_t uuid(const char *text, size_t length) {
    static const size_t dashes[] = {8, 13, 18, 23};
    enum { UUID_LENGTH = 36 };
    size_t next = 0;
    if (length < UUID_LENGTH || !is_end(text, length, UUID_LENGTH))
        return 0;
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        bool is_dash = next < sizeof dashes / sizeof *dashes && i == dashes[next];
        if (is_dash ? text[i] != '-' : !is_hexadecimal(text[i]))
            return 0;
        next += is_dash;
    }
    return UUID_LENGTH;
}

size_t random_name_number(const char *text, size_t length) {
    bool prefix = length > 2 && text[0] == '0' && text[1] == 'x';
    size_t from = prefix ? 2 : 0;
    size_t at = from;
    bool digit = false;
    if (uuid(text, length) != 0)
        return uuid(text, length);
    while (at < length && is_hexadecimal(text[at]))
        digit = is_digit(text[at++]) || digit;
    if (!is_end(text, length, at))
        return 0;
    return (prefix && at > from) || (digit && at - from >= 8) ? at : 0;
}

static bool begins(const char *name, size_t length, const char *with) {
    return length >= strlen(with) && strncmp(name, with, strlen(with)) == 0;
}

static bool are_all(const char *name, size_t length, bool (*is)(char byte)) {
    for (size_t i = 0; i < length; i++)
        if (!is(name[i]))
            return false;
    return length > 0;
}

static bool is_of_tempfile(char byte) { return is_lower(byte) || is_digit(byte) || byte == '_'; }

static bool is_no_digit(char byte) { return !is_digit(byte); }

/* tmpab3x_9qz of Python's tempfile, tmp.Ab12Cd34Ef of mktemp(1), pytest-of-me/pytest-7/popen-gw0 */
static bool is_of_a_tool(const char *name, size_t length, bool temporary) {
    if (begins(name, length, "pytest-of-"))
        return true;
    if (begins(name, length, "pytest-"))
        return are_all(name + 7, length - 7, is_digit);
    if (begins(name, length, "popen-gw"))
        return are_all(name + 8, length - 8, is_digit);
    if (begins(name, length, "tmp."))
        return length >= 10 && are_all(name + 4, length - 4, is_word);
    return length == 11 && begins(name, length, "tmp") &&
           are_all(name + 3, length - 3, is_of_tempfile) &&
           (temporary || !are_all(name + 3, length - 3, is_no_digit)); /* unlike tmp_storage */
}

/* Digits between letters, or letters of both cases in another order than names have: Ab12Cd, but
 * neither server12 nor Server. */
static bool is_mixed(const char *text, size_t length, bool temporary) {
    size_t digits = 0;
    size_t changes = 0; /* from what is a digit to what is none, and back */
    size_t capitals = 0;
    size_t small = 0;
    for (size_t i = 0; i < length; i++) {
        if (!is_word(text[i]))
            return false;
        digits += is_digit(text[i]);
        capitals += is_upper(text[i]) && i > 0;
        small += is_lower(text[i]);
        changes += i > 0 && is_digit(text[i]) != is_digit(text[i - 1]);
    }
    if (digits > 0 && digits < length && capitals > 0)
        return temporary || changes > 1;
    return temporary && ((digits > 0 && changes > 1) || (digits == 0 && capitals > 0 && small > 0));
}

/* The end behind a dot, dash or underscore, as mkdtemp(3) makes it: six characters; mktemp(1) makes
 * ten. */
static bool has_random_end(const char *name, size_t length, bool temporary) {
    size_t from = length;
    while (from > 0 && is_word(name[from - 1]))
        from--;
    size_t end = length - from;
    bool is_usual = end == 6 || end == 8 || end == 10;
    return (from > 0 || temporary) && is_usual && is_mixed(name + from, end, temporary);
}

/* A short ending says what is in the file, and is no part of its name. */
static size_t without_ending(const char *name, size_t length) {
    for (size_t i = length; i > 1 && length - i < 5; i--)
        if (name[i - 1] == '.')
            return i - 1;
    return length;
}

bool random_name_is(const char *name, size_t length, bool temporary) {
    size_t stem = without_ending(name, length);
    return is_of_a_tool(name, length, temporary) || is_of_a_tool(name, stem, temporary) ||
           has_random_end(name, length, temporary) || has_random_end(name, stem, temporary) ||
           random_name_number(name, length) == length;
}
