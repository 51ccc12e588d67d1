/*
 * V8's stack could be walked at the bind itself, but a name is looked up first even where listen is
 * given "127.0.0.1", and the user's line is gone by then. So JavaScript has to note it, and the
 * only way in that Node offers is NODE_OPTIONS. Were `run` to set that, each Node that cannot read
 * the file would die of it; the process itself knows whether it can.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/frames/frames.h"
#include "shim/frames/node.h"
#include "shim/process/environment.h"
#include "shim/process/module_symbol.h"
#include "shim/process/start_strings.h"
#include "shim/shared/raw_syscall.h"

#define NAME "NODE_OPTIONS"
#define MODULE "node/frames.cjs" /* from the folder of the shim */

enum { QUOTED_MAX = 2 * PATH_MAX + 16 };

static struct {
    char **given; /* environ as it was, and as it is meanwhile */
    char **lent;
    const char *given_text; /* NULL: NODE_OPTIONS was not there */
    const char *lent_text;
} exchanged;

/* With them a file that is required fails, or is written into what is built, or a NODE_OPTIONS that
 * would be read from elsewhere is not. Looked for in all arguments: whose they are only Node knows.
 */
static bool is_refused(const char *text, size_t length) {
    static const char *const words[] = {
        "permission", "-policy",  "policy-integrity", "env-file",  "-config-",
        "no-addons",  "snapshot", "sea-config",       "build-sea", "expose-internals"};
    if (length < 3 || memmem(text, length, "--", 2) == NULL)
        return false;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (memmem(text, length, words[i], strlen(words[i])) != NULL)
            return true;
    return false;
}

static bool arguments_allow(void) {
    const struct start_strings *strings = start_strings();
    const char *at = strings->arguments;
    if (at == NULL)
        return false;
    while (at < strings->arguments_end) {
        size_t length = strnlen(at, (size_t)(strings->arguments_end - at));
        if (is_refused(at, length))
            return false;
        at += length + 1;
    }
    return true;
}

/* "node", "nodejs", "node-20.1": an Electron or a program made of Node has a name of its own, and
 * ideas of its own about NODE_OPTIONS. */
static bool is_named_node(void) {
    char path[PATH_MAX];
    long length =
        raw_syscall4(SYS_readlinkat, AT_FDCWD, RAW("/proc/self/exe"), RAW(path), sizeof path - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    const char *name = strrchr(path, '/');
    if (name == NULL || strncmp(name, "/node", 5) != 0)
        return false;
    name += strncmp(name, "/nodejs", 7) == 0 ? 7 : 5;
    return strspn(name, "-.0123456789") == strlen(name);
}

static bool is_node(void) {
    return started_symbol("napi_create_function") != NULL &&
           started_symbol("_ZN4node5StartEiPPc") != NULL && is_named_node();
}

static bool is_readable(const char *path) {
    long fd = raw_syscall4(SYS_openat, AT_FDCWD, RAW(path), O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
    if (fd < 0)
        return false;
    raw_syscall3(SYS_close, fd, 0, 0);
    return true;
}

static bool find_module(char path[PATH_MAX]) {
    const char *shim = environment_shim();
    const char *slash = strrchr(shim, '/');
    if (shim[0] != '/')
        return false;
    size_t folder = (size_t)(slash - shim) + 1;
    if (folder + sizeof MODULE > PATH_MAX)
        return false;
    memcpy(path, shim, folder);
    memcpy(path + folder, MODULE, sizeof MODULE);
    return is_readable(path);
}

/* In the quotes of NODE_OPTIONS, so that blanks are no end of it. */
static size_t quote(char text[QUOTED_MAX], const char *path) {
    static const char before[] = "--require \"";
    size_t length = sizeof before - 1;
    memcpy(text, before, length);
    for (; *path != '\0'; path++) {
        if (*path == '"' || *path == '\\')
            text[length++] = '\\';
        text[length++] = *path;
    }
    text[length++] = '"';
    return length;
}

/* A copy of environ in which NODE_OPTIONS has the words before what it had. */
static void exchange(const char *words, size_t length, const char *had) {
    size_t entries = 0, rest = had != NULL ? strlen(had) : 0;
    while (environ[entries] != NULL)
        entries++;
    size_t pointers = (entries + 2) * sizeof *environ;
    size_t size = pointers + sizeof NAME + length + 1 + rest + 1;
    long map = raw_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map <= 0 && map > -4096)
        return;
    char **lent = (char **)map;
    char *text = (char *)(lent + entries + 2), *at = text + sizeof NAME;
    memcpy(text, NAME "=", sizeof NAME);
    memcpy(at, words, length);
    at += length;
    if (had != NULL) {
        *at++ = ' ';
        memcpy(at, had, rest);
    }
    const char *given = had != NULL ? had - sizeof NAME : NULL;
    bool is_put = false;
    for (size_t i = 0; i < entries; i++) {
        is_put = is_put || environ[i] == given;
        lent[i] = environ[i] == given ? text : environ[i];
    }
    if (!is_put)
        lent[entries] = text;
    exchanged.given = environ;
    exchanged.lent = lent;
    exchanged.given_text = given;
    exchanged.lent_text = text;
    environ = lent;
}

void node_start(void) {
    char path[PATH_MAX], words[QUOTED_MAX];
    if (!frames_are_on() || !is_node() || environ == NULL || !arguments_allow())
        return;
    const char *had = environment_get(environ, NAME);
    if ((had != NULL && is_refused(had, strlen(had))) || !find_module(path))
        return;
    exchange(words, quote(words, path), had);
}

/* Nothing but our own entry has changed, so the program can have its own array back. */
static bool is_unchanged(void) {
    char **given = exchanged.given, **lent = exchanged.lent;
    for (; *given != NULL && *lent != NULL; given++, lent++)
        if (*given != *lent && (*given != exchanged.given_text || *lent != exchanged.lent_text))
            return false;
    return *given == NULL && (*lent == NULL || *lent == exchanged.lent_text);
}

static void take_out(char **at) {
    if (exchanged.given_text != NULL) {
        *at = (char *)(uintptr_t)exchanged.given_text;
        return;
    }
    for (; *at != NULL; at++)
        at[0] = at[1];
}

void node_start_undo(void) {
    if (exchanged.lent == NULL)
        return;
    if (environ == exchanged.lent && is_unchanged()) {
        environ = exchanged.given;
    } else {
        for (char **at = environ; at != NULL && *at != NULL; at++)
            if (*at == exchanged.lent_text) {
                take_out(at);
                break;
            }
    }
    exchanged.lent = NULL;
}
