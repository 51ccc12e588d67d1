/* Processes of another PID namespace, found by what they are called there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/system/inner_processes.h"
#include "harness/system/process_facts.h"

static pid_t child = -1;

static uint64_t namespace_of(pid_t pid) {
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
    return stat(path, &status) == 0 ? status.st_ino : 0;
}

/* The first process of a PID namespace. */
static int begin(void **state) {
    (void)state;
    child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWPID) != 0)
            _exit(77);
        pid_t inner = fork();
        if (inner == 0)
            for (;;)
                pause();
        int status;
        _exit(inner < 0 || waitpid(inner, &status, 0) != inner);
    }
    usleep(1000);
    return child < 0;
}

/* The one child of a process; 0: none yet. */
static pid_t child_of(pid_t parent) {
    char path[64];
    int pid = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%d", &pid) != 1)
        pid = 0;
    if (file != NULL)
        fclose(file);
    return pid;
}

static int end(void **state) {
    (void)state;
    pid_t inner = child_of(child);
    if (inner > 0)
        kill(inner, SIGKILL);
    waitpid(child, NULL, 0);
    return 0;
}

static void the_first_of_a_namespace_is_found_by_its_pid_there(void **state) {
    (void)state;
    pid_t inner = 0;
    struct process_facts facts;
    for (int i = 0; i < 5000 && inner == 0 && process_state(child) != 'Z'; i++) {
        inner = child_of(child);
        usleep(1000);
    }
    if (inner == 0)
        skip(); /* no rights for a namespace */
    assert_true(process_facts_read(inner, &facts));
    struct inner_process list[] = {
        {.pid_namespace = namespace_of(inner), .start_time = facts.start_time, .inner_pid = 1},
        {.pid_namespace = namespace_of(inner), .start_time = facts.start_time, .inner_pid = 2},
        {.pid_namespace = namespace_of(inner) + 1, .start_time = facts.start_time, .inner_pid = 1},
        {.pid_namespace = namespace_of(inner), .start_time = facts.start_time + 1, .inner_pid = 1}};
    assert_true(inner_processes_find(list, 4));
    assert_int_equal(list[0].pid, inner);
    for (int i = 1; i < 4; i++)
        assert_int_equal(list[i].pid, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        the_first_of_a_namespace_is_found_by_its_pid_there, begin, end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
