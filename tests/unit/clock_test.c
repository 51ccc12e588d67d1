/* The trace's clocks: the kernel's time, never bent by whoever wraps clock_gettime. The file is
 * compiled in, under another name than the one that is linked, to look at its parts. */
#define clock_ns compiled_in_clock_ns
#define clock_avoid_syscalls compiled_in_clock_avoid_syscalls
#include "shim/shared/clock.c"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <time.h>

#include <cmocka.h>

enum { ROUNDS = 1000, THREADS = 4 };

static uint64_t by_kernel(clockid_t clock) {
    struct timespec now = {0};
    assert_int_equal(raw_syscall3(SYS_clock_gettime, clock, RAW(&now), 0), 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* What libfaketime does to every caller of the symbol in this program. */
int clock_gettime(clockid_t clock, struct timespec *now) {
    int answer = (int)raw_syscall3(SYS_clock_gettime, clock, RAW(now), 0);
    now->tv_sec += 3600;
    return answer;
}

static void lies_between_two_of_the_kernels(clockid_t clock) {
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t before = by_kernel(clock);
        uint64_t now = compiled_in_clock_ns(clock);
        uint64_t after = by_kernel(clock);
        assert_in_range(now, before, after);
    }
}

static void monotonic_is_the_kernels(void **state) {
    (void)state;
    lies_between_two_of_the_kernels(CLOCK_MONOTONIC);
}

static void realtime_is_the_kernels(void **state) {
    (void)state;
    lies_between_two_of_the_kernels(CLOCK_REALTIME);
    assert_true(compiled_in_clock_ns(CLOCK_REALTIME) > UINT64_C(1700000000) * 1000000000u);
}

static void a_wrapper_of_clock_gettime_bends_nothing(void **state) {
    (void)state;
    struct timespec bent;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &bent), 0);
    uint64_t now = compiled_in_clock_ns(CLOCK_MONOTONIC);
    assert_true((uint64_t)bent.tv_sec * 1000000000u > now + UINT64_C(3590) * 1000000000u);
}

static void *never_goes_back(void *good) {
    uint64_t last = 0;
    *(bool *)good = true;
    for (int i = 0; i < ROUNDS * 20; i++) {
        uint64_t now = compiled_in_clock_ns(CLOCK_MONOTONIC);
        if (now < last)
            *(bool *)good = false;
        last = now;
    }
    return good;
}

static void monotonic_never_goes_back_in_any_thread(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    bool good[THREADS] = {false};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, never_goes_back, &good[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(good[i]);
    }
}

static void time_goes_by_in_nanoseconds(void **state) {
    (void)state;
    const struct timespec pause = {.tv_nsec = 20000000};
    uint64_t before = compiled_in_clock_ns(CLOCK_MONOTONIC);
    assert_int_equal(nanosleep(&pause, NULL), 0);
    uint64_t passed = compiled_in_clock_ns(CLOCK_MONOTONIC) - before;
    assert_in_range(passed, 20000000, UINT64_C(60000000000));
}

static void an_unknown_clock_stands_at_zero(void **state) {
    (void)state;
    assert_int_equal(compiled_in_clock_ns((clockid_t)1000), 0);
}

/* valgrind hides the vDSO. */
static void the_vdso_is_used_where_there_is_one(void **state) {
    (void)state;
    clock_function function = find_clock();
    if (getauxval(AT_SYSINFO_EHDR) == 0)
        assert_true(function == clock_by_syscall);
    else
        assert_true(function != clock_by_syscall);
}

static void the_system_call_serves_as_well(void **state) {
    (void)state;
    struct timespec now = {0};
    uint64_t before = by_kernel(CLOCK_MONOTONIC);
    assert_int_equal(clock_by_syscall(CLOCK_MONOTONIC, &now), 0);
    uint64_t after = by_kernel(CLOCK_MONOTONIC);
    assert_in_range((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec, before, after);
    assert_true(clock_by_syscall((clockid_t)1000, &now) < 0);
}

/* DT_GNU_HASH does not say how many symbols there are; the last chain's end does. */
static void symbols_are_counted_from_either_hash_table(void **state) {
    (void)state;
    static const Elf32_Word plain[] = {3, 17};
    /* buckets, first symbol, filter words, shift; one filter of 64 bits; two buckets; chains of
     * symbols 2 and 3 (ends), 4, 5, 6 (ends). */
    static const Elf32_Word gnu[] = {2, 2, 1, 6, 0, 0, 2, 4, 8, 9, 10, 12, 13};
    static const Elf32_Word empty[] = {1, 2, 1, 6, 0, 0, 0};
    struct vdso vdso = {.hash = plain, .gnu_hash = gnu};
    assert_int_equal(symbol_count(&vdso), 17);
    vdso.hash = NULL;
    assert_int_equal(symbol_count(&vdso), 7);
    vdso.gnu_hash = empty;
    assert_int_equal(symbol_count(&vdso), 2);
    vdso.gnu_hash = NULL;
    assert_int_equal(symbol_count(&vdso), 0);
}

/* What the two clocks say differs by a constant, another one in each boot. */
static void a_pair_shows_whether_the_clock_is_shared(void **state) {
    (void)state;
    const struct clock_pair pair = clock_pair();
    assert_in_range(by_kernel(CLOCK_MONOTONIC) - pair.monotonic_ns, 0, 1000000000);
    assert_in_range(by_kernel(CLOCK_REALTIME) - pair.realtime_ns, 0, 1000000000);
    assert_true(clock_is_shared_with(&pair));
    const struct clock_pair none = {0};
    assert_false(clock_is_shared_with(&none));
    for (int64_t ns = 5000; ns <= INT64_C(5000000000000000); ns *= 10) {
        struct clock_pair other = pair;
        other.realtime_ns += (uint64_t)ns;
        assert_false(clock_is_shared_with(&other));
        other.realtime_ns -= 2 * (uint64_t)ns;
        assert_false(clock_is_shared_with(&other));
        other = pair;
        other.monotonic_ns += (uint64_t)ns;
        assert_false(clock_is_shared_with(&other));
    }
    /* The same constant, but read when this boot had not come as far. */
    const struct clock_pair later = {pair.monotonic_ns + UINT64_C(3600000000000),
                                     pair.realtime_ns + UINT64_C(3600000000000)};
    assert_false(clock_is_shared_with(&later));
}

/* A machine that does not know the time begins each boot in 1970: the constant is 0 in all. */
static void a_time_that_is_not_known_shows_nothing(void **state) {
    (void)state;
    const struct clock_pair early = {UINT64_C(1000000000), UINT64_C(1000000000)};
    const struct clock_pair real = clock_pair();
    atomic_store(&ahead_ns, (int64_t)(real.monotonic_ns - real.realtime_ns));
    const struct clock_pair known = clock_pair();
    assert_true(clock_is_shared_with(&known));
    assert_false(clock_is_shared_with(&early));
    atomic_store(&ahead_ns, 0);
}

/* As the offset of a time namespace would. */
static void a_time_namespace_has_another_clock(void **state) {
    (void)state;
    const struct clock_pair pair = clock_pair();
    atomic_store(&ahead_ns, 7200 * INT64_C(1000000000));
    const struct clock_pair other = clock_pair();
    assert_in_range(pair.monotonic_ns - other.monotonic_ns, UINT64_C(7100000000000),
                    UINT64_C(7200000000000));
    assert_false(clock_is_shared_with(&pair));
    atomic_store(&ahead_ns, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_shows_whether_the_clock_is_shared),
        cmocka_unit_test(a_time_namespace_has_another_clock),
        cmocka_unit_test(a_time_that_is_not_known_shows_nothing),
        cmocka_unit_test(monotonic_is_the_kernels),
        cmocka_unit_test(realtime_is_the_kernels),
        cmocka_unit_test(a_wrapper_of_clock_gettime_bends_nothing),
        cmocka_unit_test(monotonic_never_goes_back_in_any_thread),
        cmocka_unit_test(time_goes_by_in_nanoseconds),
        cmocka_unit_test(an_unknown_clock_stands_at_zero),
        cmocka_unit_test(the_vdso_is_used_where_there_is_one),
        cmocka_unit_test(the_system_call_serves_as_well),
        cmocka_unit_test(symbols_are_counted_from_either_hash_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
