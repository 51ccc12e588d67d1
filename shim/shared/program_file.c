/*
 * A static, setuid or foreign program never loads the shim, and nobody would know: so each program
 * is looked at before it starts, and what cannot be entered becomes a blind spot with its name.
 * Only reads with pread, since a mapped file could be cut under our hands.
 */
#include "shim/shared/program_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/shared/guest_memory.h"
#include "shim/shared/raw_syscall.h"

enum {
    SEGMENTS_MAX = 18,
    INTERPRETERS_MAX = 4,
    DYNAMIC_MAX = 64,
    STRTAB_MOST = 512,
    NOTES_MAX = 16
};

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#define OWN_LOADER "ld-linux-x86-64"
#else
#define OWN_MACHINE EM_AARCH64
#define OWN_LOADER "ld-linux-aarch64"
#endif

struct segments {
    ElfW(Phdr) entry[SEGMENTS_MAX];
    unsigned count;
};

static bool read_at(int fd, void *into, size_t size, uint64_t offset) {
    return raw_syscall4(SYS_pread64, fd, RAW(into), (long)size, (long)offset) == (long)size;
}

static const ElfW(Phdr) * find_segment(const struct segments *segments, unsigned type) {
    for (unsigned i = 0; i < segments->count; i++)
        if (segments->entry[i].p_type == type)
            return &segments->entry[i];
    return NULL;
}

static bool file_offset(const struct segments *segments, uint64_t address, uint64_t *offset) {
    for (unsigned i = 0; i < segments->count; i++) {
        const ElfW(Phdr) *segment = &segments->entry[i];
        if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
            address - segment->p_vaddr < segment->p_filesz) {
            *offset = address - segment->p_vaddr + segment->p_offset;
            return true;
        }
    }
    return false;
}

/* The dynamic runtimes refuse to work unless they are first (asan, hwasan) or miss their own
 * interceptors (tsan, lsan). */
static bool is_sanitizer(const char *soname) {
    static const char *const prefixes[] = {
        "libasan.so",       "libtsan.so",       "liblsan.so",        "libhwasan.so",
        "libclang_rt.asan", "libclang_rt.tsan", "libclang_rt.hwasan"};
    for (unsigned i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(soname, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

struct dynamic {
    ElfW(Dyn) entry[DYNAMIC_MAX];
    unsigned count;
};

/* The entries from number `from` on, up to the end of the section or of the room for them. */
static bool read_entries(int fd, const ElfW(Phdr) * segment, uint64_t from,
                         struct dynamic *dynamic) {
    const uint64_t all = segment->p_filesz / sizeof dynamic->entry[0];
    const uint64_t left = from < all ? all - from : 0;
    const uint64_t most = left < DYNAMIC_MAX ? left : DYNAMIC_MAX;
    long got =
        raw_syscall4(SYS_pread64, fd, RAW(dynamic->entry), (long)(most * sizeof dynamic->entry[0]),
                     (long)(segment->p_offset + from * sizeof dynamic->entry[0]));
    dynamic->count = got > 0 ? (unsigned)((size_t)got / sizeof dynamic->entry[0]) : 0;
    for (unsigned i = 0; i < dynamic->count; i++)
        if (dynamic->entry[i].d_tag == DT_NULL)
            dynamic->count = i;
    return dynamic->count > 0;
}

static const ElfW(Dyn) * find_entry(const struct dynamic *dynamic, long tag) {
    for (unsigned i = 0; i < dynamic->count; i++)
        if (dynamic->entry[i].d_tag == tag)
            return &dynamic->entry[i];
    return NULL;
}

/* Reads the first entries, and finds where in the file the section's strings are. */
static bool read_dynamic(int fd, const struct segments *segments, struct dynamic *dynamic,
                         uint64_t *names) {
    const ElfW(Phdr) *segment = find_segment(segments, PT_DYNAMIC);
    const ElfW(Dyn) *strings = NULL;
    uint64_t from = 0;
    if (segment == NULL)
        return false;
    for (; strings == NULL && from < STRTAB_MOST; from += DYNAMIC_MAX) {
        if (!read_entries(fd, segment, from, dynamic))
            return false;
        strings = find_entry(dynamic, DT_STRTAB);
    }
    return strings != NULL && file_offset(segments, strings->d_un.d_ptr, names) &&
           (from == DYNAMIC_MAX || read_entries(fd, segment, 0, dynamic));
}

static void find_sanitizer(int fd, const struct segments *segments, struct program_facts *facts) {
    struct dynamic begin;
    uint64_t names = 0;
    if (!read_dynamic(fd, segments, &begin, &names))
        return;
    for (unsigned i = 0; i < begin.count; i++) {
        char name[sizeof facts->sanitizer];
        if (begin.entry[i].d_tag != DT_NEEDED)
            continue;
        long got = raw_syscall4(SYS_pread64, fd, RAW(name), sizeof name - 1,
                                (long)(names + begin.entry[i].d_un.d_val));
        if (got <= 0)
            continue;
        name[got] = '\0';
        if (is_sanitizer(name)) {
            memcpy(facts->sanitizer, name, strlen(name) + 1);
            return;
        }
    }
}

/* Whether the loader of this C library, which honours LD_PRELOAD, will start it. */
static int loader_obstacle(int fd, const struct segments *segments) {
    char loader[256] = {0};
    const ElfW(Phdr) *segment = find_segment(segments, PT_INTERP);
    if (segment == NULL)
        return PW_BLIND_STATIC;
    size_t size = segment->p_filesz < sizeof loader - 1 ? segment->p_filesz : sizeof loader - 1;
    if (!read_at(fd, loader, size, segment->p_offset))
        return 0;
    return strstr(loader, OWN_LOADER) == NULL ? PW_BLIND_ARCHITECTURE : 0;
}

/* The Go linker leaves its build id in a note of the owner "Go" (cmd/internal/buildid). Such a
 * program calls the kernel past libc, so nothing of its own is seen, though the shim is in it. */
static bool is_go(int fd, const struct segments *segments) {
    struct {
        ElfW(Nhdr) header;
        char owner[4];
    } note;
    for (unsigned i = 0; i < segments->count; i++) {
        const ElfW(Phdr) *segment = &segments->entry[i];
        if (segment->p_type != PT_NOTE)
            continue;
        uint64_t at = segment->p_offset;
        uint64_t end = at + segment->p_filesz;
        for (unsigned notes = 0; notes < NOTES_MAX && at + sizeof note <= end; notes++) {
            if (!read_at(fd, &note, sizeof note, at))
                break;
            if (note.header.n_namesz == sizeof note.owner && memcmp(note.owner, "Go", 3) == 0)
                return true;
            at += sizeof note.header + ((note.header.n_namesz + UINT64_C(3)) & ~UINT64_C(3)) +
                  ((note.header.n_descsz + UINT64_C(3)) & ~UINT64_C(3));
        }
    }
    return false;
}

static void inspect_elf(int fd, const char *begin, struct program_facts *facts) {
    ElfW(Ehdr) header;
    struct segments segments = {.count = 0};
    memcpy(&header, begin, sizeof header);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != OWN_MACHINE) {
        facts->obstacle = PW_BLIND_ARCHITECTURE;
        facts->is_foreign = true;
        return;
    }
    if (header.e_phentsize != sizeof(ElfW(Phdr)))
        return;
    segments.count = header.e_phnum < SEGMENTS_MAX ? header.e_phnum : SEGMENTS_MAX;
    if (!read_at(fd, segments.entry, segments.count * sizeof(ElfW(Phdr)), header.e_phoff))
        return;
    facts->obstacle = loader_obstacle(fd, &segments);
    if (facts->obstacle != 0)
        return;
    find_sanitizer(fd, &segments, facts);
    if (is_go(fd, &segments))
        facts->obstacle = PW_BLIND_OWN_CALLS;
}

/* The loader goes into secure-execution mode for these (ld.so(8)) and ignores the preload. A set-id
 * program of the user's own ids changes nothing. */
static bool is_privileged(int fd, const struct stat *status) {
    char capabilities[32];
    if ((status->st_mode & S_ISUID) != 0 &&
        status->st_uid != (uid_t)raw_syscall3(SYS_getuid, 0, 0, 0))
        return true;
    if ((status->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
        status->st_gid != (gid_t)raw_syscall3(SYS_getgid, 0, 0, 0))
        return true;
    if (raw_syscall3(SYS_getuid, 0, 0, 0) == 0)
        return false; /* root gains nothing from file capabilities */
    return raw_syscall4(SYS_fgetxattr, fd, RAW("security.capability"), RAW(capabilities),
                        sizeof capabilities) > 0;
}

/* 1: a script, with its interpreter in `interpreter`; 0: looked at; -1: cannot be executed. */
static int inspect_open(int fd, struct program_facts *facts, char *interpreter, size_t size) {
    struct stat status;
    char begin[256];
    facts->is_foreign = false;
    if (raw_syscall4(SYS_newfstatat, fd, RAW(""), RAW(&status), AT_EMPTY_PATH) < 0 ||
        !S_ISREG(status.st_mode))
        return -1;
    if (is_privileged(fd, &status))
        facts->obstacle = PW_BLIND_SETUID;
    long got = raw_syscall4(SYS_pread64, fd, RAW(begin), sizeof begin - 1, 0);
    if (got < 0)
        got = 0;
    begin[got] = '\0';
    if (facts->obstacle == 0 && got >= (long)sizeof(ElfW(Ehdr)) &&
        memcmp(begin, ELFMAG, SELFMAG) == 0)
        inspect_elf(fd, begin, facts);
    if (got < 3 || begin[0] != '#' || begin[1] != '!')
        return 0;
    facts->obstacle = 0; /* set-id bits of scripts are ignored (execve(2)) */
    char *from = begin + 2 + strspn(begin + 2, " \t");
    size_t length = strcspn(from, " \t\r\n");
    if (length == 0 || length >= size)
        return 0;
    memcpy(interpreter, from, length);
    interpreter[length] = '\0';
    return 1;
}

/* Why a file was not opened; 0: what cannot be executed is no concern of ours. */
static int unopened(long error) {
    if (error == -EMFILE || error == -ENFILE)
        return PW_BLIND_UNEXAMINED;
    return error == -EACCES ? PW_BLIND_UNREADABLE : 0;
}

static bool inspect_file(const char *path, struct program_facts *facts) {
    char interpreter[256];
    char next[256];
    if (raw_syscall4(SYS_faccessat, AT_FDCWD, RAW(path), X_OK, 0) < 0)
        return false;
    for (int depth = 0; depth < INTERPRETERS_MAX; depth++) {
        long fd =
            raw_syscall4(SYS_openat, AT_FDCWD, RAW(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
        if (fd < 0) {
            facts->obstacle = unopened(fd);
            return true;
        }
        int kind = inspect_open((int)fd, facts, next, sizeof next);
        raw_syscall3(SYS_close, fd, 0, 0);
        if (kind <= 0)
            return kind == 0 || depth > 0;
        memcpy(interpreter, next, sizeof interpreter);
        path = interpreter;
    }
    return true;
}

/* FOLDER/name, where the folder of `length` bytes stands in facts->path already. */
static bool inspect_in_folder(const char *name, size_t length, struct program_facts *facts) {
    size_t name_length = strlen(name);
    if (length == 0)
        facts->path[length++] = '.';
    if (length + name_length + 2 >= sizeof facts->path)
        return false;
    facts->path[length] = '/';
    memcpy(facts->path + length + 1, name, name_length + 1);
    return inspect_file(facts->path, facts);
}

static bool search_in(const char *search_path, const char *name, struct program_facts *facts) {
    bool is_rest = false; /* of a folder's name that is too long */
    while (true) {
        long got = guest_copy_string(facts->path, sizeof facts->path, search_path);
        if (got < 0)
            return false;
        size_t length = strcspn(facts->path, ":");
        bool is_whole = got < (long)sizeof facts->path || facts->path[length] == ':';
        bool is_last = is_whole && facts->path[length] == '\0';
        if (is_whole && !is_rest && inspect_in_folder(name, length, facts))
            return true;
        if (is_last)
            return false;
        is_rest = !is_whole;
        search_path += length + is_whole;
    }
}

bool program_inspect(const char *name, const char *search_path, struct program_facts *facts) {
    char file[NAME_MAX + 1];
    facts->obstacle = 0;
    facts->sanitizer[0] = '\0';
    facts->is_foreign = false;
    long length = -1;
    if (name != NULL)
        length = guest_copy_string(facts->path, sizeof facts->path, name);
    if (length < 0) {
        facts->path[0] = '\0';
        return false;
    }
    if (search_path == NULL || strchr(facts->path, '/') != NULL)
        return inspect_file(facts->path, facts);
    if (length >= (long)sizeof file)
        return false; /* it is refused, ENAMETOOLONG */
    memcpy(file, facts->path, (size_t)length + 1);
    if (search_in(search_path, file, facts))
        return true;
    memcpy(facts->path, file, (size_t)length + 1);
    return false;
}

/* "/proc/self/fd/N" */
static void name_descriptor(char name[32], int fd) {
    static const char folder[] = "/proc/self/fd/";
    char digits[12];
    unsigned count = 0;
    memcpy(name, folder, sizeof folder - 1);
    for (unsigned rest = (unsigned)fd; count == 0 || rest > 0; rest /= 10)
        digits[count++] = (char)('0' + rest % 10);
    for (unsigned i = 0; i < count; i++)
        name[sizeof folder - 1 + i] = digits[count - 1 - i];
    name[sizeof folder - 1 + count] = '\0';
}

static bool can_read(int fd) {
    char byte;
    return read_at(fd, &byte, 1, 0);
}

bool program_inspect_descriptor(int fd, struct program_facts *facts) {
    char interpreter[256];
    char name[32];
    facts->obstacle = 0;
    facts->sanitizer[0] = '\0';
    facts->is_foreign = false;
    facts->path[0] = '\0';
    if (fd < 0)
        return false;
    name_descriptor(name, fd);
    long length =
        raw_syscall4(SYS_readlinkat, AT_FDCWD, RAW(name), RAW(facts->path), sizeof facts->path - 1);
    facts->path[length > 0 ? length : 0] = '\0';
    /* One opened with O_PATH cannot be read, and the guest's own is not to be touched. */
    long readable =
        raw_syscall4(SYS_openat, AT_FDCWD, RAW(name), O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    int kind =
        inspect_open(readable >= 0 ? (int)readable : fd, facts, interpreter, sizeof interpreter);
    if (readable >= 0)
        raw_syscall3(SYS_close, readable, 0, 0);
    if (kind == 1)
        inspect_file(interpreter, facts);
    else if (kind == 0 && facts->obstacle == 0 && readable < 0 && !can_read(fd))
        facts->obstacle = unopened(readable);
    return kind >= 0;
}
