/* What the eBPF programs say of processes is what /proc says of them while they are there. Skips
 * where the programs cannot be loaded, and says why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/capture/ebpf.h"
#include "harness/system/process_facts.h"

static struct capture_ebpf capture;
static pid_t child;
static struct outside_process executed, met; /* what was reported of the child */

static void note(void *with, const struct outside_event *event) {
    (void)with;
    if (event->process == NULL || event->pid != (uint32_t)child)
        return;
    if (event->kind == OUTSIDE_EXEC)
        executed = *event->process;
    else
        met = *event->process;
}

/* Starts the child, and waits until it has ended; /proc has it until it is reaped. */
static void start(void (*code)(void)) {
    memset(&executed, 0, sizeof executed);
    memset(&met, 0, sizeof met);
    child = fork();
    if (child == 0) {
        if (capture_group_enter(&capture.group))
            code();
        _exit(1);
    }
    siginfo_t ended;
    assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
}

static void reap(void) {
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void is_as_proc_says(const struct outside_process *process) {
    struct process_facts facts;
    assert_true(process_facts_read(child, &facts));
    assert_int_equal(process->pid, child);
    assert_int_equal(process->parent, getpid());
    assert_int_equal(process->start_time, facts.start_time);
    assert_string_equal(process->comm, facts.comm);
}

static void bind_one(void) {
    const struct sockaddr_in address = {.sin_family = AF_INET};
    int file = socket(AF_INET, SOCK_DGRAM, 0);
    _exit(bind(file, (const struct sockaddr *)&address, sizeof address));
}

static void the_first_call_of_a_process_says_whose_child_it_is(void **state) {
    (void)state;
    if (!capture.addresses)
        skip();
    start(bind_one);
    capture_ebpf_take(&capture, SIZE_MAX, note, NULL);
    assert_int_equal(met.kind, OUTSIDE_PROCESS);
    is_as_proc_says(&met);
    reap();
}

static void execute(void) { execl("/bin/true", "truly", "", "a b", (char *)NULL); }

static void an_executed_program_wakes_the_reader(void **state) {
    (void)state;
    if (!capture.execs)
        skip();
    struct pollfd file = {.fd = capture_ebpf_file(&capture), .events = POLLIN};
    capture_ebpf_take(&capture, SIZE_MAX, note, NULL);
    assert_int_equal(poll(&file, 1, 0), 0);
    start(execute);
    assert_int_equal(poll(&file, 1, 10000), 1);
    capture_ebpf_take(&capture, SIZE_MAX, note, NULL);
    assert_int_equal(poll(&file, 1, 0), 0);
    assert_string_equal(executed.comm, "true");
    if (capture.addresses) {
        is_as_proc_says(&executed);
        assert_string_equal(executed.path, "/bin/true");
        assert_int_equal(executed.length, sizeof "truly\0\0a b");
        assert_memory_equal(executed.arguments, "truly\0\0a b", sizeof "truly\0\0a b");
    }
    reap();
}

static void execute_with_much(void) {
    char text[2 * OUTSIDE_ARGUMENTS_BYTES];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    execl("/bin/true", "true", text, (char *)NULL);
}

static void of_many_arguments_all_that_fits_is_reported(void **state) {
    (void)state;
    if (!capture.execs || !capture.addresses)
        skip();
    start(execute_with_much);
    capture_ebpf_take(&capture, SIZE_MAX, note, NULL);
    reap();
    assert_int_equal(executed.pid, child);
    assert_int_equal(executed.length, OUTSIDE_ARGUMENTS_BYTES);
    assert_int_equal(executed.arguments[OUTSIDE_ARGUMENTS_BYTES - 1], 'x');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_call_of_a_process_says_whose_child_it_is),
        cmocka_unit_test(an_executed_program_wakes_the_reader),
        cmocka_unit_test(of_many_arguments_all_that_fits_is_reported),
    };
    char why[CAPTURE_WHY_BYTES];
    if (!capture_ebpf_open(&capture, false, why)) {
        printf("1..0 # SKIP %s\n", why);
        return 0;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    capture_ebpf_close(&capture);
    return failed;
}
