/*
 * Whoever reads of a lost race asks first: in which tests? Many test runners say it in the
 * environment. It is looked at where a socket gets a port, and copied only when it has changed.
 */
#include "shim/process/running_test.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "shim/gate.h"
#include "shim/identity.h"
#include "shim/process/environment_changes.h"
#include "shim/process/guest_environment.h"
#include "shim/process/start_strings.h"
#include "shim/shared/clock.h"
#include "shim/shared/guest_memory.h"
#include "shim/shared/recorder.h"

enum { NAME_BYTES = 256 };

/* Of the name that was recorded last, and of the environment that was looked at last; 0: none was.
 * With the serial in it: a forked child has recorded nothing yet. */
static _Atomic uint64_t recorded;
static _Atomic uint64_t looked_at;

static size_t append(char text[NAME_BYTES], size_t length, const char *more) {
    while (*more != '\0' && length + 1 < NAME_BYTES)
        text[length++] = *more++;
    text[length] = '\0';
    return length;
}

static size_t append_value(char text[NAME_BYTES], size_t length, const char *value) {
    long copied = guest_copy_string(text + length, NAME_BYTES - length, value);
    return copied > 0 ? length + strlen(text + length) : length;
}

/* What test runners set. Those that name no test, and only the worker that runs it, come last. */
enum variable {
    PYTEST,
    XDIST_WORKER,
    BATS,
    BATS_CODED,
    NEXTEST,
    BAZEL,
    BAZEL_SHARD,
    JEST_WORKER,
    VITEST_POOL,
    VITEST_WORKER,
    NODE_WORKER,
    VARIABLES
};

static const char *const variables[VARIABLES] = {
    [PYTEST] = "PYTEST_CURRENT_TEST",     [XDIST_WORKER] = "PYTEST_XDIST_WORKER",
    [BATS] = "BATS_TEST_DESCRIPTION",     [BATS_CODED] = "BATS_TEST_NAME",
    [NEXTEST] = "NEXTEST_TEST_NAME",      [BAZEL] = "TEST_TARGET",
    [BAZEL_SHARD] = "TEST_SHARD_INDEX",   [JEST_WORKER] = "JEST_WORKER_ID",
    [VITEST_POOL] = "VITEST_POOL_ID",     [VITEST_WORKER] = "VITEST_WORKER_ID",
    [NODE_WORKER] = "NODE_TEST_WORKER_ID"};

struct found {
    const char *value[VARIABLES];
};

/* A Bazel target is "//web:up_test"; others may use that name of a variable for something else. */
static bool is_meant(enum variable which, const struct guest_variable *variable) {
    const char *value = variable->head + strlen(variables[which]) + 1;
    return which != BAZEL || strncmp(value, "//", 2) == 0 || *value == '@';
}

static bool take_variable(const struct guest_variable *variable, void *context) {
    struct found *found = context;
    for (enum variable i = 0; i < VARIABLES; i++)
        if (guest_variable_is(variable, variables[i]) && is_meant(i, variable))
            found->value[i] = variable->text + strlen(variables[i]) + 1;
    return true;
}

static int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bats exports the description of a test only as the name of a function: "test_it_starts-2e". */
static size_t decode(char text[NAME_BYTES], size_t length) {
    static const char prefix[] = "test_";
    size_t from = strncmp(text, prefix, sizeof prefix - 1) == 0 ? sizeof prefix - 1 : 0;
    size_t to = 0;
    while (from < length) {
        bool is_coded = text[from] == '-' && from + 2 < length && digit(text[from + 1]) >= 0 &&
                        digit(text[from + 2]) >= 0;
        if (is_coded)
            text[to++] = (char)(digit(text[from + 1]) << 4 | digit(text[from + 2]));
        else
            text[to++] = text[from] == '_' ? ' ' : text[from];
        from += is_coded ? 3 : 1;
    }
    text[to] = '\0';
    return to;
}

/* Where the kernel put what the program was started with, and nobody else puts anything. */
static bool stood_there_at_start(const char *value) {
    const struct start_strings *strings = start_strings();
    return value >= strings->environment && value < strings->environment_end;
}

/* "test_api.py::test_up (call)", and for a worker of pytest-xdist " [gw0]" behind it, for a shard
 * of Bazel " [shard 0]"; else "JEST_WORKER_ID=2". */
static size_t name_test(char text[NAME_BYTES], bool *is_inherited) {
    struct found found = {{0}};
    size_t length = 0;
    guest_environment_each(environ, take_variable, &found);
    enum variable name = PYTEST;
    while (name < VARIABLES &&
           (found.value[name] == NULL || name == XDIST_WORKER || name == BAZEL_SHARD))
        name++;
    if (name == VARIABLES)
        return 0;
    *is_inherited = stood_there_at_start(found.value[name]);
    if (name > BAZEL_SHARD)
        length = append(text, append(text, 0, variables[name]), "=");
    length = append_value(text, length, found.value[name]);
    if (name == BATS_CODED)
        length = decode(text, length);
    const char *worker = found.value[name == BAZEL ? BAZEL_SHARD : XDIST_WORKER];
    if (worker == NULL || length == 0)
        return length;
    length = append(text, length, name == BAZEL ? " [shard " : " [");
    return append(text, append_value(text, length, worker), "]");
}

/* FNV-1a. */
static uint64_t hash_of(const char *text, size_t length) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash | 1;
}

/* A process that had said a test's name says, too, that it is gone. */
static bool is_news(size_t length, uint64_t hash, bool if_changed) {
    uint64_t before = atomic_exchange(&recorded, hash);
    if (length == 0)
        return before != 0 && before != hash;
    return before != hash || !if_changed;
}

void running_test_record(uint64_t number, bool if_changed) {
    char text[NAME_BYTES] = "";
    struct record record;
    bool is_inherited = false;
    if (gate() != GATE_OPEN)
        return;
    uint64_t state = environment_state();
    uint64_t environment = state != 0 ? state ^ identity_serial() << 1 : 0;
    if (atomic_exchange(&looked_at, environment) == environment && environment != 0 && if_changed)
        return;
    size_t length = name_test(text, &is_inherited);
    if (length == 0 && atomic_load(&recorded) == 0)
        return;
    uint64_t hash = hash_of(text, length) ^ identity_serial();
    if (!is_news(length, hash, if_changed))
        return;
    if (!record_begin(&record, PW_KIND_MARKER, 1 + record_text_units(length, 8), identity_serial(),
                      -1, monotonic_ns()))
        return;
    struct pw_start *start = &record.units[0].start;
    start->thread = identity_thread();
    start->source = PW_SOURCE_SHIM;
    start->flags = PW_FLAG_MARKER_ENVIRONMENT | (length == 0 ? PW_FLAG_MARKER_END : 0) |
                   (is_inherited ? PW_FLAG_INHERITED : 0);
    start->cookie = number;
    record_text(&record, 1, text, length);
    record_commit(&record, 0);
}
