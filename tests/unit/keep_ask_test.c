/* Questions to the keeper, which a thread of the test plays: as it should, and not. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "shim/shared/keep_ask.h"
#include "shim/shared/recorder.h"
#include "tests/unit/policy_area.h"

enum { LOW = 40000, HIGH = 40099, ASKERS = 8, TURNS = 2000, SCRIBBLED = 40 };

/* What the thread does with the questions. */
enum play {
    PLAY_WELL,  /* answers yes for even devices, no for odd ones */
    PLAY_BADLY, /* answers with a number that is no answer */
    PLAY_LATE,  /* takes the first, and answers when its asker has gone */
    PLAY_SWEEP, /* frees the slot while its asker waits, and gives it another turn */
    PLAY_DEAD   /* does nothing */
};

static struct pw_keep_area *area;
static _Atomic bool is_over;
static _Atomic enum play played;
static pthread_t player;

/* Of PLAY_LATE: whether an answer that came late was taken. */
static _Atomic bool late_was_taken;

static const struct keep_question question = {.what = PW_KEEP_CLOSE,
                                              .port = LOW,
                                              .family = 2,
                                              .address = {[10] = 0xff, 0xff, 127, 0, 0, 1},
                                              .scope = 3,
                                              .device = 4};

static struct keep_question question_of(enum pw_keep_what what, uint16_t port) {
    struct keep_question other = question;
    other.what = what;
    other.port = port;
    other.device = port;
    return other;
}

static void begin_area(enum pw_policy_kind kind, enum pw_keep_state state) {
    area_begin(&(struct pw_policy_config){.kind = kind, .for_ms = 1000, .low = LOW, .high = HIGH});
    area = (struct pw_keep_area *)(void *)(memory + PW_HEADER_SIZE + PW_KEEP_OFFSET);
    atomic_store(&area->state, state);
}

static void pause_for(long ns) { nanosleep(&(struct timespec){.tv_nsec = ns}, NULL); }

static uint64_t counted(enum pw_keep_count what) { return atomic_load(&area->count[what]); }

static unsigned slots_in(enum pw_keep_stage stage) {
    unsigned found = 0;
    for (unsigned i = 0; i < PW_KEEP_SLOTS; i++)
        found += PW_KEEP_STAGE(atomic_load(&area->slot[i].word)) == (uint32_t)stage;
    return found;
}

static void answer(struct pw_keep_slot *slot, uint32_t word, uint32_t with) {
    uint32_t working = PW_KEEP_AT(word, PW_KEEP_WORKING);
    if (!atomic_compare_exchange_strong(&slot->word, &word, working))
        return;
    bool is_whole = atomic_load(&slot->check) == keep_check(slot, word);
    atomic_store(&slot->answer, is_whole ? with : PW_KEEP_NO);
    if (!atomic_compare_exchange_strong(&slot->word, &working, PW_KEEP_AT(word, PW_KEEP_ANSWERED)))
        atomic_store(&slot->word, PW_KEEP_AT(word, PW_KEEP_FREE));
}

/* The asker marks the slot as left; only then the answer is written. */
static void answer_late(struct pw_keep_slot *slot, uint32_t word) {
    uint32_t working = PW_KEEP_AT(word, PW_KEEP_WORKING);
    if (!atomic_compare_exchange_strong(&slot->word, &word, working))
        return;
    while (atomic_load(&slot->word) == working && !atomic_load(&is_over))
        pause_for(1000000);
    atomic_store(&slot->answer, PW_KEEP_YES);
    atomic_store(&late_was_taken, atomic_compare_exchange_strong(
                                      &slot->word, &working, PW_KEEP_AT(word, PW_KEEP_ANSWERED)));
    atomic_store(&slot->word, PW_KEEP_AT(word, PW_KEEP_FREE));
    played = PLAY_WELL;
}

/* The slot is another asker's, who is answered at once. */
static void sweep(struct pw_keep_slot *slot, uint32_t word) {
    atomic_store(&slot->answer, PW_KEEP_YES);
    atomic_store(&slot->word, PW_KEEP_AT(word + 0x100, PW_KEEP_ANSWERED));
}

static void serve(struct pw_keep_slot *slot) {
    uint32_t word = atomic_load(&slot->word);
    if (PW_KEEP_STAGE(word) != PW_KEEP_ASKED)
        return;
    if (played == PLAY_LATE)
        answer_late(slot, word);
    else if (played == PLAY_SWEEP)
        sweep(slot, word);
    else
        answer(slot, word,
               played == PLAY_BADLY                  ? 3
               : atomic_load(&slot->device) % 2 == 0 ? PW_KEEP_YES
                                                     : PW_KEEP_NO);
}

static void *play(void *unused) {
    (void)unused;
    while (!atomic_load(&is_over)) {
        for (unsigned i = 0; played != PLAY_DEAD && i < PW_KEEP_SLOTS; i++)
            if ((atomic_load(&area->asked[i / 64]) >> i % 64 & 1) != 0)
                serve(&area->slot[i]);
        pause_for(20000);
    }
    return NULL;
}

static void begin(enum play how) {
    begin_area(PW_POLICY_KEEP, PW_KEEP_WORKS);
    played = how;
    atomic_store(&is_over, false);
    atomic_store(&late_was_taken, false);
    assert_int_equal(pthread_create(&player, NULL, play, NULL), 0);
}

static void end(void) {
    atomic_store(&is_over, true);
    pthread_join(player, NULL);
}

static void there_is_an_area_under_keep_alone(void **state) {
    (void)state;
    begin_area(PW_POLICY_QUARANTINE, PW_KEEP_WORKS);
    assert_null(keep_area());
    assert_int_equal(keep_ask(&question), PW_KEEP_UNHEARD);
    assert_int_equal(keep_cookie(false, LOW), 0);
    begin_area(PW_POLICY_KEEP, PW_KEEP_WORKS);
    assert_ptr_equal(keep_area(), area);
}

static void an_answer_is_the_one_to_the_question(void **state) {
    (void)state;
    begin(PLAY_WELL);
    for (uint16_t port = LOW; port < LOW + 20; port++) {
        struct keep_question asked = question_of(PW_KEEP_TAKE, port);
        assert_int_equal(keep_ask(&asked), port % 2 == 0 ? PW_KEEP_YES : PW_KEEP_NO);
    }
    end();
    assert_int_equal(slots_in(PW_KEEP_FREE), PW_KEEP_SLOTS);
    assert_int_equal(atomic_load(&area->bell), 20);
    assert_int_equal(counted(PW_KEEP_UNANSWERED), 0);
    assert_int_equal(atomic_load(&area->state), PW_KEEP_WORKS);
}

/* Else the answer to one question could be taken for that to the next. */
static void each_use_of_a_slot_has_a_number_of_its_own(void **state) {
    (void)state;
    uint32_t words[3];
    begin(PLAY_WELL);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(keep_ask(&question), PW_KEEP_YES);
        words[i] = atomic_load(&area->slot[LOW % PW_KEEP_SLOTS].word);
    }
    end();
    assert_int_equal(words[1], words[0] + 0x100);
    assert_int_equal(words[2], words[1] + 0x100);
}

static void a_number_that_is_no_answer_is_no(void **state) {
    (void)state;
    begin(PLAY_BADLY);
    assert_int_equal(keep_ask(&question), PW_KEEP_NO);
    end();
    assert_int_equal(slots_in(PW_KEEP_FREE), PW_KEEP_SLOTS);
}

/* All that the keeper has to know stands in the slot, and the check is over all of it. */
static void a_slot_holds_the_question_and_a_check_over_it(void **state) {
    (void)state;
    begin_area(PW_POLICY_KEEP, PW_KEEP_WORKS);
    const struct keep_question asked = {.what = PW_KEEP_SHARE,
                                        .port = LOW + 1,
                                        .family = 10,
                                        .address = {0xfe, 0x80, [15] = 9},
                                        .scope = 5,
                                        .device = 6,
                                        .is_udp = true,
                                        .only_v6 = true};
    assert_int_equal(keep_ask(&asked), PW_KEEP_UNHEARD);
    struct pw_keep_slot *slot = &area->slot[(LOW + 1) % PW_KEEP_SLOTS];
    uint32_t word = atomic_load(&slot->word);
    uint64_t check = atomic_load(&slot->check);
    assert_int_equal(atomic_load(&slot->what), PW_KEEP_SHARE | 10u << 8 | 1u << 16 | 1u << 17);
    assert_int_equal(atomic_load(&slot->port), LOW + 1);
    assert_int_equal(atomic_load(&slot->scope), 5);
    assert_int_equal(atomic_load(&slot->device), 6);
    assert_memory_equal((void *)slot->address, asked.address, 16);
    assert_true(check == keep_check(slot, word));
    assert_true(check != keep_check(slot, word + 0x100)); /* the next use of the slot */
    _Atomic uint32_t *const halves[] = {&slot->what, &slot->port, &slot->scope, &slot->device};
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        atomic_fetch_xor(halves[i], 1);
        assert_true(check != keep_check(slot, word));
        atomic_fetch_xor(halves[i], 1);
    }
    for (size_t i = 0; i < 2; i++) {
        atomic_fetch_xor(&slot->address[i], 1);
        assert_true(check != keep_check(slot, word));
        atomic_fetch_xor(&slot->address[i], 1);
    }
}

static void nobody_is_asked_where_there_is_no_keeper(void **state) {
    (void)state;
    static const enum pw_keep_state none[] = {PW_KEEP_NONE, PW_KEEP_GONE};
    for (size_t i = 0; i < 2; i++) {
        begin_area(PW_POLICY_KEEP, none[i]);
        atomic_store(&area->kept[0][LOW], 77);
        assert_int_equal(keep_ask(&question), PW_KEEP_UNHEARD);
        assert_int_equal(keep_cookie(false, LOW), 0);
        assert_int_equal(atomic_load(&area->bell), 0);
        assert_int_equal(counted(PW_KEEP_UNANSWERED), 0);
        assert_int_equal(atomic_load(&area->state), none[i]);
    }
    begin_area(PW_POLICY_KEEP, PW_KEEP_WORKS);
    atomic_store(&area->kept[0][LOW], 77);
    assert_int_equal(keep_cookie(false, LOW), 77);
    assert_int_equal(keep_cookie(true, LOW), 0);
}

/* The first waits for nothing; those behind it know, and only what must be said is said. */
static void a_keeper_that_does_not_answer_is_silent(void **state) {
    (void)state;
    begin_area(PW_POLICY_KEEP, PW_KEEP_WORKS);
    assert_int_equal(keep_ask(&question), PW_KEEP_UNHEARD);
    assert_int_equal(atomic_load(&area->state), PW_KEEP_SILENT);
    assert_int_equal(counted(PW_KEEP_UNANSWERED), 1);
    assert_int_equal(slots_in(PW_KEEP_FREE), PW_KEEP_SLOTS);
    uint32_t bell = atomic_load(&area->bell);
    const struct keep_question take = question_of(PW_KEEP_TAKE, LOW);
    assert_int_equal(keep_ask(&take), PW_KEEP_UNHEARD);
    assert_int_equal(atomic_load(&area->bell), bell);
    assert_int_equal(counted(PW_KEEP_UNANSWERED), 1);
    assert_int_equal(keep_ask(&question), PW_KEEP_UNHEARD);
    assert_int_equal(atomic_load(&area->bell), bell + 1);
    assert_int_equal(counted(PW_KEEP_UNANSWERED), 2);
}

static void a_keeper_that_was_silent_and_works_again_is_asked(void **state) {
    (void)state;
    begin(PLAY_WELL);
    atomic_store(&area->state, PW_KEEP_SILENT);
    assert_int_equal(keep_ask(&question), PW_KEEP_YES);
    atomic_store(&area->state, PW_KEEP_WORKS);
    const struct keep_question take = question_of(PW_KEEP_TAKE, LOW);
    assert_int_equal(keep_ask(&take), PW_KEEP_YES);
    end();
}

static void fill_slots(void) {
    for (unsigned i = 0; i < PW_KEEP_SLOTS; i++)
        atomic_store(&area->slot[i].word, PW_KEEP_FILLING);
}

static void where_all_slots_are_in_use_the_answer_is_no(void **state) {
    (void)state;
    begin(PLAY_WELL);
    fill_slots();
    assert_int_equal(keep_ask(&question), PW_KEEP_UNHEARD);
    end();
    assert_int_equal(atomic_load(&area->state), PW_KEEP_SILENT);
    assert_int_equal(counted(PW_KEEP_UNANSWERED), 1);
    assert_int_equal(slots_in(PW_KEEP_FILLING), PW_KEEP_SLOTS);
}

static void *free_one_soon(void *unused) {
    (void)unused;
    pause_for(20000000);
    atomic_store(&area->slot[7].word, PW_KEEP_FREE);
    return NULL;
}

static void a_slot_that_becomes_free_is_waited_for(void **state) {
    (void)state;
    pthread_t thread;
    begin(PLAY_WELL);
    fill_slots();
    assert_int_equal(pthread_create(&thread, NULL, free_one_soon, NULL), 0);
    assert_int_equal(keep_ask(&question), PW_KEEP_YES);
    pthread_join(thread, NULL);
    end();
    assert_int_equal(slots_in(PW_KEEP_FREE), 1);
}

static void an_answer_that_comes_too_late_is_nobodys(void **state) {
    (void)state;
    begin(PLAY_LATE);
    assert_int_equal(keep_ask(&question), PW_KEEP_UNHEARD);
    while (slots_in(PW_KEEP_FREE) < PW_KEEP_SLOTS)
        pause_for(1000000);
    /* The same slot, in which the answer to the first still stands: a yes. */
    struct keep_question odd = question;
    odd.device = 5;
    assert_int_equal(keep_ask(&odd), PW_KEEP_NO);
    end();
    assert_false(atomic_load(&late_was_taken));
    assert_int_equal(slots_in(PW_KEEP_FREE), PW_KEEP_SLOTS);
}

static void the_answer_to_the_next_question_in_a_slot_is_not_taken(void **state) {
    (void)state;
    begin(PLAY_SWEEP);
    assert_int_equal(keep_ask(&question), PW_KEEP_UNHEARD);
    end();
    assert_int_equal(slots_in(PW_KEEP_ANSWERED), 1); /* is left for whose it is */
}

struct asker {
    pthread_t thread;
    uint16_t port;
    unsigned wrong;
};

static void *ask_often(void *given) {
    struct asker *asker = given;
    const struct keep_question asked = question_of(PW_KEEP_CLOSE, asker->port);
    for (unsigned i = 0; i < TURNS / ASKERS; i++)
        asker->wrong += keep_ask(&asked) != (asker->port % 2 == 0 ? PW_KEEP_YES : PW_KEEP_NO);
    return NULL;
}

/* All begin their search at the same few slots. */
static void many_ask_at_once_and_each_gets_its_own_answer(void **state) {
    (void)state;
    struct asker askers[ASKERS];
    begin(PLAY_WELL);
    for (unsigned i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.port = (uint16_t)(LOW + i)};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_often, &askers[i]), 0);
    }
    for (unsigned i = 0; i < ASKERS; i++) {
        pthread_join(askers[i].thread, NULL);
        assert_int_equal(askers[i].wrong, 0);
    }
    end();
    assert_int_equal(counted(PW_KEEP_UNANSWERED), 0);
    assert_int_equal(slots_in(PW_KEEP_FREE), PW_KEEP_SLOTS);
}

static uint64_t next_random(void) {
    static _Thread_local uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return state >> 16;
}

static void *scribble(void *unused) {
    (void)unused;
    while (!atomic_load(&is_over)) {
        for (unsigned i = 0; i < 2000; i++) {
            size_t words = sizeof *area / sizeof(uint32_t);
            size_t at = next_random() % 2 == 0 ? next_random() % words
                                               : next_random() % (words - PW_KEEP_PORTS * 2);
            uint32_t word =
                next_random() % 2 == 0 ? (uint32_t)(next_random() % 6) : (uint32_t)next_random();
            atomic_store_explicit((_Atomic uint32_t *)(void *)area + at, word,
                                  memory_order_relaxed);
        }
        pause_for(100000);
    }
    return NULL;
}

/* Whatever stands there: each comes back, with one of the two answers. */
static void rubbish_in_the_area_ends_and_holds_up_nobody(void **state) {
    (void)state;
    pthread_t thread;
    begin(PLAY_WELL);
    assert_int_equal(pthread_create(&thread, NULL, scribble, NULL), 0);
    for (unsigned i = 0; i < SCRIBBLED; i++) {
        atomic_store(&area->state, PW_KEEP_WORKS);
        const struct keep_question asked =
            question_of((enum pw_keep_what)(1 + i % 5), (uint16_t)(next_random() % 65536));
        assert_in_range(keep_ask(&asked), PW_KEEP_NO, PW_KEEP_UNHEARD);
        (void)keep_cookie(i % 2 == 0, asked.port);
        keep_expect_mute();
    }
    end();
    pthread_join(thread, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_an_area_under_keep_alone),
        cmocka_unit_test(an_answer_is_the_one_to_the_question),
        cmocka_unit_test(each_use_of_a_slot_has_a_number_of_its_own),
        cmocka_unit_test(a_number_that_is_no_answer_is_no),
        cmocka_unit_test(a_slot_holds_the_question_and_a_check_over_it),
        cmocka_unit_test(nobody_is_asked_where_there_is_no_keeper),
        cmocka_unit_test(a_keeper_that_does_not_answer_is_silent),
        cmocka_unit_test(a_keeper_that_was_silent_and_works_again_is_asked),
        cmocka_unit_test(where_all_slots_are_in_use_the_answer_is_no),
        cmocka_unit_test(a_slot_that_becomes_free_is_waited_for),
        cmocka_unit_test(an_answer_that_comes_too_late_is_nobodys),
        cmocka_unit_test(the_answer_to_the_next_question_in_a_slot_is_not_taken),
        cmocka_unit_test(many_ask_at_once_and_each_gets_its_own_answer),
        cmocka_unit_test(rubbish_in_the_area_ends_and_holds_up_nobody),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(memory);
    return failed;
}
