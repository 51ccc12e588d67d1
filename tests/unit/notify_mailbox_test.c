/* What stands in the mailbox of listeners may be anybody's: whom `run` believes, and whose slot it
 * takes back. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/capture/notify_mailbox.h"
#include "shim/shared/notify_filter.h"

static struct pw_notify_area area;
static struct notify_journal journal;
static unsigned kept;

static bool keep(void *with, int listener, const struct pw_notify_slot *slot) {
    (void)with;
    (void)slot;
    kept++;
    close(listener);
    return true;
}

struct program {
    pid_t pid;
    int tell;
    int hear;
};

/* Installs a filter when it is told to, says its listener, and stays. */
static _Noreturn void be_program(int hear, int tell) {
    const struct notify_pass pass = {{1, 1}, 0};
    char byte;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (read(hear, &byte, 1) != 1)
        _exit(1);
    int listener = (int)notify_filter_install(&pass);
    if (write(tell, &listener, sizeof listener) != sizeof listener)
        _exit(1);
    while (read(hear, &byte, 1) == 1) {
    }
    _exit(0);
}

static struct program start(void) {
    int down[2];
    int up[2];
    assert_int_equal(pipe(down), 0);
    assert_int_equal(pipe(up), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(down[1]);
        close(up[0]);
        be_program(down[0], up[1]);
    }
    close(down[0]);
    close(up[1]);
    return (struct program){pid, down[1], up[0]};
}

static int install(const struct program *program) {
    int listener = -1;
    assert_int_equal(write(program->tell, "i", 1), 1);
    assert_int_equal(read(program->hear, &listener, sizeof listener), sizeof listener);
    return listener;
}

static void end(const struct program *program) {
    close(program->tell);
    close(program->hear);
    waitpid(program->pid, NULL, 0);
}

static uint64_t own_namespace(void) {
    struct stat status;
    assert_int_equal(stat("/proc/self/ns/pid", &status), 0);
    return status.st_ino;
}

static uint32_t answer_to(uint32_t state, pid_t pid, int listener) {
    struct pw_notify_slot *slot = &area.slot[3];
    slot->pid = slot->thread = (uint32_t)pid;
    slot->pid_namespace = own_namespace();
    slot->listener = listener;
    slot->state = state;
    notify_mailbox_serve(&area, &journal, -1, false, keep, NULL);
    return slot->state;
}

static int clear(void **state) {
    (void)state;
    memset(&area, 0, sizeof area);
    memset(&journal, 0, sizeof journal);
    kept = 0;
    return 0;
}

static void a_program_that_asks_hands_its_listener_over_once(void **state) {
    (void)state;
    struct program program = start();
    assert_int_equal(answer_to(PW_NOTIFY_ASKED, program.pid, -1), PW_NOTIFY_GO);
    int listener = install(&program);
    if (listener < 0) {
        end(&program);
        skip(); /* no notifications here */
    }
    assert_int_equal(answer_to(PW_NOTIFY_POSTED, program.pid, listener), PW_NOTIFY_TAKEN);
    assert_int_equal(kept, 1);
    assert_int_equal(answer_to(PW_NOTIFY_POSTED, program.pid, listener), PW_NOTIFY_LOST);
    assert_int_equal(kept, 1);
    assert_int_equal(area.count[PW_NOTIFY_FOREIGN], 1);
    end(&program);
}

static void the_listener_of_one_that_somebody_else_names_is_left_alone(void **state) {
    (void)state;
    struct program program = start();
    int listener = install(&program);
    if (listener < 0) {
        end(&program);
        skip();
    }
    assert_int_equal(answer_to(PW_NOTIFY_POSTED, program.pid, listener), PW_NOTIFY_LOST);
    /* Asking for it changes nothing, for it had the filter before. */
    assert_int_equal(answer_to(PW_NOTIFY_ASKED, program.pid, -1), PW_NOTIFY_GO);
    assert_int_equal(answer_to(PW_NOTIFY_POSTED, program.pid, listener), PW_NOTIFY_LOST);
    assert_int_equal(kept, 0);
    assert_int_equal(area.count[PW_NOTIFY_FOREIGN], 2);
    end(&program);
}

static pid_t ended(void) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    return pid;
}

static void the_slot_of_a_process_that_was_killed_is_free_again(void **state) {
    (void)state;
    assert_int_equal(answer_to(PW_NOTIFY_CLAIMED, ended(), -1), PW_NOTIFY_FREE);
    assert_int_equal(answer_to(PW_NOTIFY_CLAIMED, getpid(), -1), PW_NOTIFY_CLAIMED);
}

static void a_number_of_another_pid_namespace_says_nothing(void **state) {
    (void)state;
    struct pw_notify_slot *slot = &area.slot[0];
    slot->pid = (uint32_t)ended();
    slot->pid_namespace = own_namespace() + 1;
    slot->state = PW_NOTIFY_CLAIMED;
    notify_mailbox_serve(&area, &journal, -1, false, keep, NULL);
    assert_int_equal(slot->state, PW_NOTIFY_CLAIMED);
    /* Long after anybody would have gone on. */
    journal.asked[0].since_ns = 1;
    notify_mailbox_serve(&area, &journal, -1, false, keep, NULL);
    assert_int_equal(slot->state, PW_NOTIFY_FREE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_program_that_asks_hands_its_listener_over_once, clear),
        cmocka_unit_test_setup(the_listener_of_one_that_somebody_else_names_is_left_alone, clear),
        cmocka_unit_test_setup(the_slot_of_a_process_that_was_killed_is_free_again, clear),
        cmocka_unit_test_setup(a_number_of_another_pid_namespace_says_nothing, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
