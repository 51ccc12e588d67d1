/* Ordinary traces, damaged in many ways: whatever reads them must come to an end, and with a status
 * of its own.
 *
 *   mutated_traces [--seed N] [--count N] [--seconds N] [--keep FILE] TRACE...
 *
 * Each mutant is read by `ports`, `export` and `check` in a process of its own that may use so many
 * seconds of processor time. Fails where one ends by a signal, or with a status that is none of 0
 * to 3; the mutant is left in FILE. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/splitmix.h"
#include "harness/cli/commands.h"
#include "shim/shared/trace_format.h"

enum { UNITS_MAX = 1 << 16, RECORDS_MAX = UNITS_MAX, WAYS_AT_ONCE = 3 };

static uint64_t state;
static uint64_t draw(void) { return splitmix(&state); }
static size_t below(size_t limit) { return limit == 0 ? 0 : (size_t)(draw() % limit); }

struct trace {
    struct pw_header header;
    union pw_unit *units;
    size_t count;
    size_t *records; /* where each begins */
    size_t record_count;
    uint64_t file_bytes;
};

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (memory == NULL)
        abort();
    return memory;
}

static struct pw_start *start_of(struct trace *trace, size_t record) {
    return &trace->units[trace->records[record]].start;
}

static unsigned length_of(struct trace *trace, size_t record) {
    return PW_HEAD_COUNT(atomic_load(&start_of(trace, record)->head));
}

static void find_records(struct trace *trace) {
    trace->record_count = 0;
    for (size_t i = 0; i < trace->count; i++) {
        uint32_t head = trace->units[i].text.head;
        if (PW_HEAD_TAG(head) == PW_TAG_START && PW_HEAD_COUNT(head) > 0 &&
            i + PW_HEAD_COUNT(head) <= trace->count)
            trace->records[trace->record_count++] = i;
    }
}

static bool load(const char *path, struct trace *trace) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 ||
        pread(file, &trace->header, sizeof trace->header, 0) != (ssize_t)sizeof trace->header) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    trace->units = allocate(UNITS_MAX, sizeof *trace->units);
    trace->records = allocate(RECORDS_MAX, sizeof *trace->records);
    trace->count = atomic_load(&trace->header.next_unit);
    trace->count = trace->count < UNITS_MAX / 4 ? trace->count : UNITS_MAX / 4;
    ssize_t got = pread(file, trace->units, trace->count * sizeof *trace->units,
                        (off_t)trace->header.units_offset);
    trace->count = got < 0 ? 0 : (size_t)got / sizeof *trace->units;
    trace->file_bytes = (uint64_t)lseek(file, 0, SEEK_END);
    close(file);
    find_records(trace);
    return trace->record_count > 0;
}

static void copy(struct trace *to, const struct trace *from) {
    memcpy(&to->header, &from->header, sizeof to->header);
    memcpy(to->units, from->units, from->count * sizeof *from->units);
    memcpy(to->records, from->records, from->record_count * sizeof *from->records);
    to->count = from->count;
    to->record_count = from->record_count;
    to->file_bytes = from->file_bytes;
}

/* The ways of damage. Each is applied to a whole, well-formed trace or to what others left. */

static void flip_bytes(struct trace *trace) {
    unsigned char *bytes = (unsigned char *)trace->units;
    for (size_t i = 1 + below(64); i-- > 0;)
        bytes[below(trace->count * sizeof *trace->units)] = (unsigned char)draw();
}

/* Words that stood elsewhere mean something: another's cookie, serial or time. */
static void move_words(struct trace *trace) {
    static const uint64_t odd[] = {0, 1, UINT64_MAX, INT64_MAX, UINT32_MAX, UINT64_C(1) << 48};
    uint64_t *words = (uint64_t *)(void *)trace->units;
    size_t count = trace->count * sizeof *trace->units / sizeof *words;
    for (size_t i = 1 + below(64); i-- > 0;) {
        size_t to = below(count);
        if (to % 8 == 0 && below(8) != 0)
            continue; /* most heads are left alone, so that a record stays one */
        words[to] = below(4) == 0 ? odd[below(sizeof odd / sizeof *odd)] : words[below(count)];
    }
}

static void append_record(struct trace *trace, size_t record) {
    unsigned length = length_of(trace, record);
    if (trace->count + length > UNITS_MAX || trace->record_count == RECORDS_MAX)
        return;
    /* A damaged head may say more than is left up to the end. */
    memmove(&trace->units[trace->count], &trace->units[trace->records[record]],
            length * sizeof *trace->units);
    trace->records[trace->record_count++] = trace->count;
    trace->count += length;
}

static void repeat_records(struct trace *trace) {
    for (size_t i = 1 + below(64); i-- > 0;)
        append_record(trace, below(trace->record_count));
}

static void repeat_one_often(struct trace *trace) {
    size_t record = below(trace->record_count);
    for (size_t i = below(2000); i-- > 0;)
        append_record(trace, record);
}

static void repeat_all(struct trace *trace) {
    size_t count = trace->record_count;
    for (size_t times = 1 + below(4); times-- > 0;)
        for (size_t i = 0; i < count; i++)
            append_record(trace, i);
}

static void swap_records(struct trace *trace) {
    for (size_t i = 1 + below(64); i-- > 0;) {
        size_t one = trace->records[below(trace->record_count)];
        size_t other = trace->records[below(trace->record_count)];
        union pw_unit kept = trace->units[one];
        trace->units[one] = trace->units[other];
        trace->units[other] = kept;
    }
}

static void share_cookies(struct trace *trace) {
    size_t few = 1 + below(4);
    uint64_t cookies[4];
    for (size_t i = 0; i < 4; i++)
        cookies[i] = start_of(trace, below(trace->record_count))->cookie;
    for (size_t i = 0; i < trace->record_count; i++) {
        union pw_unit *unit = &trace->units[trace->records[i]];
        if (below(4) != 0)
            unit->start.cookie = cookies[below(few)];
        if (PW_HEAD_KIND(unit->start.head) == PW_KIND_ACCEPT && length_of(trace, i) > 2 &&
            below(4) != 0)
            unit[2].peer.other_cookie = cookies[below(few)];
    }
}

static void share_serials(struct trace *trace) {
    uint64_t few = 1 + below(6);
    for (size_t i = 0; i < trace->record_count; i++)
        if (below(3) == 0)
            start_of(trace, i)->process = 1 + below(few);
}

/* Who forked whom, and which program came before which, at random: rings among them. */
static void mix_families(struct trace *trace) {
    uint64_t few = 1 + below(8);
    for (size_t i = 0; i < trace->record_count; i++) {
        union pw_unit *unit = &trace->units[trace->records[i]];
        unsigned kind = PW_HEAD_KIND(unit->start.head);
        if ((kind != PW_KIND_PROCESS_START && kind != PW_KIND_FORK &&
             kind != PW_KIND_PROCESS_EXIT) ||
            length_of(trace, i) < 2)
            continue;
        unit->start.process = 1 + below(few);
        unit[1].process.serial = 1 + below(few);
        unit[1].process.parent = below(few + 1);
        unit[1].process.pid = (uint32_t)(100 + below(few));
        unit[1].process.parent_pid = (uint32_t)(100 + below(few));
        unit[1].process.start_time = below(2);
        unit->start.flags = below(2) == 0 ? PW_FLAG_BY_FORK : PW_FLAG_BY_EXEC;
    }
}

static void share_descriptors(struct trace *trace) {
    for (size_t i = 0; i < trace->record_count; i++)
        if (below(2) == 0)
            start_of(trace, i)->descriptor = (int)below(3);
}

static void change_kinds(struct trace *trace) {
    for (size_t i = 1 + below(64); i-- > 0;) {
        struct pw_start *start = start_of(trace, below(trace->record_count));
        uint32_t head = start->head;
        start->head = PW_HEAD(PW_TAG_START, PW_HEAD_COUNT(head), 1 + below(PW_KIND_END),
                              below(8) == 0 ? PW_STATE_BEGUN : PW_STATE_COMMITTED);
    }
}

static void change_times(struct trace *trace) {
    for (size_t i = 1 + below(64); i-- > 0;) {
        struct pw_start *start = start_of(trace, below(trace->record_count));
        const struct pw_start *other = start_of(trace, below(trace->record_count));
        start->begin_ns = below(4) == 0 ? 0 : other->begin_ns;
        start->end_ns = below(4) == 0 ? UINT64_MAX : other->end_ns;
    }
}

static void change_flags(struct trace *trace) {
    for (size_t i = 1 + below(64); i-- > 0;) {
        struct pw_start *start = start_of(trace, below(trace->record_count));
        start->flags ^= UINT64_C(1) << below(64);
        start->error = below(3) == 0 ? EADDRINUSE : 0;
    }
}

static void change_header(struct trace *trace) {
    uint64_t *words = (uint64_t *)(void *)&trace->header;
    for (size_t i = 1 + below(3); i-- > 0;)
        words[4 + below(sizeof trace->header / sizeof *words - 4)] =
            below(2) == 0 ? UINT64_MAX >> below(64) : draw();
}

static void claim_more_units(struct trace *trace) {
    atomic_store(&trace->header.next_unit, draw() >> below(64));
    trace->header.capacity = UINT64_C(1) << (20 + below(43));
    trace->file_bytes = UINT64_C(1) << (20 + below(23));
}

static void (*const ways[])(struct trace *) = {
    flip_bytes,   move_words,    repeat_records, repeat_one_often, repeat_all,
    swap_records, share_cookies, share_serials,  mix_families,     share_descriptors,
    change_kinds, change_times,  change_flags,   change_header,    claim_more_units,
};

static void mutate(struct trace *trace) {
    atomic_store(&trace->header.next_unit, 0);
    for (size_t i = 1 + below(WAYS_AT_ONCE); i-- > 0;)
        ways[below(sizeof ways / sizeof *ways)](trace);
    if (atomic_load(&trace->header.next_unit) == 0)
        atomic_store(&trace->header.next_unit, trace->count);
}

static bool store(const char *path, const struct trace *trace) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t bytes = trace->count * sizeof *trace->units;
    bool good =
        file >= 0 &&
        pwrite(file, &trace->header, sizeof trace->header, 0) == (ssize_t)sizeof trace->header &&
        pwrite(file, trace->units, bytes, PW_UNITS_OFFSET) == (ssize_t)bytes;
    if (good && trace->file_bytes > PW_UNITS_OFFSET + bytes)
        good = ftruncate(file, (off_t)trace->file_bytes) == 0;
    if (file >= 0)
        close(file);
    return good;
}

struct reader {
    const char *words[3];
    const struct command *command;
};

static const struct reader readers[] = {{{"ports"}, &ports_command},
                                        {{"export", "--format=jsonl"}, &export_command},
                                        {{"check"}, &check_command}};

static _Noreturn void read_it(const struct reader *reader, const char *path, unsigned seconds) {
    const struct rlimit limit = {seconds, seconds};
    int null = open("/dev/null", O_WRONLY);
    char *argv[4];
    int argc = 0;
    dup2(null, STDOUT_FILENO);
    if (getenv("SHOW_ERRORS") == NULL)
        dup2(null, STDERR_FILENO);
    setrlimit(RLIMIT_CPU, &limit);
    for (const char *const *word = reader->words; *word != NULL; word++)
        argv[argc++] = strdup(*word);
    argv[argc++] = strdup(path);
    argv[argc] = NULL;
    int status = reader->command->run(argc, argv);
    fflush(stdout);
    _exit(status);
}

static bool ends_well(const struct reader *reader, const char *path, unsigned seconds) {
    int status;
    pid_t pid = fork();
    if (pid == 0)
        read_it(reader, path, seconds);
    while (waitpid(pid, &status, 0) != pid)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 3)
        return true;
    if (WIFEXITED(status))
        printf("%s: status %d\n", reader->words[0], WEXITSTATUS(status));
    else
        printf("%s: signal %d\n", reader->words[0], WTERMSIG(status));
    return false;
}

struct settings {
    uint64_t seed;
    uint64_t count;
    unsigned seconds;
    const char *keep;
};

static bool try_one(const struct settings *settings, const struct trace *whole,
                    struct trace *mutant, uint64_t number) {
    state = settings->seed * UINT64_C(1000003) + number;
    copy(mutant, whole);
    mutate(mutant);
    if (!store(settings->keep, mutant)) {
        printf("%s: %s\n", settings->keep, strerror(errno));
        return false;
    }
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (!ends_well(&readers[i], settings->keep, settings->seconds)) {
            printf("seed %" PRIu64 ", mutant %" PRIu64 " is left in %s\n", settings->seed, number,
                   settings->keep);
            return false;
        }
    return true;
}

int main(int argc, char **argv) {
    struct settings settings = {.seed = 1, .count = 200, .seconds = 10, .keep = "mutant"};
    struct trace whole[8] = {0};
    struct trace mutant = {.units = allocate(UNITS_MAX, sizeof *mutant.units),
                           .records = allocate(RECORDS_MAX, sizeof *mutant.records)};
    size_t traces = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            settings.seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc)
            settings.count = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            settings.seconds = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--keep") == 0 && i + 1 < argc)
            settings.keep = argv[++i];
        else if (traces == sizeof whole / sizeof *whole || !load(argv[i], &whole[traces++]))
            return 2;
    }
    if (traces == 0)
        return 2;
    for (uint64_t i = 0; i < settings.count; i++)
        if (!try_one(&settings, &whole[i % traces], &mutant, i)) {
            fflush(stdout); /* a sanitizer may end the process before stdio does it */
            return 1;
        }
    unlink(settings.keep);
    for (size_t i = 0; i < traces; i++) {
        free(whole[i].units);
        free(whole[i].records);
    }
    free(mutant.units);
    free(mutant.records);
    printf("%" PRIu64 " mutants read\n", settings.count);
    return 0;
}
