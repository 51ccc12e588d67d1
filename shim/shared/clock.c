/*
 * clock_gettime is a symbol that others wrap too (libfaketime, sanitizers). The times in a trace
 * must be the kernel's, equal in every process, so the vDSO's entry is looked up here without libc.
 */
#include "shim/shared/clock.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>

#include "shim/shared/raw_file.h"
#include "shim/shared/raw_syscall.h"

typedef int (*clock_function)(clockid_t, struct timespec *);

#if defined(__x86_64__)
#define VDSO_CLOCK "__vdso_clock_gettime"
#else
#define VDSO_CLOCK "__kernel_clock_gettime"
#endif

enum { PAIR_ROUNDS = 8, PAIR_NARROW_NS = 1000, PAIR_SAME_NS = 2000 };

/* 2020: a machine that does not know the time begins each boot at the same one, long before. */
#define EARLIEST_KNOWN_NS (UINT64_C(1577836800) * 1000000000u)

static _Atomic bool coarse; /* CLOCK_MONOTONIC by ticks, which the vDSO always has in memory */
static _Atomic uint64_t last_asked;

static int clock_by_syscall(clockid_t clock, struct timespec *now) {
    long answer = raw_syscall3(SYS_clock_gettime, clock, RAW(now), 0);
    if (answer == 0 && clock == CLOCK_MONOTONIC)
        atomic_store_explicit(&last_asked, (uint64_t)now->tv_sec, memory_order_relaxed);
    else if (answer < 0 && raw_syscalls_are_forbidden())
        now->tv_sec = (time_t)atomic_load_explicit(&last_asked, memory_order_relaxed);
    return (int)answer;
}

struct vdso {
    const char *base;
    ElfW(Addr) bias;
    const ElfW(Sym) * symbols;
    const char *names;
    const Elf32_Word *hash; /* DT_HASH: buckets, chains; chains equals the number of symbols */
    const Elf32_Word *gnu_hash;
};

static void read_dynamic(struct vdso *vdso, const ElfW(Dyn) * dynamic) {
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        const char *at = (const char *)(dynamic->d_un.d_ptr + vdso->bias);
        if (dynamic->d_tag == DT_SYMTAB)
            vdso->symbols = (const ElfW(Sym) *)(const void *)at;
        else if (dynamic->d_tag == DT_STRTAB)
            vdso->names = at;
        else if (dynamic->d_tag == DT_HASH)
            vdso->hash = (const Elf32_Word *)(const void *)at;
        else if (dynamic->d_tag == DT_GNU_HASH)
            vdso->gnu_hash = (const Elf32_Word *)(const void *)at;
    }
}

/* A table without DT_HASH is measured by its last GNU hash chain. */
static unsigned symbol_count(const struct vdso *vdso) {
    if (vdso->hash != NULL)
        return vdso->hash[1];
    if (vdso->gnu_hash == NULL)
        return 0;
    unsigned buckets = vdso->gnu_hash[0];
    unsigned first = vdso->gnu_hash[1];
    const Elf32_Word *bucket =
        vdso->gnu_hash + 4 + (size_t)vdso->gnu_hash[2] * (sizeof(ElfW(Addr)) / sizeof(Elf32_Word));
    const Elf32_Word *chain = bucket + buckets;
    unsigned last = 0;
    for (unsigned i = 0; i < buckets; i++)
        last = bucket[i] > last ? bucket[i] : last;
    if (last < first)
        return first;
    while ((chain[last - first] & 1) == 0)
        last++;
    return last + 1;
}

static clock_function find_clock(void) {
    struct vdso vdso = {.base = (const char *)getauxval(AT_SYSINFO_EHDR)};
    if (vdso.base == NULL)
        return clock_by_syscall;
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)(const void *)vdso.base;
    const ElfW(Phdr) *segment = (const ElfW(Phdr) *)(const void *)(vdso.base + header->e_phoff);
    const ElfW(Phdr) *dynamic = NULL;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (segment[i].p_type == PT_LOAD && segment[i].p_offset == 0)
            vdso.bias = (ElfW(Addr))vdso.base - segment[i].p_vaddr;
        if (segment[i].p_type == PT_DYNAMIC)
            dynamic = &segment[i];
    }
    if (dynamic == NULL)
        return clock_by_syscall;
    read_dynamic(&vdso, (const ElfW(Dyn) *)(dynamic->p_vaddr + vdso.bias));
    if (vdso.symbols == NULL || vdso.names == NULL)
        return clock_by_syscall;
    unsigned count = symbol_count(&vdso);
    for (unsigned i = 0; i < count; i++) {
        const ElfW(Sym) *symbol = &vdso.symbols[i];
        if (symbol->st_value != 0 && strcmp(vdso.names + symbol->st_name, VDSO_CLOCK) == 0)
            return (clock_function)(symbol->st_value + vdso.bias);
    }
    return clock_by_syscall;
}

/* The clock sources that the vDSO reads itself; any other is the kernel's alone
 * (arch/x86/include/asm/vdso/clocksource.h, drivers/clocksource/arm_arch_timer.c). */
static bool is_readable_source(const char *name) {
    static const char *const readable[] = {"tsc\n", "kvm-clock\n", "hyperv_clocksource_tsc_page\n",
                                           "arch_sys_counter\n"};
    for (unsigned i = 0; i < sizeof readable / sizeof *readable; i++)
        if (strcmp(name, readable[i]) == 0)
            return true;
    return false;
}

void clock_avoid_syscalls(void) {
    char name[64];
    raw_file_read_text("/sys/devices/system/clocksource/clocksource0/current_clocksource", name,
                       sizeof name);
    if (!is_readable_source(name))
        atomic_store_explicit(&coarse, true, memory_order_relaxed);
}

uint64_t clock_ns(clockid_t clock) {
    static _Atomic(clock_function) found;
    clock_function function = atomic_load_explicit(&found, memory_order_relaxed);
    if (function == NULL) {
        function = find_clock();
        atomic_store_explicit(&found, function, memory_order_relaxed);
    }
    struct timespec now = {0};
    if (clock == CLOCK_MONOTONIC && atomic_load_explicit(&coarse, memory_order_relaxed))
        clock = CLOCK_MONOTONIC_COARSE;
    function(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static _Atomic int64_t ahead_ns; /* of the host's clock */
static _Atomic bool children_differ;

static int64_t parse_number(const char **at) {
    int64_t number = 0;
    while (**at == ' ')
        ++*at;
    bool negative = **at == '-';
    *at += negative;
    for (; **at >= '0' && **at <= '9'; ++*at)
        number = number * 10 + (**at - '0');
    return negative ? -number : number;
}

/* The offsets in /proc are those of the children's namespace; they are our own where it is ours. */
static bool is_namespace_of_children(void) {
    char own[64] = "";
    char children[64] = "";
    long length =
        raw_syscall4(SYS_readlinkat, AT_FDCWD, RAW("/proc/self/ns/time"), RAW(own), sizeof own);
    long other = raw_syscall4(SYS_readlinkat, AT_FDCWD, RAW("/proc/self/ns/time_for_children"),
                              RAW(children), sizeof children);
    return length > 0 && length == other && memcmp(own, children, (size_t)length) == 0;
}

void clock_find_namespace(void) {
    char text[256];
    raw_file_read_text("/proc/self/timens_offsets", text, sizeof text);
    if (strncmp(text, "monotonic", 9) != 0)
        return; /* before Linux 5.6 there is one time for all */
    const char *at = text + 9;
    int64_t seconds = parse_number(&at);
    int64_t offset = seconds * 1000000000 + parse_number(&at);
    if (offset == 0 || is_namespace_of_children())
        atomic_store_explicit(&ahead_ns, offset, memory_order_relaxed);
}

void clock_children_differ(void) {
    atomic_store_explicit(&children_differ, true, memory_order_relaxed);
}

void clock_enter_child(void) {
    if (atomic_exchange_explicit(&children_differ, false, memory_order_relaxed))
        clock_find_namespace();
}

uint64_t clock_host_ns(void) {
    int64_t ahead = atomic_load_explicit(&ahead_ns, memory_order_relaxed);
    return clock_ns(CLOCK_MONOTONIC) - (uint64_t)ahead;
}

/* One clock is read before and after the other; what comes between, such as another process, shows
 * in the width, and then it is done again. */
struct clock_pair clock_pair(void) {
    struct clock_pair pair = {0};
    uint64_t width = UINT64_MAX;
    for (unsigned i = 0; i < PAIR_ROUNDS && width > PAIR_NARROW_NS; i++) {
        uint64_t before = clock_host_ns();
        uint64_t realtime = clock_ns(CLOCK_REALTIME);
        uint64_t after = clock_host_ns();
        if (after - before >= width)
            continue;
        width = after - before;
        pair = (struct clock_pair){before + width / 2, realtime};
    }
    return pair;
}

bool clock_is_shared_with(const struct clock_pair *other) {
    if (other->realtime_ns < EARLIEST_KNOWN_NS)
        return false;
    struct clock_pair own = clock_pair();
    uint64_t here = own.realtime_ns - own.monotonic_ns;
    uint64_t there = other->realtime_ns - other->monotonic_ns;
    return other->monotonic_ns <= own.monotonic_ns + PAIR_SAME_NS &&
           here - there + PAIR_SAME_NS <= 2 * PAIR_SAME_NS;
}
