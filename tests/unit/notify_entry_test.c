/* A listener that a program sends, where none may be taken from it: who has it, what becomes of it
 * where the receiver dies, what others send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/capture/notify_answer.h"
#include "harness/capture/notify_entry.h"
#include "harness/capture/notify_mailbox.h"
#include "shim/shared/notify_door.h"
#include "shim/shared/notify_join.h"

enum { ROUNDS = 4000, PAUSE_US = 1000 };

struct fixture {
    struct pw_header *header;
    struct pw_notify_area *area;
    int entry;
    int kept;
    uint32_t kept_of;
};

static struct notify_journal journal;

static bool keep(void *with, int listener, const struct pw_notify_slot *slot) {
    struct fixture *fixture = with;
    fixture->kept = listener;
    fixture->kept_of = atomic_load(&slot->pid);
    return true;
}

static int begin(void **state) {
    static struct fixture fixture;
    fixture = (struct fixture){.kept = -1};
    memset(&journal, 0, sizeof journal);
    fixture.header =
        mmap(NULL, PW_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (fixture.header == MAP_FAILED)
        return -1;
    fixture.header->supervisor_pid = (uint32_t)getpid();
    fixture.area = (void *)((char *)fixture.header + PW_NOTIFY_OFFSET);
    notify_mailbox_open(fixture.area);
    fixture.entry = notify_entry_open(fixture.area);
    *state = &fixture;
    return fixture.entry < 0;
}

static int end(void **state) {
    struct fixture *fixture = *state;
    close(fixture->entry);
    if (fixture->kept >= 0)
        close(fixture->kept);
    return munmap(fixture->header, PW_HEADER_SIZE);
}

/* A program that comes under the filter; its status is 0 where somebody took its listener. */
static pid_t program(struct fixture *fixture) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(notify_join(fixture->area) ? 0 : 1);
    return pid;
}

static void wait_until(struct fixture *fixture, uint32_t state) {
    for (int i = 0; i < ROUNDS && atomic_load(&fixture->area->slot[0].state) != state; i++)
        usleep(PAUSE_US);
    assert_int_equal(atomic_load(&fixture->area->slot[0].state), state);
}

static void serve(struct fixture *fixture) {
    notify_mailbox_serve(fixture->area, &journal, fixture->entry, false, keep, fixture);
}

static void ends_with(pid_t pid, int expected) {
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), expected);
}

static void it_comes_from_the_program_that_is_in_the_mailbox(void **state) {
    struct fixture *fixture = *state;
    pid_t pid = program(fixture);
    wait_until(fixture, PW_NOTIFY_ASKED);
    serve(fixture);
    wait_until(fixture, PW_NOTIFY_POSTED);
    assert_int_equal(notify_entry_take(fixture->entry, (uint32_t)pid + 1), -1);
    serve(fixture);
    ends_with(pid, 0);
    assert_int_equal(fixture->kept_of, pid);
    assert_true(notify_is_listener(fixture->kept));
    assert_int_equal(atomic_load(&fixture->area->sent), 1);
}

static void it_is_sent_again_where_the_receiver_was_killed(void **state) {
    struct fixture *fixture = *state;
    pid_t pid = program(fixture);
    wait_until(fixture, PW_NOTIFY_ASKED);
    serve(fixture);
    wait_until(fixture, PW_NOTIFY_POSTED);
    close(notify_entry_take(fixture->entry, (uint32_t)pid)); /* he dies with it */
    assert_int_equal(notify_mailbox_take_left(fixture->area, &journal, fixture->entry), -1);
    for (int i = 0; i < ROUNDS && fixture->kept < 0; i++) {
        usleep(PAUSE_US);
        fixture->kept = notify_mailbox_take_left(fixture->area, &journal, fixture->entry);
    }
    assert_true(notify_is_listener(fixture->kept));
    ends_with(pid, 0);
}

static void what_is_no_listener_is_closed(void **state) {
    struct fixture *fixture = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    long door = notify_door_connect(fixture->area->door);
    assert_true(door >= 0);
    assert_int_equal(notify_door_send(door, ends[1]), 0);
    close(ends[1]);
    assert_int_equal(notify_entry_take(fixture->entry, (uint32_t)getpid()), -1);
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 0); /* nobody has the other end any more */
    close(ends[0]);
    close((int)door);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_comes_from_the_program_that_is_in_the_mailbox, begin,
                                        end),
        cmocka_unit_test_setup_teardown(it_is_sent_again_where_the_receiver_was_killed, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_listener_is_closed, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
