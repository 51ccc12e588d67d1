/* Spaces and places in an area that somebody else writes into all the while: whatever stands there,
 * no answer lies outside the range, nothing beside the area is touched, and every call comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shim/shared/policy_places.h"
#include "shim/shared/policy_space.h"
#include "shim/shared/policy_waiters.h"
#include "shim/shared/recorder.h"
#include "tests/unit/policy_area.h"

enum { LOW = 40000, HIGH = 40099, NETNS = 5, TURNS = 20000, BETWEEN = 4 };

static uint64_t state = 1;

static uint64_t next_random(void) {
    state = place_mix(state);
    return state;
}

static uint64_t a_word(void) {
    static const uint64_t borders[] = {0,           1,          0xff,       0xffff,    1u << 31,
                                       0xffffffffu, 1ULL << 32, 1ULL << 63, UINT64_MAX};
    return next_random() % 2 == 0 ? borders[next_random() % (sizeof borders / sizeof *borders)]
                                  : next_random();
}

static void begin(enum pw_policy_kind kind) {
    area_begin(&(struct pw_policy_config){.kind = kind, .for_ms = 1, .low = LOW, .high = HIGH});
}

/* Into the head of the area and what the first spaces have of it. */
static void scribble(void) {
    uint64_t word = a_word();
    size_t room = next_random() % 2 == 0 ? sizeof(struct pw_policy_area) : 8192;
    char *at = memory + PW_HEADER_SIZE + next_random() % room / 8 * 8;
    for (unsigned i = 0; i < 8; i += 4) {
        uint32_t half = (uint32_t)(word >> 8 * i);
        __atomic_store_n((uint32_t *)(void *)(at + i), half, __ATOMIC_RELAXED);
    }
}

static void is_in_range(uint16_t port) {
    if (port != 0)
        assert_in_range(port, LOW, HIGH);
}

static void use(struct policy_space *space) {
    struct policy_wait wait;
    unsigned tried = 0, waiter = 0;
    uint16_t port = (uint16_t)(LOW - 3 + next_random() % (HIGH - LOW + 7));
    uint64_t cookie = next_random() % 4;
    is_in_range(policy_take_newest(space, port));
    is_in_range(policy_take_rested(space, 0));
    is_in_range(policy_take_oldest(space, port));
    policy_port_bound(space, port, cookie, cookie == 1);
    policy_port_read(space, port);
    policy_port_closing(space, port, cookie);
    (void)policy_port_released(space, port, cookie);
    uint32_t since = policy_releases(space) - (uint32_t)next_random() % 70;
    policy_port_noticed(space, port, cookie, &since);
    policy_take_this(space, port);
    policy_port_asked_for(space, port);
    (void)policy_port_disputed(space, port, cookie);
    (void)policy_port_held_ms(space, port);
    (void)policy_kept_for_nobody(space, 1);
    policy_note_asker(space, (uint32_t)cookie, port);
    (void)policy_others_ask(space, 0, port);
    if (policy_wait_begin(space, port, (uint32_t)cookie, next_random(), &wait))
        (void)policy_wait_is_over(&wait);
    for (unsigned i = 0; i < PW_POLICY_WAITERS + 1; i++) {
        uint16_t wanted = policy_wanted(space, next_random(), port, &tried, &waiter);
        is_in_range(wanted);
        if (wanted != 0)
            policy_wanted_taken(space, waiter, wanted);
    }
    (void)policy_is_awaited(space, port);
    policy_wait_end(&wait);
}

static void use_all(enum pw_policy_kind kind) {
    begin(kind);
    for (int i = 0; i < TURNS; i++) {
        struct policy_space *space = policy_space(NETNS + next_random() % 3, i % 2 == 0);
        for (int j = 0; j < BETWEEN; j++) {
            scribble();
            if (space != NULL)
                use(space);
        }
        if (i % 64 == 0)
            policy_spaces_forget(); /* as a program that has just been started */
    }
}

static void soonest_survives(void **unused) {
    (void)unused;
    use_all(PW_POLICY_SOONEST);
}

static void quarantine_survives(void **unused) {
    (void)unused;
    use_all(PW_POLICY_QUARANTINE);
}

static void places_survive(void **unused) {
    (void)unused;
    begin(PW_POLICY_SEEDED);
    for (int i = 0; i < TURNS; i++) {
        char *at = memory + PW_HEADER_SIZE + PW_PLACES_OFFSET;
        memcpy(at + next_random() % (PW_POLICY_SIZE - PW_PLACES_OFFSET) / 8 * 8,
               &(uint64_t){a_word()}, 8);
        struct pw_place *row = place_enter(next_random(), next_random() % 64);
        assert_in_range((uintptr_t)row, (uintptr_t)at,
                        (uintptr_t)(memory + PW_UNITS_OFFSET) - sizeof *row);
        (void)place_find(next_random() % 64);
    }
}

/* What each says is impossible, so that there is no such space. */
static void a_space_that_cannot_be_is_none(void **unused) {
    (void)unused;
    static const struct {
        size_t at;
        uint32_t word;
    } words[] = {{offsetof(struct pw_policy_space, stamps), 0x7f000000},
                 {offsetof(struct pw_policy_space, stamps), 64},
                 {offsetof(struct pw_policy_space, holders), PW_POLICY_SIZE - 64},
                 {offsetof(struct pw_policy_space, ring), 0xffffffc0},
                 {offsetof(struct pw_policy_space, ring_mask), 0xffffffff},
                 {offsetof(struct pw_policy_space, ring_mask), 0},
                 {offsetof(struct pw_policy_space, low), 50000 | 40000u << 16}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        begin(PW_POLICY_SOONEST);
        assert_non_null(policy_space(NETNS, false));
        struct pw_policy_area *area = policy_area();
        memcpy((char *)&area->space[0] + words[i].at, &words[i].word, sizeof words[i].word);
        assert_non_null(policy_space_known(NETNS, false)); /* known already: nothing changes */
        policy_spaces_forget();
        assert_null(policy_space_known(NETNS, false));
    }
}

/* A walk along entries that are said to be void must not go round and round. */
static void a_range_of_void_entries_that_leads_forward_ends(void **unused) {
    (void)unused;
    begin(PW_POLICY_SOONEST);
    struct policy_space *space = policy_space(NETNS, false);
    const uint32_t head = 1000;
    atomic_store(&space->words->head, head);
    atomic_store(&space->words->dead, (uint64_t)(head - 10) << 32 | (head - 2));
    atomic_store(&space->words->surely_dead, (uint64_t)(head - 10) << 32 | (head - 2));
    assert_int_equal(policy_take_newest(space, 0), 0);
}

/* Every entry says that the ring has gone round: room is found all the same, and soon. */
static void a_ring_of_entries_from_the_future_is_no_endless_way(void **unused) {
    (void)unused;
    begin(PW_POLICY_SOONEST);
    struct policy_space *space = policy_space(NETNS, false);
    for (uint32_t i = 0; i <= space->ring_mask; i++)
        atomic_store(&space->ring[i], UINT32_C(0x7fff0000));
    policy_port_bound(space, LOW, 1, true);
    (void)policy_port_released(space, LOW, 1);
    assert_in_range(atomic_load(&space->words->head), 1, 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(soonest_survives),
        cmocka_unit_test(quarantine_survives),
        cmocka_unit_test(places_survive),
        cmocka_unit_test(a_space_that_cannot_be_is_none),
        cmocka_unit_test(a_range_of_void_entries_that_leads_forward_ends),
        cmocka_unit_test(a_ring_of_entries_from_the_future_is_no_endless_way),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(memory);
    return failed;
}
