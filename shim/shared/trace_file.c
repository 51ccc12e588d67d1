/*
 * A trace comes into being whole, under its name, or not at all: processes that start at the same
 * moment must never see half a header. It is opened once a process and never by path again.
 */
#include "shim/shared/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shim/shared/clock.h"
#include "shim/shared/filter_trial.h"
#include "shim/shared/own_status.h"
#include "shim/shared/proc_mount.h"
#include "shim/shared/raw_file.h"
#include "shim/shared/raw_syscall.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define FIRST_VIEW ((size_t)16 << 20)
#define FIRST_ROOM (PW_UNITS_OFFSET + 64u * 1024u)

enum manner { OPEN_CHECKED, OPEN_AT_START, OPEN_BELOW_RUN };

/* What stands at the start of a trace. */
struct first_bytes {
    union {
        struct pw_header header;
        char bytes[PW_HEADER_SIZE];
    } page;
    struct pw_policy_config config;
};

static bool fail(struct trace_problem *problem, const char *what, long answer) {
    problem->what = what;
    problem->error = answer < 0 ? (int)-answer : 0;
    return false;
}

static int digit_value(char digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

/* The kernel's id of this boot (proc(5)); all zero where /proc cannot be read. */
static void read_boot_id(uint8_t id[16]) {
    char text[40];
    memset(id, 0, 16);
    raw_file_read_text("/proc/sys/kernel/random/boot_id", text, sizeof text);
    unsigned digits = 0;
    for (const char *c = text; *c != '\0' && digits < 32; c++) {
        int value = digit_value(*c);
        if (value < 0)
            continue;
        id[digits / 2] = (uint8_t)(id[digits / 2] << 4 | value);
        digits++;
    }
}

/* At most `max_size`, and not beyond RLIMIT_FSIZE: growing past that would send SIGXFSZ to the
 * guest (setrlimit(2)). Whole pages. */
static uint64_t allowed_size(uint64_t max_size) {
    struct rlimit limit = {0};
    if (max_size == 0)
        max_size = PW_DEFAULT_MAX_SIZE;
    if (raw_syscall4(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, RAW(&limit)) == 0 &&
        limit.rlim_cur < max_size)
        max_size = limit.rlim_cur;
    return max_size & ~(uint64_t)4095;
}

/* File systems differ in the largest file that they take: halve until it fits. */
static long set_size(int fd, uint64_t *size) {
    long answer;
    while ((answer = raw_syscall3(SYS_ftruncate, fd, (long)*size, 0)) == -EFBIG &&
           *size / 2 > PW_MIN_MAX_SIZE)
        *size = (*size / 2) & ~(uint64_t)4095;
    return answer;
}

/* So that programs in the same pid namespace know it without asking. */
static void fill_namespace(struct pw_header *header) {
    struct own_status own = {.known = false};
    (void)filter_count_and_status(false, &own);
    if (!own.known)
        return;
    header->proc_device = proc_mount_look().device;
    header->pid_namespace = header->proc_device != 0 ? proc_pid_namespace() : 0;
}

static void fill_header(struct pw_header *header, const struct trace_plan *plan, uint64_t size) {
    header->version = PW_VERSION;
    header->byte_order = PW_BYTE_ORDER;
    header->unit_size = PW_UNIT_SIZE;
    header->units_offset = PW_UNITS_OFFSET;
    header->capacity = size;
    header->policy_offset = PW_HEADER_SIZE;
    header->policy_size = PW_POLICY_SIZE;
    header->supervisor_pid = plan->supervisor_pid;
    header->stacks = plan->stacks;
    header->questions = plan->questions;
    header->filters = plan->filters;
    header->no_frames = plan->no_frames;
    header->capture = plan->capture;
    const struct clock_pair pair = clock_pair();
    header->monotonic_ns = pair.monotonic_ns;
    header->realtime_ns = pair.realtime_ns;
    read_boot_id(header->boot_id);
    fill_namespace(header);
    const char *policy = plan->policy != NULL ? plan->policy : "kernel";
    memcpy(header->policy, policy, strnlen(policy, sizeof header->policy - 1));
    if (plan->host_id != NULL)
        memcpy(header->host_id, plan->host_id, strnlen(plan->host_id, sizeof header->host_id - 1));
    if (plan->no_ebpf != NULL)
        memcpy(header->no_ebpf, plan->no_ebpf, strnlen(plan->no_ebpf, sizeof header->no_ebpf - 1));
    memcpy(header->magic, PW_MAGIC, sizeof header->magic);
}

static void fill_policy(struct pw_header *header, const struct trace_plan *plan) {
    if (plan->config == NULL)
        return;
    struct pw_policy_area *area = (void *)((char *)header + PW_HEADER_SIZE);
    area->config = *plan->config;
    atomic_store(&area->used, sizeof *area);
    header->seed = plan->config->seed;
}

/* The header's page and the first units; the policies' area stays sparse until one is used. */
static long make_first_room(char *base, bool has_policy) {
    long size = has_policy ? (long)PW_UNITS_OFFSET : (long)PW_HEADER_SIZE;
    long answer = raw_syscall3(SYS_madvise, RAW(base), size, MADV_POPULATE_WRITE);
    if (answer < 0)
        return answer;
    /* From a boundary that is one for every page size (up to 64 KiB). */
    long units = PW_UNITS_OFFSET & ~0xffffu;
    return raw_syscall3(SYS_madvise, RAW(base + units), FIRST_ROOM - units, MADV_POPULATE_WRITE);
}

static bool write_first_pages(int fd, const struct trace_plan *plan, uint64_t size,
                              struct trace_problem *problem) {
    long base = raw_syscall6(SYS_mmap, 0, FIRST_ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base < 0 && base > -4096)
        return fail(problem, "cannot be mapped", base);
    long answer = make_first_room((char *)base, plan->config != NULL);
    if (answer == 0) {
        struct pw_header *header = (struct pw_header *)base;
        fill_header(header, plan, size);
        fill_policy(header, plan);
        atomic_store(&header->populated_to, FIRST_ROOM);
    }
    raw_syscall3(SYS_munmap, base, FIRST_ROOM, 0);
    if (answer == -EFAULT)
        return fail(problem, "cannot be made: the disk is full", -ENOSPC);
    if (answer < 0)
        return fail(problem, "cannot be populated (Linux 5.14 or later is needed)", answer);
    return true;
}

/* PATH.PID.NANOSECONDS, in the same folder so that link(2) works; what is too long for a name there
 * is cut. false where the path is too long. */
static bool temporary_name(char *name, size_t size, const char *path) {
    enum { SUFFIX = 2 + 8 + 16 };
    size_t length = strnlen(path, size);
    if (length + 40 > size)
        return false;
    const char *slash = strrchr(path, '/');
    size_t folder = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    if (length - folder > NAME_MAX - SUFFIX && length - folder <= NAME_MAX)
        length = folder + NAME_MAX - SUFFIX;
    memcpy(name, path, length);
    uint64_t parts[2] = {(uint64_t)raw_syscall3(SYS_gettid, 0, 0, 0), clock_ns(CLOCK_MONOTONIC)};
    for (int i = 0; i < 2; i++) {
        name[length++] = '.';
        for (int shift = i == 0 ? 28 : 60; shift >= 0; shift -= 4)
            name[length++] = "0123456789abcdef"[(parts[i] >> shift) & 15];
    }
    name[length] = '\0';
    return true;
}

/* Gives the finished file its name; an existing one is never replaced. */
static long give_name(const char *temporary, const char *path) {
    long answer = raw_syscall6(SYS_linkat, AT_FDCWD, RAW(temporary), AT_FDCWD, RAW(path), 0, 0);
    if (answer == -EPERM || answer == -EOPNOTSUPP || answer == -ENOSYS) /* no hard links here */
        return raw_syscall6(SYS_renameat2, AT_FDCWD, RAW(temporary), AT_FDCWD, RAW(path),
                            1 /* NOREPLACE */, 0);
    raw_syscall3(SYS_unlinkat, AT_FDCWD, RAW(temporary), 0);
    return answer;
}

bool trace_create(const char *path, const struct trace_plan *plan, struct trace_problem *problem) {
    char temporary[PATH_MAX];
    uint64_t size = allowed_size(plan->max_size);
    if (size < PW_MIN_MAX_SIZE)
        return fail(problem, "cannot be made: the file size limit is below 2 MiB", -EFBIG);
    if (!temporary_name(temporary, sizeof temporary, path))
        return fail(problem, "has too long a name", -ENAMETOOLONG);
    unsigned mode = plan->mode != 0 ? plan->mode : 0600;
    long fd = raw_syscall4(SYS_openat, AT_FDCWD, RAW(temporary),
                           O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (long)mode);
    if (fd < 0)
        return fail(problem, "cannot be made", fd);
    if (plan->mode != 0)
        raw_syscall3(SYS_fchmod, fd, (long)mode, 0); /* asked for, so the umask must not cut it */
    long answer = set_size((int)fd, &size);
    bool good = answer == 0 ? write_first_pages((int)fd, plan, size, problem)
                            : fail(problem, "cannot be given its size", answer);
    raw_syscall3(SYS_close, fd, 0, 0);
    if (!good) {
        raw_syscall3(SYS_unlinkat, AT_FDCWD, RAW(temporary), 0);
        return false;
    }
    answer = give_name(temporary, path);
    if (answer < 0) {
        raw_syscall3(SYS_unlinkat, AT_FDCWD, RAW(temporary), 0);
        return fail(problem, answer == -EEXIST ? "exists already" : "cannot be made", answer);
    }
    return true;
}

static bool is_of_this_boot(const struct pw_header *header) {
    uint8_t boot_id[16];
    static const uint8_t unknown[16];
    read_boot_id(boot_id);
    return memcmp(boot_id, unknown, 16) == 0 || memcmp(header->boot_id, unknown, 16) == 0 ||
           memcmp(boot_id, header->boot_id, 16) == 0;
}

static bool check_header(const struct pw_header *header, uint64_t file_size,
                         struct trace_problem *problem) {
    if (memcmp(header->magic, PW_MAGIC, sizeof header->magic) != 0)
        return fail(problem, "is not a portwitness trace", 0);
    if (header->byte_order != PW_BYTE_ORDER)
        return fail(problem, "was written with another byte order", 0);
    if (header->version != PW_VERSION || header->unit_size != PW_UNIT_SIZE ||
        header->units_offset != PW_UNITS_OFFSET || (header->features & ~PW_FEATURES_KNOWN) != 0)
        return fail(problem, "is of another version", 0);
    if (header->capacity > file_size || header->capacity < PW_MIN_MAX_SIZE)
        return fail(problem, "is cut short", 0);
    if (header->policy_offset != PW_HEADER_SIZE || header->policy_size != PW_POLICY_SIZE)
        return fail(problem, "has a damaged header", 0);
    return true;
}

static uint32_t at_most(uint32_t number, uint32_t most) { return number < most ? number : most; }

bool trace_config_is_sound(const struct pw_policy_config *config) {
    return config->kind <= PW_POLICY_KEEP && config->low <= config->high &&
           (config->low != 0) == (config->high != 0) && config->for_ms <= PW_POLICY_FOR_MS_MOST;
}

static void take_facts(const struct first_bytes *first, struct trace_facts *facts) {
    facts->capacity = first->page.header.capacity;
    facts->no_frames = first->page.header.no_frames != 0;
    facts->capture = first->page.header.capture;
    facts->stacks = at_most(first->page.header.stacks, PW_STACK_MAX);
    facts->questions = at_most(first->page.header.questions, PW_QUESTIONS);
    facts->supervisor_pid = first->page.header.supervisor_pid;
    facts->proc_device = first->page.header.proc_device;
    facts->pid_namespace = first->page.header.pid_namespace;
    facts->config = (struct pw_policy_config){.kind = PW_POLICY_KERNEL};
    if (trace_config_is_sound(&first->config))
        facts->config = first->config;
}

static uint64_t limit_of(int resource) {
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
    raw_syscall4(SYS_prlimit64, 0, resource, 0, RAW(&limit));
    return limit.rlim_cur;
}

/* How much may be mapped without getting in the guest's way: what the view takes under RLIMIT_AS is
 * missing to it, and under RLIMIT_MEMLOCK its mlockall(2) counts the view as well. */
static uint64_t polite_size(void) {
    uint64_t address_space = limit_of(RLIMIT_AS) / 64;
    uint64_t locked = getauxval(AT_EUID) == 0 ? UINT64_MAX : limit_of(RLIMIT_MEMLOCK) / 4;
    uint64_t size = address_space < locked ? address_space : locked;
    return size > PW_MIN_MAX_SIZE ? size : PW_MIN_MAX_SIZE;
}

/* Maps 16 MiB, or half as often as it takes. */
static bool map_view(int fd, uint64_t capacity, struct trace_map *map,
                     struct trace_problem *problem) {
    size_t size = FIRST_VIEW;
    uint64_t most = polite_size();
    while (size > capacity || size > most)
        size /= 2;
    long base = -ENOMEM;
    for (; size >= PW_MIN_MAX_SIZE; size /= 2) {
        base = raw_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (base >= 0 || base <= -4096) {
            map->base = (void *)base;
            map->size = size;
            return true;
        }
    }
    return fail(problem, "cannot be mapped", base);
}

static bool open_checked(int fd, enum manner manner, struct trace_map *map,
                         struct trace_problem *problem) {
    struct stat status;
    struct first_bytes first;
    first.config = (struct pw_policy_config){.kind = PW_POLICY_KERNEL};
    long answer = raw_syscall4(SYS_newfstatat, fd, RAW(""), RAW(&status), AT_EMPTY_PATH);
    if (answer < 0)
        return fail(problem, "cannot be examined", answer);
    if (!S_ISREG(status.st_mode))
        return fail(problem, "is not a regular file", 0);
    answer = raw_syscall4(SYS_pread64, fd, RAW(&first), sizeof first, 0);
    if (answer < (long)sizeof first.page.header)
        return fail(problem, "is not a portwitness trace", answer < 0 ? answer : 0);
    if (!check_header(&first.page.header, (uint64_t)status.st_size, problem))
        return false;
    take_facts(&first, &map->facts);
    const struct clock_pair pair = {first.page.header.monotonic_ns, first.page.header.realtime_ns};
    map->facts.same_clock = manner != OPEN_CHECKED && clock_is_shared_with(&pair);
    bool is_known = manner == OPEN_BELOW_RUN && map->facts.same_clock;
    if (!is_known && !is_of_this_boot(&first.page.header))
        return fail(problem, "is of another boot of the machine", 0);
    return map_view(fd, map->facts.capacity, map, problem);
}

int trace_filters(const char *path) {
    struct pw_header header;
    long fd = raw_syscall4(SYS_openat, AT_FDCWD, RAW(path),
                           O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    long got = raw_syscall4(SYS_pread64, fd, RAW(&header), sizeof header, 0);
    raw_syscall3(SYS_close, fd, 0, 0);
    if (got != (long)sizeof header || memcmp(header.magic, PW_MAGIC, sizeof header.magic) != 0)
        return -1;
    return header.filters < INT_MAX ? (int)header.filters : INT_MAX;
}

static bool open_trace(const char *path, enum manner manner, struct trace_map *map,
                       struct trace_problem *problem) {
    long fd = raw_syscall4(SYS_openat, AT_FDCWD, RAW(path),
                           O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0)
        return fail(problem, "cannot be opened", fd);
    bool good = open_checked((int)fd, manner, map, problem);
    raw_syscall3(SYS_close, fd, 0, 0);
    return good;
}

bool trace_open(const char *path, struct trace_map *map, struct trace_problem *problem) {
    return open_trace(path, OPEN_CHECKED, map, problem);
}

bool trace_open_at_start(const char *path, bool is_below_run, struct trace_map *map,
                         struct trace_problem *problem) {
    return open_trace(path, is_below_run ? OPEN_BELOW_RUN : OPEN_AT_START, map, problem);
}
