/*
 * Who holds a port that was refused may be gone a moment later, so the one that was refused asks at
 * once, by sock_diag(7). Which process owns the socket stands in /proc, where `run` looks for it:
 * the guest is not to wait for that. Without `run` it looks itself, and the search is bounded in
 * time and in how often it is done.
 */
#include "shim/socket/holder_query.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "shim/gate.h"
#include "shim/identity.h"
#include "shim/real.h"
#include "shim/shared/port_table.h"
#include "shim/shared/raw_syscall.h"
#include "shim/shared/recorder.h"

enum {
    SOUGHT_MAX = 8, /* searches of a process through /proc */
    FOLDER_BYTES = 4096,
    PIDS_MAX = 16384,
    COMMAND_BYTES = 480
};

#define SEARCH_NS UINT64_C(20000000)

static _Atomic unsigned asked;
static _Atomic unsigned sought;

struct owner {
    uint32_t pid;
    uint64_t start_time;
    size_t command_length;
    char command[COMMAND_BYTES];
};

/* What would be too much for the stack of a signal handler. */
struct space {
    _Alignas(8) char reply[PORT_TABLE_BYTES];
    _Alignas(8) char folders[FOLDER_BYTES];
    _Alignas(8) char descriptors[FOLDER_BYTES];
    uint32_t pids[PIDS_MAX];
    struct owner owner;
};

static char *put_number(char *at, uint64_t number) {
    char digits[20];
    unsigned count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0)
        *at++ = digits[--count];
    *at = '\0';
    return at;
}

static char *put_text(char *at, const char *text) {
    size_t length = strlen(text);
    memcpy(at, text, length + 1);
    return at + length;
}

static void proc_path(char *path, uint32_t pid, const char *rest) {
    put_text(put_number(put_text(path, "/proc/"), pid), rest);
}

static long read_file(const char *path, char *text, size_t size) {
    long fd = raw_syscall4(SYS_openat, AT_FDCWD, RAW(path), O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    long got = raw_syscall3(SYS_read, fd, RAW(text), (long)size);
    raw_syscall3(SYS_close, fd, 0, 0);
    return got < 0 ? 0 : got;
}

/* Field 22 of /proc/PID/stat; the name before it may hold anything, so it ends at the last
 * parenthesis. */
static uint64_t read_start_time(uint32_t pid, char *text, size_t size) {
    char path[40];
    uint64_t number = 0;
    proc_path(path, pid, "/stat");
    long got = read_file(path, text, size - 1);
    text[got] = '\0';
    const char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    for (; at != NULL && at[1] >= '0' && at[1] <= '9'; at++)
        number = number * 10 + (uint64_t)(at[1] - '0');
    return number;
}

static void read_command(struct owner *owner) {
    char path[40];
    proc_path(path, owner->pid, "/cmdline");
    long got = read_file(path, owner->command, sizeof owner->command - 1);
    if (got == 0) {
        proc_path(path, owner->pid, "/comm");
        got = read_file(path, owner->command, sizeof owner->command - 1);
    }
    while (got > 0 && (owner->command[got - 1] == '\0' || owner->command[got - 1] == '\n'))
        got--;
    for (long i = 0; i < got; i++)
        if (owner->command[i] == '\0')
            owner->command[i] = ' ';
    owner->command_length = (size_t)got;
}

struct entry { /* linux_dirent64, getdents(2) */
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

static uint32_t number_of(const char *text) {
    uint32_t number = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (uint32_t)(*text - '0');
    return *text == '\0' ? number : 0;
}

/* Has the process a descriptor whose link reads so? */
static bool has_descriptor(uint32_t pid, const char *link, size_t length, char *buffer,
                           size_t size) {
    char path[40];
    char target[64];
    bool found = false;
    long got;
    proc_path(path, pid, "/fd");
    long folder =
        raw_syscall4(SYS_openat, AT_FDCWD, RAW(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (folder < 0)
        return false;
    while (!found && (got = raw_syscall3(SYS_getdents64, folder, RAW(buffer), (long)size)) > 0)
        for (long at = 0; at < got && !found;) {
            const struct entry *entry = (const struct entry *)(const void *)(buffer + at);
            long read =
                raw_syscall4(SYS_readlinkat, folder, RAW(entry->name), RAW(target), sizeof target);
            found = read == (long)length && memcmp(target, link, length) == 0;
            at += entry->size;
        }
    raw_syscall3(SYS_close, folder, 0, 0);
    return found;
}

/* The thread's processor time, so that a search finds as much on a busy machine as on an idle one.
 */
static uint64_t search_clock_ns(void) {
    struct timespec now;
    if (raw_syscall3(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, RAW(&now), 0) < 0)
        return monotonic_ns();
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* The processes that there are, in the order of /proc, and how many: the last PIDS_MAX of them are
 * kept, each at its number modulo that. Within the time of the search, which began at `begin`. */
static size_t list_processes(struct space *space, uint64_t begin) {
    size_t count = 0;
    long got;
    long proc =
        raw_syscall4(SYS_openat, AT_FDCWD, RAW("/proc"), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (proc < 0)
        return 0;
    while (search_clock_ns() - begin < SEARCH_NS &&
           (got = raw_syscall3(SYS_getdents64, proc, RAW(space->folders), FOLDER_BYTES)) > 0)
        for (long at = 0; at < got;) {
            const struct entry *entry = (const struct entry *)(const void *)(space->folders + at);
            uint32_t pid = number_of(entry->name);
            if (pid != 0)
                space->pids[count++ % PIDS_MAX] = pid;
            at += entry->size;
        }
    raw_syscall3(SYS_close, proc, 0, 0);
    return count;
}

/* Looks for a process that has the socket; pid 0 if none was found in time, or may be looked at.
 * /proc has the oldest first, which are the system's: whoever stands in the way of a test is rather
 * new. */
static void find_owner(uint32_t inode, struct space *space) {
    char link[40];
    uint64_t begin = search_clock_ns();
    struct owner *owner = &space->owner;
    size_t length = (size_t)(put_text(put_number(put_text(link, "socket:["), inode), "]") - link);
    size_t count = list_processes(space, begin);
    size_t first = count > PIDS_MAX ? count - PIDS_MAX : 0;
    for (size_t i = count; i > first && search_clock_ns() - begin < SEARCH_NS; i--) {
        uint32_t pid = space->pids[(i - 1) % PIDS_MAX];
        if (has_descriptor(pid, link, length, space->descriptors, FOLDER_BYTES)) {
            owner->pid = pid;
            break;
        }
    }
    if (owner->pid == 0)
        return;
    owner->start_time = read_start_time(owner->pid, space->folders, FOLDER_BYTES);
    read_command(owner);
}

static void write_answer(int fd, const struct socket_facts *facts, const struct ip_endpoint *wanted,
                         uint64_t number, const struct port_row *row, const struct owner *owner) {
    struct record record;
    unsigned texts = record_text_units(owner->command_length, 8);
    if (!record_begin(&record, PW_KIND_TABLE_ANSWER, 3 + texts, identity_serial(), fd,
                      monotonic_ns()))
        return;
    struct pw_start *start = &record.units[0].start;
    struct pw_socket *socket = &record.units[1].socket;
    struct pw_peer *peer = &record.units[2].peer;
    start->thread = identity_thread();
    start->source = PW_SOURCE_SHIM;
    start->cookie = facts->cookie;
    start->flags = PW_FLAG_HAS_ASSIGNED;
    socket->family = (uint8_t)(row != NULL ? row->family : facts->family);
    socket->type = facts->type;
    socket->protocol = facts->protocol;
    socket->netns = facts->netns;
    socket->uid = row != NULL ? row->uid : UINT32_MAX;
    memcpy(socket->assigned, row != NULL ? row->address : wanted->address, 16);
    socket->assigned_port = wanted->port;
    peer->code = row != NULL ? (uint16_t)row->state : 0;
    peer->inode = row != NULL ? row->inode : 0;
    peer->other_descriptor = -1;
    peer->other_cookie = row != NULL ? row->cookie : 0;
    peer->pid = owner->pid;
    peer->uid = row != NULL ? row->uid : UINT32_MAX;
    peer->start_time = owner->start_time;
    peer->record = number;
    record_text(&record, 3, owner->command, owner->command_length);
    record_commit(&record, 0);
}

/* A `run` that has ended searches for nobody, nor does one in whose view of processes we are not.
 */
static bool run_searches(void) {
    long pid = (long)recorder_facts()->supervisor_pid;
    long answer = pid > 0 && pid <= INT32_MAX ? raw_syscall3(SYS_kill, pid, 0, 0) : -ESRCH;
    return answer == 0 || answer == -EPERM;
}

static void record_rows(int fd, const struct socket_facts *facts, const struct ip_endpoint *wanted,
                        uint64_t number, const struct port_rows *rows, struct space *space) {
    struct owner *owner = &space->owner;
    bool is_ours = !run_searches();
    if (rows->count == 0)
        write_answer(fd, facts, wanted, number, NULL, owner);
    for (unsigned i = 0; i < rows->count; i++) {
        owner->pid = 0;
        owner->start_time = 0;
        owner->command_length = 0;
        if (is_ours && rows->list[i].inode != 0 && atomic_load(&sought) < SOUGHT_MAX &&
            atomic_fetch_add(&sought, 1) < SOUGHT_MAX)
            find_owner(rows->list[i].inode, space);
        write_answer(fd, facts, wanted, number, &rows->list[i], owner);
    }
}

void holder_query_record(int fd, const struct socket_facts *facts, const struct ip_endpoint *wanted,
                         uint64_t record) {
    struct port_rows rows = {.count = 0};
    if (gate() != GATE_OPEN || wanted->port == 0)
        return;
    unsigned most = recorder_facts()->questions;
    if (atomic_load(&asked) >= most || atomic_fetch_add(&asked, 1) >= most)
        return;
    long place = raw_syscall6(SYS_mmap, 0, sizeof(struct space), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place <= 0 && place > -4096)
        return;
    struct space *space = (struct space *)place;
    const struct port_question question = socket_port_question(facts, wanted);
    if (port_table_ask(&question, space->reply, &rows))
        record_rows(fd, facts, wanted, record, &rows, space);
    raw_syscall3(SYS_munmap, place, sizeof(struct space), 0);
}
