/*
 * Where Go's library lies, the program tells itself: by the file of a function of runtime. With
 * -trimpath no folder is left, and the package's path decides: that of a module begins with a
 * host's name, in practice, but nothing keeps a user from calling his own module "app".
 */
#include "harness/capture/go_owner.h"

#include <string.h>

enum { LEARN_MAX = 4096, PACKAGE_BYTES = 512 };

static const char *const tests[] = {
    "testing",      "github.com/onsi/ginkgo", "github.com/stretchr/testify",
    "gotest.tools", "gopkg.in/check.v1",      NULL};

/* First parts of the paths of packages, as of Go 1.27. */
static const char *const library[] = {
    "archive",   "arena",   "bufio",   "builtin",  "bytes",  "cmd",     "cmp",      "compress",
    "container", "context", "crypto",  "database", "debug",  "embed",   "encoding", "errors",
    "expvar",    "flag",    "fmt",     "go",       "hash",   "html",    "image",    "index",
    "internal",  "io",      "iter",    "log",      "maps",   "math",    "mime",     "net",
    "os",        "path",    "plugin",  "reflect",  "regexp", "runtime", "simd",     "slices",
    "sort",      "strconv", "strings", "structs",  "sync",   "syscall", "testing",  "text",
    "time",      "unicode", "unique",  "unsafe",   "uuid",   "vendor",  "weak",     NULL};

/* "example.com/app/pkg" of "example.com/app/pkg.(*T).Method" */
static void package_of(const char *function, char package[PACKAGE_BYTES]) {
    size_t whole = strcspn(function, "[(");
    size_t length = 0;
    for (size_t i = 0; i < whole; i++)
        if (function[i] == '/')
            length = i + 1;
    const char *dot = memchr(function + length, '.', whole - length);
    /* Two of the packages that end in a version have a dot in their last part. */
    if (dot != NULL && dot[1] == 'v' && dot[2] >= '0' && dot[2] <= '9' && dot[3] == '.')
        dot += 3;
    length = dot != NULL ? (size_t)(dot - function) : whole;
    if (length >= PACKAGE_BYTES)
        length = PACKAGE_BYTES - 1;
    memcpy(package, function, length);
    package[length] = '\0';
}

static bool is_below(const char *package, const char *name) {
    size_t length = strlen(name);
    return strncmp(package, name, length) == 0 &&
           (package[length] == '\0' || package[length] == '/');
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text);
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static bool is_test_runner(const char *package, const char *file) {
    const char *vendored = strstr(package, "/vendor/");
    const char *name = vendored != NULL ? vendored + strlen("/vendor/") : package;
    if (strcmp(file, "_testmain.go") == 0)
        return true;
    for (const char *const *test = tests; *test != NULL; test++)
        if (is_below(name, *test))
            return true;
    return false;
}

/* A package of which Go's library has the first part. */
static bool is_named_as_library(const char *package) {
    for (const char *const *name = library; *name != NULL; name++)
        if (is_below(package, *name))
            return true;
    return false;
}

/* Its files are where the package's path says, below a folder "src". */
static bool is_in_source_folder(const char *package, const char *file) {
    const char *base = strrchr(file, '/');
    size_t length = strlen(package);
    if (base == NULL || (size_t)(base - file) < length + strlen("/src/"))
        return false;
    const char *begin = base - length;
    return strncmp(begin, package, length) == 0 &&
           strncmp(begin - strlen("/src/"), "/src/", strlen("/src/")) == 0;
}

static bool is_library(const struct go_root *root, const char *package, const char *file) {
    size_t length = strlen(root->folder);
    if (root->is_known && length > 0 && strncmp(file, root->folder, length) == 0)
        return true;
    if (strcmp(file, "_cgo_gotypes.go") == 0)
        return true; /* what calls C; made by cgo */
    if (!is_named_as_library(package) || strchr(file, '@') != NULL)
        return false;
    return (root->is_known && length == 0 && file[0] != '/') || file[0] == '\0' ||
           is_in_source_folder(package, file);
}

/* "@v1.2.3/", as the module cache names folders. */
static bool has_version(const char *file) {
    for (const char *at = file; (at = strchr(at, '@')) != NULL; at++)
        if (at[1] == 'v' && at[2] >= '0' && at[2] <= '9' && strchr(at, '/') != NULL)
            return true;
    return false;
}

enum pw_frame_of go_owner(const struct go_root *root, const char *function, const char *file) {
    char package[PACKAGE_BYTES];
    package_of(function, package);
    if (is_test_runner(package, file))
        return ends_with(file, "_test.go") ? PW_FRAME_USER : PW_FRAME_FRAMEWORK;
    if (is_library(root, package, file))
        return ends_with(file, "_test.go") ? PW_FRAME_USER : PW_FRAME_LIBRARY;
    if (has_version(file) || strstr(file, "/pkg/mod/") != NULL || strstr(file, "/vendor/") != NULL)
        return PW_FRAME_DEPENDENCY;
    return PW_FRAME_USER;
}

void go_root_learn(struct go_table *table, struct go_root *root) {
    static const char folder[] = "runtime/";
    *root = (struct go_root){.is_known = false};
    for (uint64_t i = 0; i < table->count && i < LEARN_MAX; i++) {
        struct go_line line;
        table->budget = 1 << 12;
        if (!go_lines_of_function(table, i, &line) || strncmp(line.function, "runtime.", 8) != 0)
            continue;
        const char *base = strrchr(line.file, '/');
        if (base == NULL || base - line.file < (long)sizeof folder - 2)
            continue;
        const char *package = base + 1 - (sizeof folder - 1);
        size_t length = (size_t)(package - line.file);
        if (strncmp(package, folder, sizeof folder - 1) != 0 || length >= sizeof root->folder ||
            (length > 0 && package[-1] != '/'))
            continue;
        memcpy(root->folder, line.file, length);
        root->folder[length] = '\0';
        root->is_known = true;
        return;
    }
}
