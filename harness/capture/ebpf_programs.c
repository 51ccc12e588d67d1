/* What a kernel offers to eBPF programs cannot be asked, only tried. So the programs are loaded
 * with all that they can use, and without one thing after the other until they load. */
#include "harness/capture/ebpf_programs.h"

#ifdef PORTWITNESS_EBPF_OBJECT

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "harness/capture/kernel_offsets.h"

/* The object file that clang made of the programs. */
extern const char pw_ebpf_begin[];
extern const char pw_ebpf_end[];
__asm__(".pushsection .rodata\n"
        ".balign 8\n"
        "pw_ebpf_begin:\n"
        ".incbin \"" PORTWITNESS_EBPF_OBJECT "\"\n"
        "pw_ebpf_end:\n"
        ".popsection");

/* Numbers of the first namespaces: include/linux/proc_ns.h, PROC_PID_INIT_INO and
 * PROC_CGROUP_INIT_INO. */
#define ROOT_OF_PIDS UINT64_C(0xEFFFFFFC)
#define ROOT_OF_GROUPS UINT64_C(0xEFFFFFFB)

#define EXEC_PROGRAM "on_exec"
static const char *const move_programs[] = {"on_move", "on_fork"};

static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments) {
    (void)level;
    (void)format;
    (void)arguments;
    return 0;
}

static bool fail(char why[CAPTURE_WHY_BYTES], const char *what, int error) {
    if (error == EPERM || error == EACCES)
        snprintf(why, CAPTURE_WHY_BYTES, "%s: %s, eBPF needs CAP_BPF and CAP_NET_ADMIN, or root",
                 what, strerror(error));
    else
        snprintf(why, CAPTURE_WHY_BYTES, "%s: %s", what, strerror(error));
    return false;
}

/* They read the kernel's structures, and nothing else. */
static int load_moves(struct bpf_object *object, bool wanted) {
    int error = 0;
    for (size_t i = 0; i < sizeof move_programs / sizeof *move_programs && error == 0; i++) {
        struct bpf_program *program = bpf_object__find_program_by_name(object, move_programs[i]);
        error = program != NULL ? bpf_program__set_autoload(program, wanted) : -EINVAL;
    }
    return error;
}

/* Opens the object with these switches and so large a ring. NULL with errno set. */
static struct bpf_object *open_with(const struct ebpf_switches *switches, bool execs,
                                    uint32_t ring_bytes) {
    static const char name[] = "portwitness";
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name);
    struct bpf_object *object =
        bpf_object__open_mem(pw_ebpf_begin, (size_t)(pw_ebpf_end - pw_ebpf_begin), &options);
    if (object == NULL)
        return NULL;
    struct bpf_map *constants = bpf_object__find_map_by_name(object, ".rodata");
    struct bpf_program *exec = bpf_object__find_program_by_name(object, EXEC_PROGRAM);
    int error = constants != NULL
                    ? bpf_map__set_initial_value(constants, switches, sizeof *switches)
                    : -EINVAL;
    if (error == 0 && exec != NULL)
        error = bpf_program__set_autoload(exec, execs);
    if (error == 0)
        error = load_moves(object, switches->own != 0);
    struct bpf_map *ring = bpf_object__find_map_by_name(object, "ring");
    if (error == 0 && ring != NULL)
        error = bpf_map__set_max_entries(ring, ring_bytes);
    if (error == 0)
        return object;
    bpf_object__close(object);
    errno = -error;
    return NULL;
}

/* Takes away the next thing that older or locked kernels lack. false: there is none left. */
static bool take_away(struct ebpf_switches *switches, bool *execs) {
    if (switches->loop != 0)
        switches->loop = 0;
    else if (switches->current != 0)
        switches->current = 0;
    else if (switches->options != 0)
        switches->options = 0;
    else if (switches->netns != 0)
        switches->netns = 0;
    else if (switches->own != 0)
        switches->own = 0;
    else if (switches->offsets.stack != 0)
        switches->offsets = (struct kernel_offsets){0};
    else if (*execs)
        *execs = false;
    else
        return false;
    return true;
}

static bool load(struct ebpf_programs *programs, char why[CAPTURE_WHY_BYTES]) {
    uint32_t ring_bytes = EBPF_RING_BYTES;
    for (;;) {
        programs->object = open_with(&programs->switches, programs->execs, ring_bytes);
        if (programs->object == NULL)
            return fail(why, "the eBPF programs cannot be read", errno);
        int error = bpf_object__load(programs->object);
        if (error == 0)
            return true;
        bpf_object__close(programs->object);
        programs->object = NULL;
        if (error == -ENOMEM && ring_bytes > EBPF_RING_BYTES_LEAST) {
            ring_bytes /= 2;
            continue;
        }
        if (take_away(&programs->switches, &programs->execs))
            continue;
        if (error == -EPERM || error == -EACCES || programs->switches.pid_inode == 0)
            return fail(why, "the eBPF programs cannot be loaded", -error);
        snprintf(why, CAPTURE_WHY_BYTES,
                 "the eBPF programs cannot be loaded, or not tell pids of "
                 "this pid namespace, which needs Linux 6.10");
        return false;
    }
}

static bool attach(struct ebpf_programs *programs, int folder, char why[CAPTURE_WHY_BYTES]) {
    struct bpf_program *program;
    bpf_object__for_each_program(program, programs->object) {
        if (!bpf_program__autoload(program))
            continue;
        bool is_traced = bpf_program__type(program) == BPF_PROG_TYPE_RAW_TRACEPOINT;
        struct bpf_link *link =
            is_traced ? bpf_program__attach(program) : bpf_program__attach_cgroup(program, folder);
        if (link == NULL && is_traced) {
            programs->execs =
                programs->execs && strcmp(bpf_program__name(program), EXEC_PROGRAM) != 0;
            continue;
        }
        if (link == NULL && errno == EPERM) {
            snprintf(why, CAPTURE_WHY_BYTES,
                     "a control group above admits no eBPF programs beside its own: %s",
                     strerror(errno));
            return false;
        }
        if (link == NULL)
            return fail(why, "the eBPF programs cannot be attached", errno);
        programs->links[programs->count++] = link;
    }
    return true;
}

static uint64_t namespace_number(const char *name, uint64_t *device) {
    struct stat status;
    if (stat(name, &status) != 0)
        return 0;
    *device = status.st_dev;
    return status.st_ino;
}

/* By chance no program has them in these registers. */
static void set_tokens(struct ebpf_switches *switches) {
    uint64_t random[2];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return;
    switches->token[0] = random[0] | 1;
    switches->token[1] = random[1] | UINT64_C(1) << 32 | 1; /* both halves are used */
}

/* Pids are told as the root of pid namespaces has them; in another they are asked for by it. */
static bool set_switches(struct ebpf_switches *switches, const struct capture_group *group,
                         char why[CAPTURE_WHY_BYTES]) {
    uint64_t device = 0;
    *switches = (struct ebpf_switches){
        .run = (uint32_t)getpid(), .options = 1, .current = 1, .netns = 1, .loop = 1};
    kernel_offsets_read(&switches->offsets);
    set_tokens(switches);
    uint64_t pids = namespace_number("/proc/self/ns/pid", &device);
    if (pids != ROOT_OF_PIDS) {
        switches->pid_inode = pids;
        switches->pid_device = device;
    }
    if (group->root < 0 && switches->offsets.stack != 0)
        switches->own = group->id;
    if (group->root < 0)
        return true;
    switches->group = group->id;
    switches->group_level = group->level;
    if (namespace_number("/proc/self/ns/cgroup", &device) == ROOT_OF_GROUPS)
        return true;
    snprintf(why, CAPTURE_WHY_BYTES, "the root of the control groups cannot be seen from here");
    return false;
}

static bool share(struct ebpf_programs *programs, const struct capture_group *group,
                  char why[CAPTURE_WHY_BYTES]) {
    void *words = mmap(NULL, sizeof *programs->words, PROT_READ | PROT_WRITE, MAP_SHARED,
                       ebpf_programs_map(programs, ".bss"), 0);
    if (words == MAP_FAILED)
        return fail(why, "the words of the eBPF programs cannot be mapped", errno);
    programs->words = words;
    uint32_t first = 0;
    uint32_t folder = (uint32_t)group->folder;
    if (bpf_map_update_elem(ebpf_programs_map(programs, "groups"), &first, &folder, BPF_ANY) != 0)
        return fail(why, "the control group cannot be told to the eBPF programs", errno);
    return true;
}

bool ebpf_programs_load(struct ebpf_programs *programs, const struct capture_group *group,
                        char why[CAPTURE_WHY_BYTES]) {
    *programs = (struct ebpf_programs){.execs = true};
    if (!set_switches(&programs->switches, group, why))
        return false;
    libbpf_set_print(say_nothing);
    /* libbpf raises it where maps count as locked memory (before 5.11); the command must not
     * inherit that. */
    struct rlimit locked;
    bool is_known = getrlimit(RLIMIT_MEMLOCK, &locked) == 0;
    bool loaded = load(programs, why) && share(programs, group, why) &&
                  attach(programs, group->root >= 0 ? group->root : group->folder, why);
    if (is_known)
        setrlimit(RLIMIT_MEMLOCK, &locked);
    if (!loaded)
        ebpf_programs_unload(programs);
    return loaded;
}

int ebpf_programs_map(const struct ebpf_programs *programs, const char *name) {
    return bpf_object__find_map_fd_by_name(programs->object, name);
}

void ebpf_programs_unload(struct ebpf_programs *programs) {
    for (unsigned i = 0; i < programs->count; i++)
        bpf_link__destroy(programs->links[i]);
    if (programs->words != NULL)
        munmap(programs->words, sizeof *programs->words);
    bpf_object__close(programs->object);
    *programs = (struct ebpf_programs){.object = NULL};
}

#endif
