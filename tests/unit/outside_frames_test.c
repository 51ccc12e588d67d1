/* The frames of a call that was seen from outside: found from a process alone, chosen, written, and
 * found again by the reader of traces. */
#include "tests/unit/go_guest.h"

#include <dirent.h>
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "harness/capture/go_walk.h"
#include "harness/capture/outside_frames.h"
#include "harness/capture/remote_program.h"
#include "harness/capture/remote_walk.h"
#include "harness/trace/reader.h"
#include "harness/trace/record_frames.h"
#include "harness/trace/strings.h"

enum { ROOM = 32 };

static char path[PATH_MAX];

static void attach(void) {
    struct trace_plan plan = {.max_size = UINT64_C(4) << 20};
    struct trace_problem problem = {.what = ""};
    struct trace_map map = {.size = 0};
    snprintf(path, sizeof path, "%s/trace", go_folder);
    unlink(path);
    if (!trace_create(path, &plan, &problem) || !trace_open(path, &map, &problem))
        fail_msg("%s (%d)", problem.what, problem.error);
    recorder_attach(&map);
}

static void record(const struct frame_choice *choice) {
    struct record bind;
    assert_true(record_begin(&bind, PW_KIND_BIND, 2 + frame_choice_units(choice->count), 1, 3,
                             monotonic_ns()));
    frame_choice_write(&bind, 2, choice, 0);
    record_commit(&bind, 0);
}

static const char *file_of(const char *name) {
    const char *slash = strrchr(name, '/');
    return slash != NULL ? slash + 1 : name;
}

/* "file:line function | ...": the frames of the last bind of the trace. */
static const char *recorded(unsigned *texts) {
    static char text[2048];
    struct trace_reader_problem problem;
    struct trace_record one;
    struct strings strings = {0};
    struct trace_reader *reader = trace_reader_open(path, &problem);
    assert_non_null(reader);
    *texts = 0;
    while (trace_reader_next(reader, &one) == TRACE_NEXT_RECORD) {
        *texts += one.kind == PW_KIND_STRING;
        strings_note(&strings, &one);
        if (one.kind != PW_KIND_BIND)
            continue;
        char *at = text;
        *at = '\0';
        for (unsigned i = 0; i < record_frame_count(&one); i++) {
            struct frame_text frame = strings_frame(&strings, record_frame(&one, i));
            at += sprintf(at, "%s%s:%u %s%s", i > 0 ? " | " : "", file_of(frame.file), frame.line,
                          frame.function, frame.is_test ? " (test)" : "");
        }
    }
    strings_free(&strings);
    trace_reader_close(reader);
    return text;
}

/* The addresses that the guest prints first, behind an empty program counter. */
static size_t first_addresses(FILE *output, uint64_t address[ROOM]) {
    char line[4096];
    size_t count = 1;
    address[0] = 0;
    assert_non_null(fgets(line, sizeof line, output));
    assert_int_equal(strncmp(line, "addresses ", 10), 0);
    for (char *at = line + 10; *at != '\n' && *at != '\0' && count < ROOM;)
        address[count++] = strtoull(at, &at, 16);
    return count;
}

static void frames_are_chosen_and_their_texts_written_once(void **state) {
    static const char *const expected =
        "main.go:53 example.com/callers.(*server).listen | main.go:64 example.com/callers.inner | "
        "callers_test.go:6 example.com/callers.TestListen (test)";
    struct outside_frames frames = {.programs.clock = 0};
    struct frame_choice choice;
    struct remote_program program;
    struct go_guest guest;
    uint64_t address[ROOM];
    unsigned texts;
    (void)state;
    attach();
    go_start(&guest, go_build("test", "CGO_ENABLED=0", "test -c"));
    size_t count = first_addresses(guest.output, address);
    assert_true(remote_program_open(guest.pid, &program));
    struct outside_call call = {.program = 1,
                                .file = program.file,
                                .bias = program.bias,
                                .address = address,
                                .count = count};
    for (unsigned i = 0; i < 2; i++) {
        outside_frames_find(&frames, &call, 0, &choice);
        record(&choice);
        assert_string_equal(recorded(&texts), expected);
        assert_int_equal(texts, 5); /* helper and prepare as well: each may have been the test */
    }
    outside_frames_find(&frames, &call, 2, &choice);
    record(&choice);
    assert_string_equal(recorded(&texts), "main.go:53 example.com/callers.(*server).listen | "
                                          "main.go:64 example.com/callers.inner");
    /* The innermost function makes no system call, so these would be addresses of another program.
     */
    call.program = 2;
    call.is_system_call = true;
    outside_frames_find(&frames, &call, 0, &choice);
    assert_int_equal(choice.count, 0);
    outside_frames_close(&frames);
    close(program.file);
    go_end(&guest);
}

/* The thread that is in read(2), from 0. */
static pid_t reading_thread(pid_t pid) {
    char name[320];
    pid_t found = 0;
    snprintf(name, sizeof name, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(name);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL && found == 0;) {
        char text[32] = "";
        snprintf(name, sizeof name, "/proc/%d/task/%.20s/syscall", (int)pid, entry->d_name);
        FILE *file = fopen(name, "r");
        if (file == NULL)
            continue;
        long number = -1;
        unsigned long descriptor = 1;
        if (fgets(text, sizeof text, file) != NULL &&
            sscanf(text, "%ld %lx", &number, &descriptor) == 2 && number == SYS_read &&
            descriptor == 0)
            found = atoi(entry->d_name);
        fclose(file);
    }
    closedir(folder);
    return found;
}

static struct remote_registers registers_of(pid_t thread) {
    struct user_regs_struct set;
    struct iovec place = {&set, sizeof set};
    struct remote_registers registers = {0};
    assert_int_equal(ptrace(PTRACE_SEIZE, thread, NULL, NULL), 0);
    assert_int_equal(ptrace(PTRACE_INTERRUPT, thread, NULL, NULL), 0);
    assert_int_equal(waitpid(thread, NULL, __WALL), thread);
    assert_int_equal(ptrace(PTRACE_GETREGSET, thread, (void *)NT_PRSTATUS, &place), 0);
#if defined(__x86_64__)
    registers = (struct remote_registers){set.rip, set.rsp, set.rbp, 0};
#else
    registers = (struct remote_registers){set.pc, set.sp, set.regs[29], set.regs[30]};
#endif
    return registers;
}

struct listed {
    char text[2048];
};

static bool list_line(void *with, const struct call_line *line) {
    struct listed *listed = with;
    size_t length = strlen(listed->text);
    snprintf(listed->text + length, sizeof listed->text - length, "%d %s\n", line->of,
             line->function);
    return true;
}

/* Along frame pointers, and by Go's table where these are not known. */
static void check_stack(pid_t pid, const struct remote_registers *registers) {
    static struct go_programs programs;
    struct listed listed = {""};
    struct remote_program program;
    uint64_t address[ROOM];
    uint64_t other[ROOM];
    struct remote_registers without = *registers;
    without.frame = 0;
    assert_true(remote_program_open(pid, &program));
    size_t count = remote_walk(pid, registers, address, ROOM);
    assert_int_equal(go_walk(&programs, program.file, program.bias, pid, &without, other, ROOM),
                     count);
    assert_memory_equal(address, other, count * sizeof *address);
    assert_true(
        call_lines_find(&programs, program.file, program.bias, address, count, list_line, &listed));
    /* What is inside of the system call's function differs by the release of Go. */
    const char *call = strstr(listed.text, "1 syscall.Read\n");
    assert_non_null(call);
    assert_string_equal(call, "1 syscall.Read\n4 main.wait\n4 main.main\n1 runtime.main\n"
                              "1 runtime.goexit\n");
    assert_non_null(strstr(listed.text, "Syscall"));
    assert_non_null(strstr(listed.text, "1 syscall.read\n"));
    close(program.file);
    go_programs_close(&programs);
}

static void wait_until_it_reads(struct go_guest *guest) {
    char line[4096];
    while (fgets(line, sizeof line, guest->output) != NULL && strcmp(line, "waiting\n") != 0)
        ;
    while (reading_thread(guest->pid) == 0)
        usleep(1000);
}

static void walk_guest(const char *guest_path) {
    struct go_guest guest;
    go_start(&guest, guest_path);
    wait_until_it_reads(&guest);
    pid_t thread = reading_thread(guest.pid);
    struct remote_registers registers = registers_of(thread);
    check_stack(guest.pid, &registers);
    ptrace(PTRACE_DETACH, thread, NULL, NULL);
    go_end(&guest);
}

static void a_stack_is_walked_with_a_frame_pointer_and_without(void **state) {
    (void)state;
    walk_guest(go_build_static());
    walk_guest(go_build("pie", "CGO_ENABLED=0", "build -buildmode=pie -trimpath '-ldflags=-s -w'"));
}

static void a_chain_that_leads_nowhere_ends_the_walk(void **state) {
    uint64_t stack[8] = {0};
    uint64_t address[ROOM];
    struct remote_registers registers = {.counter = 1, .stack = (uintptr_t)stack};
    (void)state;
    registers.frame = (uintptr_t)&stack[2];
    stack[2] = (uintptr_t)&stack[2]; /* itself */
    stack[3] = 77;
    assert_int_equal(remote_walk(getpid(), &registers, address, ROOM), 2);
    assert_int_equal(address[1], 77);
    stack[2] = (uintptr_t)&stack[4];
    stack[4] = 16; /* below the stack */
    stack[5] = 78;
    assert_int_equal(remote_walk(getpid(), &registers, address, ROOM), 3);
    assert_int_equal(remote_walk(getpid(), &registers, address, 2), 2);
    stack[4] = UINT64_MAX - 7; /* nothing is there */
    assert_int_equal(remote_walk(getpid(), &registers, address, ROOM), 3);
    registers.stack = 0;
    registers.frame = 8;
    assert_int_equal(remote_walk(getpid(), &registers, address, ROOM), 1);
    assert_int_equal(remote_walk(getpid(), &registers, address, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_chosen_and_their_texts_written_once),
        cmocka_unit_test(a_stack_is_walked_with_a_frame_pointer_and_without),
        cmocka_unit_test(a_chain_that_leads_nowhere_ends_the_walk),
    };
    return cmocka_run_group_tests(tests, go_make_folder, go_remove_folder);
}
