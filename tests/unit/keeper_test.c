/* The keeper itself, a process, asked as guests ask it and by slots that no guest would fill. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/keep/keeper.h"
#include "harness/system/network.h"
#include "shim/shared/keep_ask.h"
#include "shim/shared/recorder.h"

enum { LOW = 40000, HIGH = 40063, OUTSIDE = 50000, PAUSE_NS = 10000000, PAUSES_MOST = 3000 };

static char *memory;
static struct pw_keep_area *area;
static struct keeper keeper;

/* Why there is no namespace; NULL: there is one. */
static const char *problem;

static int begin(void **state) {
    (void)state;
    const size_t size = PW_UNITS_OFFSET;
    if (problem != NULL)
        return 0;
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return 1;
    const struct trace_map map = {
        .base = memory,
        .size = size,
        .facts = {.capacity = size, .config = {.kind = PW_POLICY_KEEP, .for_ms = 60000}}};
    recorder_attach(&map);
    area = (struct pw_keep_area *)(void *)(memory + PW_HEADER_SIZE + PW_KEEP_OFFSET);
    return keeper_start(&keeper) && keeper.pid > 0 ? 0 : 1;
}

static int end(void **state) {
    (void)state;
    if (problem != NULL)
        return 0;
    if (keeper.pid != 0)
        kill(keeper.pid, SIGCONT);
    keeper_stop(&keeper);
    return munmap(memory, PW_UNITS_OFFSET);
}

static void need_namespace(void) {
    if (problem == NULL)
        return;
    printf("%s\n", problem);
    skip();
}

static void pause_shortly(void) { nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL); }

/* Until the word has the value; false where it has not after half a minute. */
static bool comes_to(_Atomic uint32_t *word, uint32_t value) {
    for (unsigned i = 0; i < PAUSES_MOST && atomic_load(word) != value; i++)
        pause_shortly();
    return atomic_load(word) == value;
}

static uint64_t counted(enum pw_keep_count what) { return atomic_load(&area->count[what]); }

static struct keep_question question_of(enum pw_keep_what what, uint16_t port) {
    return (struct keep_question){.what = what,
                                  .port = port,
                                  .family = AF_INET,
                                  .address = {[10] = 0xff, 0xff, 127, 0, 0, 1}};
}

static enum pw_keep_answer ask(enum pw_keep_what what, uint16_t port) {
    const struct keep_question question = question_of(what, port);
    return keep_ask(&question);
}

static struct sockaddr_in address_of(uint16_t port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static bool can_be_bound(uint16_t port) {
    const struct sockaddr_in address = address_of(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool bound = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return bound;
}

static void it_keeps_and_closes_what_it_is_asked_for(void **state) {
    (void)state;
    need_namespace();
    assert_int_equal(ask(PW_KEEP_TAKE, LOW), PW_KEEP_YES);
    assert_true(keep_cookie(false, LOW) != 0);
    assert_false(can_be_bound(LOW));
    assert_int_equal(ask(PW_KEEP_CLOSE, LOW + 1), PW_KEEP_NO);
    assert_int_equal(ask(PW_KEEP_CLOSE, LOW), PW_KEEP_YES);
    assert_int_equal(keep_cookie(false, LOW), 0);
    assert_true(can_be_bound(LOW)); /* closed before the answer came */
    assert_int_equal(ask((enum pw_keep_what)0, LOW), PW_KEEP_NO);
    assert_int_equal(ask((enum pw_keep_what)99, LOW), PW_KEEP_NO);
}

static void it_keeps_nothing_outside_the_range(void **state) {
    (void)state;
    need_namespace();
    static const uint16_t ports[] = {1, 80, LOW - 1, HIGH + 1, OUTSIDE, 65535};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        assert_int_equal(ask(PW_KEEP_TAKE, ports[i]), PW_KEEP_NO);
        assert_true(can_be_bound(ports[i]));
    }
    assert_int_equal(counted(PW_KEEP_KEPT), 0);
}

/* A question as a guest would put it, but for what the test changes of it. */
static struct pw_keep_slot *put_question(unsigned number, uint32_t word) {
    struct pw_keep_slot *slot = &area->slot[number];
    const uint64_t address[2] = {0, 0x0100007fffff0000};
    atomic_store(&slot->what, PW_KEEP_TAKE | AF_INET << 8);
    atomic_store(&slot->port, LOW);
    atomic_store(&slot->address[0], address[0]);
    atomic_store(&slot->address[1], address[1]);
    atomic_store(&slot->check, keep_check(slot, word));
    return slot;
}

static void ring_for(unsigned number, uint32_t word) {
    atomic_store(&area->slot[number].word, PW_KEEP_AT(word, PW_KEEP_ASKED));
    atomic_fetch_or(&area->asked[number / 64], UINT64_C(1) << number % 64);
}

static void a_question_that_was_not_filled_by_one_thread_is_answered_no(void **state) {
    (void)state;
    need_namespace();
    const uint32_t word = 0x500;
    struct pw_keep_slot *slot = put_question(70, word);
    atomic_store(&slot->port, LOW + 1); /* of another's question */
    ring_for(70, word);
    assert_true(comes_to(&slot->word, PW_KEEP_AT(word, PW_KEEP_ANSWERED)));
    assert_int_equal(atomic_load(&slot->answer), PW_KEEP_NO);
    slot = put_question(71, word); /* of the slot's turn before */
    ring_for(71, word + 0x100);
    assert_true(comes_to(&slot->word, PW_KEEP_AT(word + 0x100, PW_KEEP_ANSWERED)));
    assert_int_equal(atomic_load(&slot->answer), PW_KEEP_NO);
    assert_int_equal(counted(PW_KEEP_KEPT), 0);
    slot = put_question(72, word); /* nothing is wrong with it */
    ring_for(72, word);
    assert_true(comes_to(&slot->word, PW_KEEP_AT(word, PW_KEEP_ANSWERED)));
    assert_int_equal(atomic_load(&slot->answer), PW_KEEP_YES);
    assert_int_equal(counted(PW_KEEP_KEPT), 1);
}

/* Every slot, by guests that were killed at each of the stages: all come back. */
static void slots_of_the_dead_come_back(void **state) {
    (void)state;
    need_namespace();
    for (unsigned i = 0; i < PW_KEEP_SLOTS; i++)
        atomic_store(&area->slot[i].word, 0x300 | (1 + i % PW_KEEP_LEFT));
    for (unsigned i = 0; i < PW_KEEP_SLOTS; i++)
        assert_true(comes_to(&area->slot[i].word, 0x400));
    assert_int_equal(ask(PW_KEEP_TAKE, LOW), PW_KEEP_YES);
}

/* Who may make no system call rings no bell. */
static void a_question_without_a_bell_is_answered(void **state) {
    (void)state;
    need_namespace();
    keep_expect_mute();
    for (unsigned i = 0; i < 20; i++) {
        struct pw_keep_slot *slot = put_question(i, 0x100);
        ring_for(i, 0x100);
        assert_true(comes_to(&slot->word, PW_KEEP_AT(0x100, PW_KEEP_ANSWERED)));
    }
    assert_int_equal(atomic_load(&area->bell), 1);
}

static void one_that_was_stopped_is_silent_and_then_works_again(void **state) {
    (void)state;
    need_namespace();
    assert_int_equal(kill(keeper.pid, SIGSTOP), 0);
    assert_int_equal(waitpid(keeper.pid, NULL, __WALL | WUNTRACED), keeper.pid);
    assert_int_equal(ask(PW_KEEP_TAKE, LOW), PW_KEEP_UNHEARD);
    assert_int_equal(atomic_load(&area->state), PW_KEEP_SILENT);
    assert_int_equal(kill(keeper.pid, SIGCONT), 0);
    assert_true(comes_to(&area->state, PW_KEEP_WORKS));
    assert_int_equal(counted(PW_KEEP_KEPT), 0); /* nobody waits for what was asked before */
    assert_int_equal(ask(PW_KEEP_TAKE, LOW), PW_KEEP_YES);
}

static void one_that_was_killed_is_gone_with_all_that_it_kept(void **state) {
    (void)state;
    siginfo_t ended;
    need_namespace();
    assert_int_equal(ask(PW_KEEP_TAKE, LOW), PW_KEEP_YES);
    keeper_look(&keeper);
    assert_int_equal(atomic_load(&area->state), PW_KEEP_WORKS);
    assert_int_equal(kill(keeper.pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)keeper.pid, &ended, WEXITED | WNOWAIT | __WALL), 0);
    keeper_look(&keeper);
    assert_int_equal(atomic_load(&area->state), PW_KEEP_GONE);
    assert_int_equal(counted(PW_KEEP_ENDED), 1);
    assert_int_equal(keep_cookie(false, LOW), 0);
    assert_true(can_be_bound(LOW));
    assert_int_equal(ask(PW_KEEP_TAKE, LOW), PW_KEEP_UNHEARD);
    keeper_look(&keeper);
    assert_int_equal(counted(PW_KEEP_ENDED), 1);
}

static void one_that_is_stopped_in_time_did_not_end_early(void **state) {
    (void)state;
    need_namespace();
    assert_int_equal(ask(PW_KEEP_TAKE, LOW), PW_KEEP_YES);
    keeper_stop(&keeper);
    assert_int_equal(atomic_load(&area->state), PW_KEEP_GONE);
    assert_int_equal(counted(PW_KEEP_ENDED), 0);
    assert_true(can_be_bound(LOW));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(it_keeps_and_closes_what_it_is_asked_for),
        TEST(it_keeps_nothing_outside_the_range),
        TEST(a_question_that_was_not_filled_by_one_thread_is_answered_no),
        TEST(slots_of_the_dead_come_back),
        TEST(a_question_without_a_bell_is_answered),
        TEST(one_that_was_stopped_is_silent_and_then_works_again),
        TEST(one_that_was_killed_is_gone_with_all_that_it_kept),
        TEST(one_that_is_stopped_in_time_did_not_end_early),
    };
    problem = network_make_private(LOW, HIGH);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
