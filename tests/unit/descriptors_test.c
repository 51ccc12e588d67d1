/* The table of descriptors: numbers far apart, one taker of two, and nothing for what was never
 * entered. The shim is not a library, so its file is compiled in. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shim/socket/descriptors.c"

static struct socket_facts facts_with(uint64_t cookie) {
    return (struct socket_facts){
        .cookie = cookie, .netns = 7, .uid = 8, .port = 9, .protocol = 6, .family = 2, .type = 1};
}

static void numbers_that_were_never_entered_are_unknown(void **state) {
    (void)state;
    struct socket_facts facts;
    static const int numbers[] = {-1, 0, 1023, 1024, 1048575, 1048576, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_null(descriptor_find(numbers[i]));
        assert_false(descriptor_copy(numbers[i], &facts));
        assert_false(descriptor_take(numbers[i], &facts));
        descriptor_clear(numbers[i]);
    }
}

static void what_was_entered_is_found_and_taken_once(void **state) {
    (void)state;
    static const int numbers[] = {0, 1023, 1024, 70000, 1048575};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct socket_facts given = facts_with(100 + i), found, again;
        memset(&found, 0, sizeof found);
        descriptor_set(numbers[i], &given);
        assert_true(descriptor_limit() > numbers[i]);
        assert_true(descriptor_copy(numbers[i], &found));
        assert_int_equal(found.cookie, 100 + i);
        assert_int_equal(found.netns, 7);
        assert_int_equal(found.port, 9);
        assert_int_equal(found.uid, 8);
        assert_true(descriptor_take(numbers[i], &again));
        assert_int_equal(again.cookie, 100 + i);
        assert_false(descriptor_take(numbers[i], &again));
        assert_null(descriptor_find(numbers[i]));
    }
}

static void a_number_beyond_the_table_is_not_entered(void **state) {
    (void)state;
    struct socket_facts given = facts_with(5);
    int before = descriptor_limit();
    descriptor_set(1048576, &given);
    descriptor_set(-1, &given);
    assert_null(descriptor_find(1048576));
    assert_int_equal(descriptor_limit(), before);
}

enum { ROUNDS = 20000, THREADS = 4, SHARED = 5000 };

static _Atomic long taken;
static _Atomic int go_on;

static void *take_all(void *unused) {
    struct socket_facts facts;
    while (atomic_load(&go_on))
        if (descriptor_take(SHARED, &facts))
            atomic_fetch_add(&taken, 1);
    return unused;
}

static void of_several_threads_one_takes_each_entry(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    struct socket_facts given = facts_with(1);
    long entered = 0;
    atomic_store(&go_on, 1);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_all, NULL), 0);
    for (int i = 0; i < ROUNDS; i++)
        if (descriptor_find(SHARED) == NULL) {
            descriptor_set(SHARED, &given);
            entered++;
        }
    while (descriptor_find(SHARED) != NULL)
        ;
    atomic_store(&go_on, 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_true(entered > 0);
    assert_int_equal(taken, entered);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_that_were_never_entered_are_unknown),
        cmocka_unit_test(what_was_entered_is_found_and_taken_once),
        cmocka_unit_test(a_number_beyond_the_table_is_not_entered),
        cmocka_unit_test(of_several_threads_one_takes_each_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
