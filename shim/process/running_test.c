/*
 * Whoever reads of a lost race asks first: in which test? pytest, bats and Jest say it in the
 * environment. It is looked at where a number is bound by number; to copy it takes as long as fifty
 * binds, so that is done only when setenv(3) has put another pointer there.
 */
#include "shim/process/running_test.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "shim/gate.h"
#include "shim/identity.h"
#include "shim/process/guest_environment.h"
#include "shim/process/start_strings.h"
#include "shim/shared/clock.h"
#include "shim/shared/guest_memory.h"
#include "shim/shared/recorder.h"

enum { NAME_BYTES = 256, POINTERS = 128 };

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

struct found {
    const char *pytest;
    const char *worker;
    const char *bats;
    const char *jest;
};

static bool take_variable(const struct guest_variable *variable, void *context) {
    static const char *const names[] = {"PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER",
                                        "BATS_TEST_DESCRIPTION", "JEST_WORKER_ID"};
    struct found *found = context;
    const char **const values[] = {&found->pytest, &found->worker, &found->bats, &found->jest};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (guest_variable_is(variable, names[i]))
            *values[i] = variable->text + strlen(names[i]) + 1;
    return true;
}

/* "test_api.py::test_up (call)", and for a worker of pytest-xdist " [gw0]" behind it. */
static size_t name_test(char text[NAME_BYTES]) {
    struct found found = {0};
    guest_environment_each(environ, take_variable, &found);
    const char *name = found.pytest != NULL ? found.pytest : found.bats;
    if (name == NULL && found.jest != NULL)
        return append_value(text, append(text, 0, "JEST_WORKER_ID="), found.jest);
    size_t length = name != NULL ? append_value(text, 0, name) : 0;
    if (found.worker == NULL || length == 0)
        return length;
    return append(text, append_value(text, append(text, length, " ["), found.worker), "]");
}

/* FNV-1a. */
static uint64_t hash_of(const char *text, size_t length) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash | 1;
}

/* Cheaper than a multiplication, and enough for what nobody wants to collide. */
static uint64_t add_pointer(uint64_t hash, const char *pointer) {
    return (hash << 7 | hash >> 57) + (uintptr_t)pointer;
}

/* The array that the program was started with stays where it is; any other may be bad, or be taken
 * away by another thread. 0: it cannot be read. */
static uint64_t hash_of_environment(void) {
    uint64_t hash = hash_of("", 0) ^ identity_serial();
    char *const *at = environ;
    char *copy[POINTERS];
    if (at != NULL && at == start_strings()->variables) {
        for (const char *text; (text = *(char *const volatile *)at) != NULL; at++)
            hash = add_pointer(hash, text);
        return hash | 1;
    }
    while (at != NULL) {
        size_t count = guest_page_rest(at) / sizeof *at;
        count = count > POINTERS ? POINTERS : count > 0 ? count : 1;
        if (!guest_copy(copy, at, count * sizeof *at))
            return 0;
        for (size_t i = 0; i < count && at != NULL; i++) {
            hash = add_pointer(hash, copy[i]);
            at = copy[i] != NULL ? at + 1 : NULL;
        }
    }
    return hash | 1;
}

void running_test_record(uint64_t number, bool if_changed) {
    char text[NAME_BYTES] = "";
    struct record record;
    if (gate() != GATE_OPEN)
        return;
    uint64_t environment = hash_of_environment();
    if (atomic_exchange(&looked_at, environment) == environment && environment != 0 && if_changed)
        return;
    size_t length = name_test(text);
    if (length == 0)
        return;
    uint64_t hash = hash_of(text, length) ^ identity_serial();
    if (atomic_exchange(&recorded, hash) == hash && if_changed)
        return;
    if (!record_begin(&record, PW_KIND_MARKER, 1 + record_text_units(length, 8), identity_serial(),
                      -1, monotonic_ns()))
        return;
    struct pw_start *start = &record.units[0].start;
    start->thread = identity_thread();
    start->source = PW_SOURCE_SHIM;
    start->flags = PW_FLAG_MARKER_ENVIRONMENT;
    start->cookie = number;
    record_text(&record, 1, text, length);
    record_commit(&record, 0);
}
