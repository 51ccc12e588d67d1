/* The functions behind the shim, found without the loader: for each wrapped call the very one that
 * dlsym(RTLD_NEXT) finds. The shim is not a library, so its file is compiled in, and this program
 * stands in its place. */
#include "shim/process/module_symbol.c"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

uint64_t module_begin(const char *file) {
    (void)file;
    return 0;
}

static const char *const names[] = {
#define CALL(number, result, name, parameters, arguments) #name,
#define CALL_PLAIN(number, result, name) #name,
#define CALL_VOID(number, name, parameters, arguments) #name,
#define CALL_OWN(number, result, name, parameters) #name,
#include "shim/shared/calls.def"
};

static void each_call_is_the_one_that_dlsym_finds(void **state) {
    (void)state;
    struct modules_behind behind = {.count = 0};
    unsigned found = 0;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        void *next = next_symbol(&behind, names[i]);
        void *known = dlsym(RTLD_NEXT, names[i]);
        if (next != NULL && next != known)
            fail_msg("%s: %p, not %p", names[i], next, known);
        found += next != NULL;
    }
    assert_true(found > sizeof names / sizeof *names / 2);
}

/* Of these the C library has an older version beside the default one. */
static void the_default_version_is_found(void **state) {
    (void)state;
    static const char *const versioned[] = {"posix_spawn", "pthread_cond_wait", "memcpy",
                                            "fclose",      "realpath",          "glob"};
    struct modules_behind behind = {.count = 0};
    for (unsigned i = 0; i < sizeof versioned / sizeof *versioned; i++) {
        void *next = next_symbol(&behind, versioned[i]);
        assert_true(next == NULL || next == dlsym(RTLD_NEXT, versioned[i]));
    }
    assert_ptr_equal(next_symbol(&behind, "posix_spawn"), dlsym(RTLD_NEXT, "posix_spawn"));
}

/* One that the processor's kind decides on (STT_GNU_IFUNC) and that no sanitizer has in its place,
 * a variable, and what nobody has. */
static void what_only_the_loader_can_tell_is_left_to_it(void **state) {
    (void)state;
    struct modules_behind behind = {.count = 0};
    assert_null(next_symbol(&behind, "rawmemchr"));
    assert_null(next_symbol(&behind, "environ"));
    assert_null(next_symbol(&behind, "portwitness_has_no_such_function"));
}

static void more_modules_than_there_is_room_for_are_left_to_it(void **state) {
    (void)state;
    struct modules_behind behind = {.count = MODULES_BEHIND_MOST};
    assert_null(next_symbol(&behind, "bind"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_is_the_one_that_dlsym_finds),
        cmocka_unit_test(the_default_version_is_found),
        cmocka_unit_test(what_only_the_loader_can_tell_is_left_to_it),
        cmocka_unit_test(more_modules_than_there_is_room_for_are_left_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
