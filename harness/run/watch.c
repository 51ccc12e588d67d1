/*
 * A process that is killed writes no end, so `run` sees to it with pidfds. Pids come from the trace
 * and repeat; a pidfd is trusted only when the start time behind it is the one in the trace.
 */
#include "harness/run/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/run/blind_spot.h"
#include "harness/run/unentered.h"
#include "harness/system/inner_processes.h"
#include "harness/system/process_facts.h"
#include "harness/trace/processes.h"
#include "shim/shared/recorder.h"

enum {
    WATCHED_MAX = 1 << 24, /* a damaged trace may name any number of processes */
    PIDS_MAX = 1 << 22,    /* the most that Linux has, proc(5) */
    REPORTS_WITHIN_MS = 500,
    PATH_BYTES = 1024
};

enum watched_state { WATCHED_NONE, WATCHED_LIVES, WATCHED_ENDED, WATCHED_UNKNOWN };

struct watched {
    uint64_t serial;
    uint64_t start_time;
    uint64_t executed_ns; /* began to execute a program that has not reported; 0: none */
    char *unseen;         /* that program, where it is plain that it will not report; NULL */
    uint32_t reason;      /* enum pw_blind, with unseen */
    pid_t pid;            /* here; 0: not found yet */
    uint32_t named;       /* the pid by which the shim names it, in its own PID namespace */
    int pidfd;            /* -1: none */
    uint8_t state;
    bool is_visible; /* what is not in /proc has ended */
    bool recorded_own_end;
    bool recorded_status;
};

void watch_start(struct watch *watch, int epoll, pid_t child, const char *trace) {
    struct stat status;
    *watch =
        (struct watch){.epoll = epoll, .child = child, .own_namespace = process_own_namespace()};
    if (stat(trace, &status) == 0) {
        watch->trace_owner = status.st_uid;
        watch->trace_mode = status.st_mode;
    } else {
        watch->trace_mode = S_IRWXO; /* nobody is known to be kept out */
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    watch->serial_by_pid = calloc(PIDS_MAX + 1, sizeof *watch->serial_by_pid);
    watch->pid_room = watch->serial_by_pid != NULL ? PIDS_MAX + 1 : 0;
}

static struct watched *find(const struct watch *watch, uint64_t serial) {
    uint32_t index = map_get(&watch->by_serial, serial);
    if (index == MAP_NONE || watch->processes[index].state == WATCHED_NONE)
        return NULL;
    return &watch->processes[index];
}

static struct watched *make(struct watch *watch, uint64_t serial) {
    uint32_t index = map_get(&watch->by_serial, serial);
    if (index != MAP_NONE)
        return &watch->processes[index];
    /* The highest numbers are no process's: they stand for other events. */
    if (serial == 0 || serial >= UINT64_MAX - 1 || watch->process_count >= WATCHED_MAX)
        return NULL;
    index = (uint32_t)watch->process_count++;
    watch->processes = memory_grow(watch->processes, &watch->process_room, watch->process_count,
                                   sizeof *watch->processes);
    watch->processes[index] = (struct watched){.serial = serial, .pidfd = -1};
    map_put(&watch->by_serial, serial, index);
    return &watch->processes[index];
}

static void append(struct watch_list *list, uint64_t serial) {
    list->serials = memory_grow(list->serials, &list->room, list->count + 1, sizeof *list->serials);
    list->serials[list->count++] = serial;
}

static void write_end(const struct watch *watch, uint64_t serial, const struct watched *process,
                      int status) {
    struct record record;
    if (!record_begin(&record, PW_KIND_PROCESS_EXIT, 2, serial, -1, monotonic_ns()))
        return;
    record.units[0].start.source = PW_SOURCE_RUN;
    if (status >= 0)
        record.units[0].start.flags = PW_FLAG_STATUS_KNOWN | PW_FLAG_STATUS(status) |
                                      (WIFSIGNALED(status) ? PW_FLAG_SIGNALLED : 0);
    record.units[1].process.pid = (uint32_t)process->pid;
    record.units[1].process.uid = UINT32_MAX;
    record.units[1].process.serial = serial;
    record.units[1].process.start_time = process->start_time;
    record.units[1].process.pid_namespace = watch->own_namespace;
    record_commit(&record, 0);
}

static bool wait_for(struct watch *watch, int pidfd, uint64_t serial, int operation) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = serial};
    return epoll_ctl(watch->epoll, operation, pidfd, &event) == 0;
}

/* The same process under a new serial: it executed another program. */
static bool take_over(struct watch *watch, uint64_t serial, struct watched *process) {
    uint64_t before = watch->serial_by_pid[process->pid];
    struct watched *old = find(watch, before);
    if (old == NULL || before == serial || old->start_time != process->start_time)
        return false;
    if (old->state != WATCHED_LIVES || !wait_for(watch, old->pidfd, serial, EPOLL_CTL_MOD))
        return false;
    process->pidfd = old->pidfd;
    process->state = WATCHED_LIVES;
    old->pidfd = -1;
    old->state = WATCHED_ENDED;
    return true;
}

static void give_up_on(struct watched *process) {
    process->state = WATCHED_UNKNOWN;
    recorder_lost(PW_LOST_PROCESS_ENDS, 1);
}

/* Out of descriptors, a process that lives must not be taken for one that has ended. */
static void open_pidfd(struct watch *watch, uint64_t serial, struct watched *process) {
    struct process_facts facts;
    int pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (pidfd < 0 && errno != ESRCH && errno != EINVAL) {
        give_up_on(process);
        return;
    }
    bool read = pidfd >= 0 && process_facts_read(process->pid, &facts);
    bool ended = pidfd < 0 || (!read && (errno == ENOENT || errno == ESRCH)) ||
                 (read && facts.start_time != process->start_time);
    if (!ended && read && wait_for(watch, pidfd, serial, EPOLL_CTL_ADD)) {
        process->pidfd = pidfd;
        process->state = WATCHED_LIVES;
        watch->living++;
        return;
    }
    if (pidfd >= 0)
        close(pidfd);
    if (!ended) {
        give_up_on(process);
        return;
    }
    process->state = WATCHED_ENDED;
    append(&watch->fresh, serial);
}

/* What ran under this pid before has reported, in the form of its successor. */
static void end_predecessor(struct watched *before, const struct pw_process *identity) {
    if (before->unseen == NULL || before->reason != PW_BLIND_UNEXAMINED ||
        unentered_is_named(before->unseen, identity->comm))
        before->executed_ns = 0;
    if (before->start_time == identity->start_time)
        before->recorded_own_end = true;
}

/* NULL: none. In another PID namespace nothing says when a pid is given again. */
static struct watched *predecessor(struct watch *watch, const struct pw_process *identity,
                                   bool is_here) {
    if (is_here)
        return identity->pid < watch->pid_room ? find(watch, watch->serial_by_pid[identity->pid])
                                               : NULL;
    uint32_t index =
        map_get(&watch->by_inner, processes_pid_key(identity->pid_namespace, identity->pid));
    if (index == MAP_NONE || watch->processes[index].start_time != identity->start_time)
        return NULL;
    return &watch->processes[index];
}

/* A process that is known by its pid here. */
static void begin_to_watch(struct watch *watch, uint64_t serial, struct watched *process) {
    if (!take_over(watch, serial, process))
        open_pidfd(watch, serial, process);
    watch->serial_by_pid[process->pid] = serial;
}

/* The PID namespaces that processes of the command make lie within ours. */
static bool is_visible(struct watch *watch, const struct pw_process *identity) {
    const struct watched *parent = find(watch, identity->parent);
    bool visible = identity->pid_namespace == watch->own_namespace ||
                   map_get(&watch->visible, identity->pid_namespace) != MAP_NONE ||
                   (parent != NULL && parent->is_visible);
    if (visible && identity->pid_namespace != watch->own_namespace)
        map_put(&watch->visible, identity->pid_namespace, 1);
    return visible;
}

static void add_foreign(struct watch *watch, const struct pw_process *identity) {
    watch->foreign = memory_grow(watch->foreign, &watch->foreign_room, watch->foreign_count + 1,
                                 sizeof *watch->foreign);
    struct watch_foreign *foreign = &watch->foreign[watch->foreign_count++];
    foreign->serial = identity->serial;
    foreign->pid_namespace = identity->pid_namespace;
}

/* `is_over`: it was recorded by who saw that it had ended. */
static void learn_start(struct watch *watch, const struct pw_process *identity, bool is_over) {
    struct watched *process = make(watch, identity->serial);
    if (process == NULL || process->state != WATCHED_NONE)
        return;
    bool is_here = watch->own_namespace != 0 && identity->pid_namespace == watch->own_namespace;
    process->pid = is_here ? (pid_t)identity->pid : 0;
    process->named = identity->pid;
    process->start_time = identity->start_time;
    process->pidfd = -1;
    process->state = WATCHED_UNKNOWN;
    process->is_visible = is_visible(watch, identity);
    struct watched *before = predecessor(watch, identity, is_here);
    if (before != NULL && before != process) {
        end_predecessor(before, identity);
        process->pid = before->pid;
    }
    if (!is_here)
        map_put(&watch->by_inner, processes_pid_key(identity->pid_namespace, identity->pid),
                (uint32_t)(process - watch->processes));
    bool is_known = watch->own_namespace != 0 && identity->pid_namespace != 0 &&
                    identity->start_time != 0 && identity->pid != 0 &&
                    identity->pid < watch->pid_room;
    if (is_over)
        process->state = WATCHED_ENDED;
    else if (!is_known)
        recorder_lost(PW_LOST_PROCESS_ENDS, 1);
    else if (process->pid != 0)
        begin_to_watch(watch, identity->serial, process);
    else
        add_foreign(watch, identity);
}

/* What is said of a process in another PID namespace, once it is known which one it is. */
static void resolve(struct watch *watch, const struct watch_foreign *foreign, pid_t pid,
                    bool is_sure) {
    struct watched *process = find(watch, foreign->serial);
    process->pid = pid;
    if (pid > 0 && (size_t)pid < watch->pid_room) {
        map_put(&watch->visible, foreign->pid_namespace, 1);
        begin_to_watch(watch, foreign->serial, process);
    } else if (is_sure && map_get(&watch->visible, foreign->pid_namespace) != MAP_NONE) {
        process->state = WATCHED_ENDED;
        append(&watch->fresh, foreign->serial);
    } else {
        give_up_on(process);
    }
}

/* Those that came since the last time, in one walk through /proc. */
static void resolve_foreign(struct watch *watch) {
    if (watch->foreign_count == 0)
        return;
    struct inner_process *inner = memory_zeroed(watch->foreign_count, sizeof *inner);
    for (size_t i = 0; i < watch->foreign_count; i++) {
        const struct watched *process = find(watch, watch->foreign[i].serial);
        inner[i] = (struct inner_process){.pid_namespace = watch->foreign[i].pid_namespace,
                                          .start_time = process->start_time,
                                          .inner_pid = process->named};
    }
    bool is_sure = inner_processes_find(inner, watch->foreign_count);
    for (size_t i = 0; i < watch->foreign_count; i++)
        resolve(watch, &watch->foreign[i], inner[i].pid, is_sure);
    free(inner);
    watch->foreign_count = 0;
}

/* A program started by a user whom the trace's permissions keep out. The group is not looked at:
 * who is in which is not known here. */
static bool is_barred(const struct watch *watch, uint32_t user) {
    return user != 0 && user != UINT32_MAX && user != watch->trace_owner &&
           (watch->trace_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* Where programs are seen by other means, it is they who say what was not seen. */
static bool is_unexamined(const struct trace_record *record) {
    return PW_OBSTACLE_OF_FLAGS(record->flags) == PW_BLIND_UNEXAMINED &&
           recorder_header()->capture == 0;
}

/* The shim has said why it cannot enter it; unless others see it, that is named in the end. */
static bool is_named_otherwise(const struct trace_record *record) {
    unsigned reason = PW_OBSTACLE_OF_FLAGS(record->flags);
    return reason != 0 && reason != PW_BLIND_UNEXAMINED;
}

static void learn_exec(struct watch *watch, const struct trace_record *record) {
    struct watched *process = find(watch, record->process);
    if (process == NULL || process->named != record->identity->pid)
        return;
    bool listed = process->executed_ns != 0;
    bool waits = record->kind == PW_KIND_EXEC && !is_named_otherwise(record);
    process->executed_ns = waits ? record->end_ns : 0;
    free(process->unseen);
    process->unseen = NULL;
    if (waits && !listed)
        append(&watch->executing, record->process);
    bool barred = is_barred(watch, record->identity->uid);
    if (!waits || record->text == NULL || (!barred && !is_unexamined(record)))
        return;
    process->unseen = memory_copy(record->text, record->text_length);
    process->reason = barred ? PW_BLIND_NO_ACCESS : PW_BLIND_UNEXAMINED;
}

/* The shim knows why a program will not report and says so itself. */
static void learn_blind_spot(struct watch *watch, const struct trace_record *record) {
    struct watched *process = find(watch, record->process);
    if (process != NULL && record->numbers->number[0] == process->named)
        process->executed_ns = 0;
}

void watch_learn(struct watch *watch, const struct trace_record *record) {
    if (!record->committed || record->source == PW_SOURCE_RUN ||
        (record->flags & PW_FLAG_STRANGER) != 0) /* nobody waits for his end */
        return;
    if (record->kind == PW_KIND_BLIND_SPOT && record->numbers != NULL)
        learn_blind_spot(watch, record);
    if (record->identity == NULL)
        return;
    if (record->kind == PW_KIND_PROCESS_START)
        learn_start(watch, record->identity,
                    record->source != PW_SOURCE_SHIM && record->identity->start_time == 0);
    if (record->kind == PW_KIND_EXEC || record->kind == PW_KIND_EXEC_FAILED)
        learn_exec(watch, record);
    struct watched *ended =
        record->kind == PW_KIND_PROCESS_EXIT ? find(watch, record->process) : NULL;
    if (ended == NULL)
        return;
    ended->recorded_own_end = true;
    ended->recorded_status = (record->flags & PW_FLAG_STATUS_KNOWN) != 0;
}

/* Only the command is our own child. -1 for all others. */
static int known_status(const struct watch *watch, const struct watched *process) {
    return process->pid == watch->child && watch->child_ended ? watch->child_status : -1;
}

void watch_ended(struct watch *watch, uint64_t serial) {
    struct watched *process = find(watch, serial);
    if (process == NULL || process->state != WATCHED_LIVES)
        return;
    int status = known_status(watch, process);
    epoll_ctl(watch->epoll, EPOLL_CTL_DEL, process->pidfd, NULL);
    process->state = WATCHED_ENDED;
    watch->living--;
    write_end(watch, serial, process, status);
    process->recorded_status = process->recorded_status || status >= 0;
    append(&watch->ended, serial);
}

/* The kernel reports a status only when the parent has asked for it, which may take its time. */
static void settle_ended(struct watch *watch) {
    size_t kept = 0;
    for (size_t i = 0; i < watch->ended.count; i++) {
        uint64_t serial = watch->ended.serials[i];
        struct watched *process = find(watch, serial);
        int status;
        if (!process->recorded_status && !process_exit_status(process->pidfd, &status)) {
            watch->ended.serials[kept++] = serial;
            continue;
        }
        if (!process->recorded_status)
            write_end(watch, serial, process, status);
        close(process->pidfd);
        process->pidfd = -1;
    }
    watch->ended.count = kept;
}

void watch_settle(struct watch *watch) {
    resolve_foreign(watch);
    for (size_t i = 0; i < watch->ripe.count; i++) {
        const struct watched *process = find(watch, watch->ripe.serials[i]);
        if (process != NULL && !process->recorded_own_end)
            write_end(watch, watch->ripe.serials[i], process, known_status(watch, process));
    }
    settle_ended(watch);
    /* A round that was under way when a process was found dead may have missed its last record. */
    struct watch_list empty = watch->ripe;
    empty.count = 0;
    watch->ripe = watch->fresh;
    watch->fresh = empty;
}

static char *program_of(pid_t pid) {
    char link[64];
    char path[PATH_BYTES];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
    ssize_t length = readlink(link, path, sizeof path);
    return length > 0 ? memory_copy(path, (size_t)length) : NULL;
}

/* A process that is stopped or ending had no chance to report. */
static void look_at(struct watched *process) {
    struct process_facts facts;
    bool waited = monotonic_ns() - process->executed_ns > REPORTS_WITHIN_MS * UINT64_C(1000000);
    if (process->unseen == NULL && waited && process->state == WATCHED_LIVES &&
        process_facts_read(process->pid, &facts) && strchr("RSD", facts.state) != NULL) {
        process->unseen = program_of(process->pid);
        process->reason = PW_BLIND_UNSEEN;
    }
}

void watch_look(struct watch *watch) {
    size_t kept = 0;
    for (size_t i = 0; i < watch->executing.count; i++) {
        uint64_t serial = watch->executing.serials[i];
        struct watched *process = find(watch, serial);
        if (process->executed_ns == 0)
            continue;
        look_at(process);
        watch->executing.serials[kept++] = serial;
    }
    watch->executing.count = kept;
}

void watch_record_unseen(struct watch *watch) {
    for (size_t i = 0; i < watch->executing.count; i++) {
        uint64_t serial = watch->executing.serials[i];
        const struct watched *process = find(watch, serial);
        if (process->executed_ns == 0 || process->unseen == NULL)
            continue;
        blind_spot_record(process->reason, serial, (uint32_t)process->pid, process->unseen);
    }
}

bool watch_lives(const struct watch *watch, uint64_t serial) {
    const struct watched *process = find(watch, serial);
    if (process == NULL || process->state != WATCHED_LIVES)
        return false;
    struct pollfd end = {.fd = process->pidfd, .events = POLLIN};
    return poll(&end, 1, 0) == 0;
}

void watch_each_living(const struct watch *watch, watch_take *take, void *with) {
    for (size_t i = 0; i < watch->process_count; i++)
        if (watch_lives(watch, watch->processes[i].serial))
            take(with, watch->processes[i].serial, watch->processes[i].pid);
}

static void free_list(struct watch_list *list) { free(list->serials); }

void watch_stop(struct watch *watch) {
    for (size_t i = 0; i < watch->process_count; i++) {
        if (watch->processes[i].state != WATCHED_NONE && watch->processes[i].pidfd >= 0)
            close(watch->processes[i].pidfd);
        free(watch->processes[i].unseen);
    }
    free(watch->processes);
    map_free(&watch->by_serial);
    free(watch->serial_by_pid);
    free(watch->foreign);
    map_free(&watch->by_inner);
    map_free(&watch->visible);
    free_list(&watch->fresh);
    free_list(&watch->ripe);
    free_list(&watch->executing);
    free_list(&watch->ended);
}
