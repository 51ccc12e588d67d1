/*
 * dl_iterate_phdr takes the loader's lock, which a forked child of a threaded program may find held
 * for ever. The kernel's own list of mappings needs no lock and knows what dlopen brought later.
 */
#include "shim/process/module_map.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#include "shim/identity.h"
#include "shim/process/sandbox.h"
#include "shim/shared/rarely_touched.h"
#include "shim/shared/raw_syscall.h"
#include "shim/shared/recorder.h"

enum { RANGES_MAX = 256, PATH_BYTES = 512, LINE_BYTES = 600, BUILD_ID_BYTES = 20, SITES = 16 };

struct range {
    _Atomic uint64_t end; /* stored last; 0: free */
    _Atomic uint64_t begin;
    _Atomic unsigned kind; /* enum module_kind */
};

RARELY_TOUCHED static struct range ranges[RANGES_MAX];
static _Atomic bool jdk_is_known;
static _Atomic uint64_t latest_sites[SITES]; /* known for sure: a loop has few call sites */
static _Atomic unsigned ranges_used;

struct mapped_file {
    uint64_t begin;
    uint64_t end;
    uint64_t offset;
    bool is_code;        /* may be executed */
    uint64_t file_begin; /* where the mapping of the same file with offset 0 begins, 0: none */
    char path[PATH_BYTES];
};

static const struct range *find_range(uint64_t address) {
    unsigned used = atomic_load_explicit(&ranges_used, memory_order_acquire);
    for (unsigned i = 0; i < used && i < RANGES_MAX; i++)
        if (address < atomic_load_explicit(&ranges[i].end, memory_order_acquire) &&
            address >= atomic_load_explicit(&ranges[i].begin, memory_order_relaxed))
            return &ranges[i];
    return NULL;
}

static bool is_known(uint64_t address) { return find_range(address) != NULL; }

/* Whether the path ends in that name; the kernel marks a file that was replaced since. */
static bool is_called(const char *path, const char *name) {
    const char *slash = strrchr(path, '/');
    const char *last = slash != NULL ? slash + 1 : path;
    size_t length = strlen(name);
    return strncmp(last, name, length) == 0 &&
           (last[length] == '\0' || strcmp(last + length, " (deleted)") == 0);
}

static enum module_kind kind_of_file(const char *path) {
    static const char *const jdk[] = {"libnet.so", "libnio.so", "libextnet.so", "libjava.so"};
    for (unsigned i = 0; i < sizeof jdk / sizeof *jdk; i++)
        if (is_called(path, jdk[i]))
            return MODULE_OF_JDK;
    return MODULE_PLAIN;
}

static bool remember(uint64_t begin, uint64_t end, enum module_kind kind) {
    unsigned slot = atomic_fetch_add(&ranges_used, 1);
    if (slot >= RANGES_MAX) {
        atomic_store(&ranges_used, RANGES_MAX);
        return false;
    }
    atomic_store_explicit(&ranges[slot].begin, begin, memory_order_relaxed);
    atomic_store_explicit(&ranges[slot].kind, kind, memory_order_relaxed);
    atomic_store_explicit(&ranges[slot].end, end, memory_order_release);
    if (kind == MODULE_OF_JDK)
        atomic_store_explicit(&jdk_is_known, true, memory_order_relaxed);
    return true;
}

static const char *read_hex(const char *text, uint64_t *number) {
    for (*number = 0;; text++) {
        if (*text >= '0' && *text <= '9')
            *number = *number << 4 | (uint64_t)(*text - '0');
        else if (*text >= 'a' && *text <= 'f')
            *number = *number << 4 | (uint64_t)(*text - 'a' + 10);
        else
            return text;
    }
}

/* begin-end perms offset dev inode path (proc(5)). */
static void read_line(const char *line, struct mapped_file *mapping) {
    line = read_hex(line, &mapping->begin);
    line = read_hex(line + (*line == '-'), &mapping->end);
    mapping->is_code = strncmp(line, " r-x", 4) == 0;
    line += strcspn(line + (*line == ' '), " ") + 1;
    line = read_hex(line + (*line == ' '), &mapping->offset);
    for (int field = 0; field < 2; field++) {
        line += *line == ' ';
        line += strcspn(line, " ");
    }
    line += strspn(line, " ");
    size_t length = strlen(line);
    if (length >= sizeof mapping->path)
        length = sizeof mapping->path - 1;
    memcpy(mapping->path, line, length);
    mapping->path[length] = '\0';
}

/* /proc/self/maps, line by line; the buffer keeps what is left over. */
struct line_reader {
    long fd;
    size_t held;
    char bytes[LINE_BYTES + 1];
    struct mapped_file first; /* the latest that begins a file */
};

static bool open_maps(struct line_reader *reader) {
    reader->held = 0;
    reader->first.begin = 0;
    reader->first.path[0] = '\0';
    reader->fd =
        raw_syscall4(SYS_openat, AT_FDCWD, RAW("/proc/self/maps"), O_RDONLY | O_CLOEXEC, 0);
    return reader->fd >= 0;
}

static void close_maps(const struct line_reader *reader) {
    raw_syscall3(SYS_close, reader->fd, 0, 0);
}

static bool next_line(struct line_reader *reader, char line[LINE_BYTES + 1]) {
    char *end;
    reader->bytes[reader->held] = '\0';
    while ((end = memchr(reader->bytes, '\n', reader->held)) == NULL && reader->held < LINE_BYTES) {
        long got = raw_syscall3(SYS_read, reader->fd, RAW(reader->bytes + reader->held),
                                (long)(LINE_BYTES - reader->held));
        if (got <= 0)
            return false;
        reader->held += (size_t)got;
    }
    size_t length = end != NULL ? (size_t)(end - reader->bytes) : reader->held;
    memcpy(line, reader->bytes, length);
    line[length] = '\0';
    size_t used = end != NULL ? length + 1 : length;
    memmove(reader->bytes, reader->bytes + used, reader->held - used);
    reader->held -= used;
    return true;
}

static bool next_mapping(struct line_reader *reader, struct mapped_file *mapping) {
    char line[LINE_BYTES + 1];
    if (!next_line(reader, line))
        return false;
    read_line(line, mapping);
    if (mapping->offset == 0 && mapping->path[0] == '/')
        reader->first = *mapping;
    mapping->file_begin = strcmp(reader->first.path, mapping->path) == 0 ? reader->first.begin : 0;
    return true;
}

static bool find_mapping(uint64_t address, struct mapped_file *found) {
    struct line_reader reader;
    bool good = false;
    if (!open_maps(&reader))
        return false;
    while (!good && next_mapping(&reader, found))
        good = address >= found->begin && address < found->end;
    close_maps(&reader);
    return good;
}

/* Reads guest memory without the risk of a fault: the module may be unloaded at this moment. */
static bool read_memory(uint64_t from, void *into, size_t size) {
    struct iovec local = {into, size};
    struct iovec remote = {(void *)(uintptr_t)from, size};
    long pid = raw_syscall3(SYS_getpid, 0, 0, 0);
    return raw_syscall6(SYS_process_vm_readv, pid, RAW(&local), 1, RAW(&remote), 1, 0) ==
           (long)size;
}

static unsigned read_build_id(uint64_t base, uint8_t id[BUILD_ID_BYTES]) {
    ElfW(Ehdr) header;
    ElfW(Phdr) segment;
    struct {
        ElfW(Nhdr) header;
        char name[4];
        uint8_t id[BUILD_ID_BYTES];
    } note;
    if (base == 0 || !read_memory(base, &header, sizeof header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return 0;
    for (unsigned i = 0; i < header.e_phnum && i < 64; i++) {
        if (!read_memory(base + header.e_phoff + i * sizeof segment, &segment, sizeof segment))
            return 0;
        if (segment.p_type != PT_NOTE)
            continue;
        uint64_t at = base + segment.p_offset;
        uint64_t end = at + segment.p_filesz;
        while (at + sizeof note <= end && read_memory(at, &note, sizeof note)) {
            if (note.header.n_type == NT_GNU_BUILD_ID && memcmp(note.name, "GNU", 4) == 0) {
                unsigned size =
                    note.header.n_descsz < BUILD_ID_BYTES ? note.header.n_descsz : BUILD_ID_BYTES;
                memcpy(id, note.id, size);
                return size;
            }
            at += sizeof note.header + ((note.header.n_namesz + 3u) & ~3u) +
                  ((note.header.n_descsz + 3u) & ~3u);
        }
    }
    return 0;
}

static void record_map(const struct mapped_file *mapping, uint64_t begin) {
    struct record record;
    size_t length = strlen(mapping->path);
    unsigned units = 2 + record_text_units(length, PW_RECORD_UNITS_MAX - 2);
    if (!record_begin(&record, PW_KIND_MODULE, units, identity_serial(), -1, begin))
        return;
    struct pw_numbers *numbers = &record.units[1].numbers;
    record.units[0].start.thread = identity_thread();
    record.units[0].start.source = PW_SOURCE_SHIM;
    numbers->number[0] = mapping->begin;
    numbers->number[1] = mapping->end;
    numbers->number[2] = mapping->offset;
    numbers->code = read_build_id(mapping->file_begin, (uint8_t *)&numbers->number[3]);
    record_text(&record, 2, mapping->path, length);
    record_commit(&record, 0);
}

void module_note(const void *site) {
    uint64_t address = (uint64_t)(uintptr_t)site;
    struct mapped_file mapping;
    _Atomic uint64_t *latest = &latest_sites[address / 4 % SITES];
    if (atomic_load_explicit(latest, memory_order_relaxed) == address)
        return;
    if (is_known(address)) {
        atomic_store_explicit(latest, address, memory_order_relaxed);
        return;
    }
    if (sandbox_is_on() || atomic_load_explicit(&ranges_used, memory_order_relaxed) >= RANGES_MAX)
        return;
    uint64_t begin = monotonic_ns();
    if (!find_mapping(address, &mapping)) {
        remember(address, address + 1,
                 MODULE_PLAIN); /* no /proc here: do not try again at each call */
        return;
    }
    if (remember(mapping.begin, mapping.end, kind_of_file(mapping.path)))
        record_map(&mapping, begin);
}

bool module_of_jdk_is_known(void) {
    return atomic_load_explicit(&jdk_is_known, memory_order_relaxed);
}

enum module_kind module_kind(const void *site) {
    module_note(site);
    const struct range *range = find_range((uint64_t)(uintptr_t)site);
    return range != NULL ? atomic_load_explicit(&range->kind, memory_order_relaxed) : MODULE_PLAIN;
}

uint64_t module_begin(const char *name) {
    struct line_reader reader;
    struct mapped_file mapping;
    bool good = false;
    if (sandbox_is_on() || !open_maps(&reader))
        return 0;
    while (!good && next_mapping(&reader, &mapping))
        good = mapping.is_code && mapping.file_begin != 0 && is_called(mapping.path, name);
    close_maps(&reader);
    return good ? mapping.file_begin : 0;
}

void modules_note_all(void) {
    struct line_reader reader;
    struct mapped_file mapping;
    if (!open_maps(&reader))
        return;
    while (next_mapping(&reader, &mapping)) {
        if (!mapping.is_code || mapping.path[0] != '/' || is_known(mapping.begin))
            continue;
        if (!remember(mapping.begin, mapping.end, kind_of_file(mapping.path)))
            break;
        record_map(&mapping, monotonic_ns());
    }
    close_maps(&reader);
}
