/*
 * A program's start can be recorded only before it happens: a successful exec does not return, and
 * a program that cannot load the shim never records itself.
 */
#include "shim/process/program_start.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "shim/gate.h"
#include "shim/identity.h"
#include "shim/policy/place.h"
#include "shim/policy/policy.h"
#include "shim/process/guest_environment.h"
#include "shim/process/module_map.h"
#include "shim/process/notified_start.h"
#include "shim/real.h"
#include "shim/shared/raw_syscall.h"
#include "shim/shared/recorder.h"

static bool begin_text_record(struct record *record, enum pw_kind kind,
                              const struct program_start *start) {
    size_t length = strlen(start->facts.path);
    unsigned units = 2 + record_text_units(length, PW_RECORD_UNITS_MAX - 2);
    enum gate open = gate();
    if (open == GATE_CLOSED)
        return false;
    module_note(start->site);
    if (!record_begin(record, kind, units, identity_serial(), -1, start->begin_ns))
        return false;
    struct pw_start *first = &record->units[0].start;
    first->thread = identity_thread();
    first->source = PW_SOURCE_SHIM;
    first->call = (uint8_t)start->number;
    first->site = (uint64_t)(uintptr_t)start->site;
    first->flags = open == GATE_VFORK ? PW_FLAG_VFORK_CHILD : 0;
    first->flags |= start->plan.restored != 0 ? PW_FLAG_RESTORED : 0;
    if (!record_text(record, 2, start->facts.path, length))
        first->flags |= PW_FLAG_TEXT_CUT;
    return true;
}

/* `run` says in the end what nobody has seen. */
static bool others_see(void) { return recorder_header() != NULL && recorder_facts()->capture != 0; }

/* Whether the shim is in a program that could not be looked at shows only once it has started:
 * `run` sees that, of programs that a process of the trace executes itself. */
static bool is_left_to_run(const struct program_start *start) {
    return start->blind == PW_BLIND_UNEXAMINED && !start->in_child && recorder_header() != NULL &&
           recorder_header()->supervisor_pid != 0;
}

static void record_program(enum pw_kind kind, const struct program_start *start, uint32_t pid,
                           int error) {
    struct record record;
    if (!begin_text_record(&record, kind, start))
        return;
    if (others_see() || is_left_to_run(start))
        record.units[0].start.flags |= PW_FLAG_OBSTACLE(start->blind);
    record.units[0].start.error = (uint16_t)error;
    record.units[1].process.pid = pid;
    record.units[1].process.uid = identity_uid();
    record_commit(&record, 0);
}

static void record_blind_spot(const struct program_start *start, int reason, uint32_t pid) {
    struct record record;
    if (others_see() || is_left_to_run(start) ||
        !begin_text_record(&record, PW_KIND_BLIND_SPOT, start))
        return;
    record.units[1].numbers.code = (uint32_t)reason;
    record.units[1].numbers.number[0] = pid;
    record_commit(&record, 0);
}

/* Of a program with another trace that one says what was seen, and what was not. */
static int blind_reason(const struct program_start *start) {
    if (start->plan.elsewhere)
        return PW_BLIND_OTHER_TRACE;
    if (start->facts.obstacle != 0)
        return start->facts.obstacle;
    return start->plan.lost ? PW_BLIND_NOT_FOLLOWED : 0;
}

static void plan_and_record(struct program_start *start, bool found, char *const *envp) {
    int obstacle = start->facts.obstacle;
    if (obstacle == 0 || obstacle == PW_BLIND_UNEXAMINED)
        start->facts.obstacle = environment_obstacle();
    if (start->facts.obstacle == 0)
        start->facts.obstacle = obstacle;
    start->space = environment_plan(&start->plan, envp, &start->facts);
    start->blind = found ? blind_reason(start) : 0;
    if (!start->in_child && gate() == GATE_VFORK)
        policy_place_enter_vfork_child();
    if (start->in_child)
        return; /* recorded by program_start_spawned, when its pid is known */
    if (gate() == GATE_OPEN)
        policy_before_end();
    record_program(PW_KIND_EXEC, start, identity_pid_now(), 0);
    if (start->blind != 0)
        record_blind_spot(start, start->blind, identity_pid_now());
    if (found && gate() != GATE_CLOSED)
        notified_start(&start->facts);
}

static void begin(struct program_start *start, bool found, char *const *envp) {
    if (start->on)
        plan_and_record(start, found, envp);
    start->left_vfork = !start->in_child && gate_leave_vfork();
}

static void prepare(struct program_start *start, int number, const void *site) {
    start->on = environment_trace()[0] != '\0';
    start->space = 0;
    start->blind = 0;
    start->left_vfork = false;
    start->in_child = number == NUMBER_posix_spawn || number == NUMBER_posix_spawnp;
    start->number = number;
    start->site = site;
    start->begin_ns = monotonic_ns();
    memset(&start->plan, 0, sizeof start->plan);
}

void program_start_begin(struct program_start *start, const char *name, const char *search_path,
                         char *const *envp, int number, const void *site) {
    prepare(start, number, site);
    begin(start, start->on && program_inspect(name, search_path, &start->facts), envp);
}

void program_start_begin_descriptor(struct program_start *start, int fd, char *const *envp,
                                    int number, const void *site) {
    prepare(start, number, site);
    begin(start, start->on && program_inspect_descriptor(fd, &start->facts), envp);
}

void program_start_failed(const struct program_start *start, int error) {
    if (start->left_vfork)
        gate_return_to_vfork();
    if (start->on)
        record_program(PW_KIND_EXEC_FAILED, start, identity_pid_now(), error);
    errno = error;
}

void program_start_spawned(const struct program_start *start, int pid) {
    if (!start->on)
        return;
    record_program(PW_KIND_EXEC, start, (uint32_t)pid, 0);
    if (start->blind != 0)
        record_blind_spot(start, start->blind, (uint32_t)pid);
}

void *program_start_map(size_t size) {
    long answer = raw_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (answer < 0 && answer > -4096)
        return NULL;
    if (gate() == GATE_VFORK)
        gate_vfork_leaves((void *)answer, size);
    return (void *)answer;
}

static void give_back(const struct program_start *start, void *space) {
    if (start->space <= START_STACK_BYTES)
        return;
    gate_vfork_leaves(NULL, 0);
    program_start_unmap(space, start->space);
}

char **program_start_environment(const struct program_start *start, void *space) {
    char **given = (char **)(uintptr_t)start->plan.given;
    char **built = space != NULL ? environment_build(&start->plan, space) : NULL;
    if (built == NULL && space != NULL)
        give_back(start, space);
    return built != NULL ? built : given;
}

void program_start_end(const struct program_start *start, char **environment) {
    if (environment != (char **)(uintptr_t)start->plan.given)
        give_back(start, environment);
}

const char *program_search_path(void) {
    const char *path = guest_environment_value(environ, "PATH");
    return path != NULL ? path : "/bin:/usr/bin";
}

void program_start_unmap(void *space, size_t size) {
    raw_syscall3(SYS_munmap, RAW(space), (long)size, 0);
}

/* Has the file to be looked at? Only a program with a note of the Go linker's may be one that makes
 * its system calls itself, and the kernel has mapped that, as a rule. */
static bool may_be_go(void) {
    const ElfW(Phdr) *segment = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    const unsigned count = (unsigned)getauxval(AT_PHNUM);
    if (segment == NULL || segment[0].p_type != PT_PHDR)
        return true;
    const uintptr_t bias = (uintptr_t)segment - segment[0].p_vaddr;
    for (unsigned i = 0; i < count; i++)
        if (segment[i].p_type == PT_NOTE &&
            (segment[i].p_vaddr == 0 || memmem((const void *)(bias + segment[i].p_vaddr),
                                               segment[i].p_memsz, "Go", 3) != NULL))
            return true;
    return false;
}

void program_start_record_own(void) {
    struct program_start start;
    if (!may_be_go())
        return;
    char path[sizeof start.facts.path];
    long length =
        raw_syscall4(SYS_readlinkat, AT_FDCWD, RAW("/proc/self/exe"), RAW(path), sizeof path - 1);
    if (length <= 0)
        return;
    path[length] = '\0';
    prepare(&start, 0, NULL);
    if (program_inspect(path, NULL, &start.facts) && start.facts.obstacle == PW_BLIND_OWN_CALLS)
        record_blind_spot(&start, PW_BLIND_OWN_CALLS, identity_pid_now());
}
