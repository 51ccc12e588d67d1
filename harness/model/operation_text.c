/* Operations are read and written in one notation: the property test prints what a person can type.
 */
#include "harness/model/operation.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/number.h"

enum { WORDS_MAX = 4, WORD_SIZE = 80 };

struct words {
    char word[WORDS_MAX][WORD_SIZE];
    unsigned count;
};

static bool __attribute__((format(printf, 2, 3)))
refuse(struct operation_problem *problem, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->what, sizeof problem->what, format, arguments);
    va_end(arguments);
    return false;
}

static bool split(const char *text, struct words *words, struct operation_problem *problem) {
    words->count = 0;
    for (;;) {
        text += strspn(text, " \t\r\n");
        size_t length = strcspn(text, " \t\r\n");
        if (length == 0)
            return words->count > 0 || refuse(problem, "empty operation");
        if (words->count == WORDS_MAX)
            return refuse(problem, "extra word '%.80s'", text);
        if (length >= WORD_SIZE)
            return refuse(problem, "word too long: '%.80s'", text);
        memcpy(words->word[words->count], text, length);
        words->word[words->count++][length] = '\0';
        text += length;
    }
}

/* "127.0.0.1:80", "[::1]:80". */
static bool read_endpoint(const char *text, struct operation *operation) {
    char address[WORD_SIZE];
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (colon == NULL || !read_number(colon + 1, 0, 65535, &port))
        return false;
    size_t length = (size_t)(colon - text);
    memcpy(address, text, length);
    address[length] = '\0';
    operation->port = (uint16_t)port;
    operation->address.family6 = length > 2 && address[0] == '[' && address[length - 1] == ']';
    if (!operation->address.family6)
        return inet_pton(AF_INET, address, operation->address.bytes) == 1;
    address[length - 1] = '\0';
    return inet_pton(AF_INET6, address + 1, operation->address.bytes) == 1;
}

static bool read_switch(const char *text, bool *value) {
    *value = strcmp(text, "on") == 0;
    return *value || strcmp(text, "off") == 0;
}

static int find_name(char (*names)[OPERATION_NAME_SIZE], unsigned count, const char *name) {
    for (unsigned i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

static bool read_range(const struct words *words, struct operation *operation,
                       struct operation_problem *problem) {
    uint64_t low, high;
    if (words->count != 3)
        return refuse(problem, "'%s' needs two numbers", words->word[0]);
    for (unsigned i = 1; i <= 2; i++)
        if (!read_number(words->word[i], 0, 65535, i == 1 ? &low : &high))
            return refuse(problem, "invalid port '%s'", words->word[i]);
    if (low > high || (low == 0) != (high == 0) || (operation->kind == OPERATION_RANGE && low == 0))
        return refuse(problem, "invalid range '%s %s'", words->word[1], words->word[2]);
    operation->low = (uint16_t)low;
    operation->high = (uint16_t)high;
    return true;
}

static const char *const kinds[] = {"tcp", "tcp6", "udp", "udp6"};

/* Also of a name that there is already: it gets a new socket. */
static bool is_creation(const char *word) {
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(word, kinds[i]) == 0)
            return true;
    return strcmp(word, "uid") == 0;
}

static bool read_creation(const struct words *words, struct operation_names *names,
                          struct operation *operation, bool *none,
                          struct operation_problem *problem) {
    const char *name = words->word[0];
    uint64_t uid;
    int index = find_name(names->socket, names->count, name);
    bool is_uid = strcmp(words->word[1], "uid") == 0;
    if (is_uid && words->count != 3)
        return refuse(problem, "'%s' needs one number", words->word[1]);
    if (is_uid && !read_number(words->word[2], 0, UINT32_MAX - 1, &uid))
        return refuse(problem, "invalid user ID '%s'", words->word[2]);
    if (index >= 0 && names->socket[index][0] != '\0' && is_uid)
        return refuse(problem, "set the user of '%s' before the socket is made", name);
    if (strlen(name) >= OPERATION_NAME_SIZE)
        return refuse(problem, "name too long: '%s'", name);
    if (is_uid) {
        /* Kept beside the name that is to come. */
        if (names->count == OPERATION_SOCKETS_MAX)
            return refuse(problem, "too many sockets: '%s'", name);
        names->uid[names->count] = (uint32_t)uid;
        *none = true;
        return true;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (strcmp(words->word[1], kinds[i]) != 0)
            continue;
        if (words->count != 2)
            return refuse(problem, "extra word '%s'", words->word[2]);
        if (index < 0) {
            if (names->count == OPERATION_SOCKETS_MAX)
                return refuse(problem, "too many sockets: '%s'", name);
            index = (int)names->count++;
            memcpy(names->socket[index], name, strlen(name) + 1);
        }
        operation->kind = OPERATION_SOCKET;
        operation->socket = (unsigned)index;
        operation->datagram = i >= 2;
        operation->family6 = i % 2 == 1;
        operation->uid = names->uid[index];
        return true;
    }
    return refuse(problem, "'%s' is not tcp, tcp6, udp, udp6 or uid, and no socket is named '%s'",
                  words->word[1], name);
}

static const struct {
    const char *word;
    enum operation_kind kind;
    unsigned words; /* name and word included */
} calls[] = {{"reuseaddr", OPERATION_REUSEADDR, 3}, {"reuseport", OPERATION_REUSEPORT, 3},
             {"v6only", OPERATION_V6ONLY, 3},       {"noport", OPERATION_NO_PORT, 3},
             {"ports", OPERATION_PORTS, 4},         {"device", OPERATION_DEVICE, 3},
             {"bind", OPERATION_BIND, 3},           {"listen", OPERATION_LISTEN, 2},
             {"connect", OPERATION_CONNECT, 3},     {"disconnect", OPERATION_DISCONNECT, 2},
             {"shutdown", OPERATION_SHUTDOWN, 2},   {"close", OPERATION_CLOSE, 2}};

static bool read_device(const char *name, struct operation_names *names,
                        struct operation *operation, struct operation_problem *problem) {
    operation->device = 0;
    if (strcmp(name, "none") == 0)
        return true;
    int index = find_name(names->device, names->devices, name);
    if (index < 0) {
        if (names->devices == 8 || strlen(name) >= OPERATION_NAME_SIZE)
            return refuse(problem, "too many devices, or name too long: '%s'", name);
        index = (int)names->devices++;
        memcpy(names->device[index], name, strlen(name) + 1);
    }
    operation->device = (uint32_t)index + 1;
    return true;
}

static bool read_call(const struct words *words, struct operation_names *names,
                      struct operation *operation, struct operation_problem *problem) {
    const char *word = words->word[2];
    unsigned i = 0;
    while (i < sizeof calls / sizeof *calls && strcmp(calls[i].word, words->word[1]) != 0)
        i++;
    if (i == sizeof calls / sizeof *calls)
        return refuse(problem, "unknown operation '%s'", words->word[1]);
    if (words->count < calls[i].words)
        return refuse(problem, "missing argument after '%s'", words->word[1]);
    if (words->count > calls[i].words)
        return refuse(problem, "extra word '%s'", words->word[calls[i].words]);
    operation->kind = calls[i].kind;
    switch (operation->kind) {
    case OPERATION_REUSEADDR:
    case OPERATION_REUSEPORT:
    case OPERATION_V6ONLY:
    case OPERATION_NO_PORT:
        return read_switch(word, &operation->value) ||
               refuse(problem, "'%s' is neither on nor off", word);
    case OPERATION_BIND:
    case OPERATION_CONNECT:
        return read_endpoint(word, operation) ||
               refuse(problem, "invalid address '%s': must be ADDRESS:PORT or [ADDRESS]:PORT",
                      word);
    case OPERATION_DEVICE:
        return read_device(word, names, operation, problem);
    case OPERATION_PORTS: {
        struct words range = {.count = 3};
        for (unsigned j = 0; j < 3; j++)
            memcpy(range.word[j], words->word[j + 1], WORD_SIZE);
        return read_range(&range, operation, problem);
    }
    default:
        return true;
    }
}

bool operation_read(const char *text, struct operation_names *names, struct operation *operation,
                    bool *none, struct operation_problem *problem) {
    struct words words;
    *operation = (struct operation){.kind = OPERATION_KINDS};
    *none = false;
    if (!split(text, &words, problem))
        return false;
    if (strcmp(words.word[0], "range") == 0 || strcmp(words.word[0], "reserved") == 0) {
        operation->kind = words.word[0][1] == 'a' ? OPERATION_RANGE : OPERATION_RESERVED;
        return read_range(&words, operation, problem);
    }
    if (words.count < 2)
        return refuse(problem, "missing word after '%s'", words.word[0]);
    int index = find_name(names->socket, names->count, words.word[0]);
    if (index < 0 || is_creation(words.word[1]))
        return read_creation(&words, names, operation, none, problem);
    operation->socket = (unsigned)index;
    return read_call(&words, names, operation, problem);
}

static void write_endpoint(const struct operation *operation, char *text, size_t size) {
    char address[INET6_ADDRSTRLEN] = "?";
    bool six = operation->address.family6;
    inet_ntop(six ? AF_INET6 : AF_INET, operation->address.bytes, address, sizeof address);
    snprintf(text, size, "%s%s%s:%u", six ? "[" : "", address, six ? "]" : "", operation->port);
}

static const char *word_of(enum operation_kind kind) {
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].kind == kind)
            return calls[i].word;
    return "?";
}

const char *operation_text(const struct operation *operation, const struct operation_names *names,
                           char *text, size_t size) {
    char name[OPERATION_NAME_SIZE + 8];
    char rest[WORD_SIZE] = "";
    bool named = names != NULL && operation->socket < names->count;
    if (named)
        snprintf(name, sizeof name, "%s", names->socket[operation->socket]);
    else
        snprintf(name, sizeof name, "s%u", operation->socket);
    switch (operation->kind) {
    case OPERATION_SOCKET:
        snprintf(text, size, "%s %s%s", name, operation->datagram ? "udp" : "tcp",
                 operation->family6 ? "6" : "");
        return text;
    case OPERATION_RANGE:
    case OPERATION_RESERVED:
        snprintf(text, size, "%s %u %u", operation->kind == OPERATION_RANGE ? "range" : "reserved",
                 operation->low, operation->high);
        return text;
    case OPERATION_REUSEADDR:
    case OPERATION_REUSEPORT:
    case OPERATION_V6ONLY:
    case OPERATION_NO_PORT:
        snprintf(rest, sizeof rest, " %s", operation->value ? "on" : "off");
        break;
    case OPERATION_PORTS:
        snprintf(rest, sizeof rest, " %u %u", operation->low, operation->high);
        break;
    case OPERATION_DEVICE:
        if (operation->device == 0)
            snprintf(rest, sizeof rest, " none");
        else if (names != NULL && operation->device <= names->devices)
            snprintf(rest, sizeof rest, " %s", names->device[operation->device - 1]);
        else
            snprintf(rest, sizeof rest, " dummy%u", operation->device - 1);
        break;
    case OPERATION_BIND:
    case OPERATION_CONNECT:
        rest[0] = ' ';
        write_endpoint(operation, rest + 1, sizeof rest - 1);
        break;
    default:
        break;
    }
    snprintf(text, size, "%s %s%s", name, word_of(operation->kind), rest);
    return text;
}
