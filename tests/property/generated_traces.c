/* The checker on traces whose truth is known: worlds of a few processes that are given ports, rely
 * on them or not, and get in each other's way; recorded with intervals that overlap, with records
 * torn or lost, releases missing, and units that were never written.
 *
 *   generated_traces [--seed N] [--worlds N] [--failures N]
 *
 * Fails where a finding is marked certain and is not so, or where a race that was planted, and
 * whose records are whole, is not reported at all; ends after so many failures, or the first. A
 * file holds many worlds, each in a network namespace and a time of its own. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "harness/check/check.h"
#include "tests/property/generated_world.h"

enum { WORLDS_PER_FILE = 200, UNITS = WORLDS_PER_FILE * EVENTS * 3 };

static union pw_unit units[UNITS];
static uint64_t used;

static union pw_unit *take(const struct event *event, unsigned count, uint64_t process) {
    union pw_unit *unit = &units[used];
    memset(unit, 0, count * sizeof *unit);
    unit->start.head = PW_HEAD(PW_TAG_START, count, event->kind,
                               event->whole ? PW_STATE_COMMITTED : PW_STATE_BEGUN);
    for (unsigned i = 1; i < count; i++)
        unit[i].text.head = PW_HEAD(PW_TAG_CONTINUATION, i, event->kind, 0);
    unit->start.process = process;
    unit->start.descriptor =
        event->kind == PW_KIND_PROCESS_START ? -1 : (int)(event->cookie % 1000);
    unit->start.begin_ns = event->begin;
    unit->start.end_ns = event->end;
    unit->start.cookie = event->cookie;
    unit->start.source = PW_SOURCE_SHIM;
    used += count;
    return unit;
}

static uint64_t serial_of(const struct world *world, int process) {
    return world->index * PROCESSES + (uint64_t)process + 1;
}

static void write_start(struct world *world, struct event *event) {
    union pw_unit *unit = take(event, 2, serial_of(world, event->process));
    unit[0].start.flags = PW_FLAG_BY_EXEC;
    unit[1].process.serial = serial_of(world, event->process);
    unit[1].process.pid = (uint32_t)serial_of(world, event->process) + 1000;
    unit[1].process.start_time = serial_of(world, event->process);
    if (event->parent != NOBODY)
        unit[1].process.parent = serial_of(world, event->parent);
    strcpy(unit[1].process.comm, "guest");
}

static void write_bind(struct world *world, struct event *event) {
    union pw_unit *unit = take(event, 2, serial_of(world, event->process));
    struct pw_socket *socket = &unit[1].socket;
    unit[0].start.flags =
        event->flags | PW_FLAG_HAS_REQUESTED | (event->error == 0 ? PW_FLAG_HAS_ASSIGNED : 0);
    unit[0].start.error = (uint16_t)event->error;
    socket->family = AF_INET;
    socket->type = SOCK_STREAM;
    socket->netns = world->index + 1;
    socket->requested[10] = socket->requested[11] = 0xff;
    socket->requested[12] = 127;
    socket->requested[15] = 1;
    memcpy(socket->assigned, socket->requested, 16);
    if ((event->flags & PW_FLAG_BY_NUMBER) != 0)
        socket->requested_port = (uint16_t)(FIRST_PORT + event->port);
    if (event->error == 0)
        socket->assigned_port = (uint16_t)(FIRST_PORT + event->port);
}

/* Records stand in the order in which the calls began. */
static int by_begin(const void *one, const void *other) {
    const struct event *a = *(struct event *const *)one;
    const struct event *b = *(struct event *const *)other;
    return a->begin < b->begin ? -1 : a->begin > b->begin;
}

static void write_world(struct world *world) {
    struct event *order[EVENTS] = {NULL};
    for (int i = 0; i < world->count; i++)
        order[i] = &world->list[i];
    qsort(order, (size_t)world->count, sizeof *order, by_begin);
    for (int i = 0; i < world->count; i++) {
        struct event *event = order[i];
        event->unit = used;
        if (event->kind == PW_KIND_CLOSE && !event->whole && world_below(2) == 0)
            continue; /* lost without a trace */
        if (event->kind == PW_KIND_BIND && world_below(60) == 0)
            event->whole = false;
        if (world_below(400) == 0) {
            memset(&units[used++], 0, sizeof *units);
            world->has_blank = true;
            event->unit = used;
        }
        if (event->kind == PW_KIND_PROCESS_START)
            write_start(world, event);
        else if (event->kind == PW_KIND_BIND)
            write_bind(world, event);
        else
            take(event, 1, serial_of(world, event->process));
    }
}

static bool store(const char *path) {
    struct pw_header header = {.magic = PW_MAGIC,
                               .version = PW_VERSION,
                               .byte_order = PW_BYTE_ORDER,
                               .unit_size = PW_UNIT_SIZE,
                               .units_offset = PW_UNITS_OFFSET,
                               .policy_offset = PW_HEADER_SIZE,
                               .policy_size = PW_POLICY_SIZE};
    FILE *file = fopen(path, "wb");
    header.capacity = PW_UNITS_OFFSET + used * PW_UNIT_SIZE;
    header.next_unit = used;
    bool good = file != NULL && fwrite(&header, sizeof header, 1, file) == 1 &&
                fseek(file, PW_UNITS_OFFSET, SEEK_SET) == 0 &&
                fwrite(units, sizeof *units, used, file) == used;
    return file != NULL && fclose(file) == 0 && good;
}

static struct world worlds[WORLDS_PER_FILE];
static uint64_t wrong, missed, planted, certain, possible;

static struct event *event_at(uint64_t netns, uint64_t unit, uint64_t first) {
    if (netns == 0 || netns - 1 < first || netns - 1 - first >= WORLDS_PER_FILE)
        return NULL;
    struct world *world = &worlds[netns - 1 - first];
    for (int i = 0; i < world->count; i++)
        if (world->list[i].unit == unit && world->list[i].kind == PW_KIND_BIND)
            return &world->list[i];
    return NULL;
}

/* When the socket of that bind was closed; 0: it was not. */
static uint64_t closed_at(const struct world *world, const struct event *bind) {
    for (int i = 0; i < world->count; i++)
        if (world->list[i].kind == PW_KIND_CLOSE && world->list[i].cookie == bind->cookie)
            return world->list[i].t;
    return 0;
}

/* The process had bound the number itself and closed that, and who has it got it in between. */
static bool probe_holds(const struct finding *finding, const struct event *subject,
                        const struct event *other, const struct event *probe,
                        const struct world *world) {
    if (subject == NULL || probe == NULL || probe->error != 0 || probe->port != subject->port)
        return false;
    uint64_t released = closed_at(world, probe);
    if (released == 0 || released > subject->t ||
        (finding->kind == FINDING_LOST_RACE) != (subject->error != 0))
        return false;
    return finding->kind == FINDING_RACE_WINDOW ||
           (other != NULL && other->error == 0 && other->t > released && other->t < subject->t);
}

/* Is what a certain finding says true? */
static bool holds(const struct finding *finding, const struct event *subject,
                  const struct event *other, const struct world *world) {
    if (subject == NULL || subject->assignment == NOBODY)
        return false;
    if ((finding->kind == FINDING_LOST_RACE) != (subject->error != 0))
        return false;
    if (finding->kind != FINDING_DOUBLE_HAND_OUT)
        return true;
    if (other == NULL || other->assignment == NOBODY || other->error != 0)
        return false;
    const struct event *first = &world->list[subject->assignment];
    const struct event *second = &world->list[other->assignment];
    uint64_t from = first->t > second->t ? first->t : second->t;
    uint64_t to = subject->t < other->t ? subject->t : other->t;
    return from < to;
}

static void complain(const char *what, const struct world *world, const struct event *subject,
                     const struct finding *finding) {
    static const char *const kinds[] = {
        [PW_KIND_PROCESS_START] = "start", [PW_KIND_BIND] = "bind", [PW_KIND_CLOSE] = "close"};
    if (wrong + missed > 3)
        return;
    printf("%s: world %" PRIu64 " %s\n", what, world->index,
           finding != NULL ? finding_name(finding->kind) : "");
    for (int i = 0; i < world->count; i++) {
        const struct event *event = &world->list[i];
        printf("%c %2d %-5s p%d of p%d, port %u, flags %" PRIx64
               ", error %u, relies on %d, from %" PRIu64 " at %" PRIu64 " to %" PRIu64 "%s\n",
               event == subject ? '>' : ' ', i, kinds[event->kind], event->process,
               world->parent[event->process], event->port, event->flags, event->error,
               event->assignment, event->begin % 1000000000, event->t % 1000000000,
               event->end % 1000000000, event->whole ? "" : ", torn");
    }
}

static bool reported[UNITS];

static void compare(const struct check *check, uint64_t first) {
    memset(reported, 0, sizeof reported);
    for (size_t i = 0; i < check->findings.count; i++) {
        const struct finding *finding = &check->findings.list[i];
        if (finding->kind != FINDING_LOST_RACE && finding->kind != FINDING_RACE_WINDOW &&
            finding->kind != FINDING_DOUBLE_HAND_OUT)
            continue;
        struct event *subject = event_at(finding->netns, finding->subject.unit, first);
        struct event *other = event_at(finding->netns, finding->other.unit, first);
        const struct world *world = &worlds[finding->netns - 1 - first];
        reported[finding->subject.unit] = true;
        if (finding->kind == FINDING_DOUBLE_HAND_OUT)
            reported[finding->other.unit] = true;
        *(finding->certainty == CERTAIN ? &certain : &possible) += 1;
        struct event *assigned = event_at(finding->netns, finding->assigned.unit, first);
        bool is_true = finding->cause == CAUSE_PROBED_BY_NUMBER
                           ? probe_holds(finding, subject, other, assigned, world)
                           : holds(finding, subject, other, world);
        if (finding->certainty == CERTAIN && !is_true) {
            wrong++;
            complain("certain, and not so", world, subject, finding);
        }
    }
    for (unsigned w = 0; w < WORLDS_PER_FILE; w++)
        for (int i = 0; i < worlds[w].count; i++) {
            const struct event *event = &worlds[w].list[i];
            if (!world_expects(&worlds[w], event))
                continue;
            planted++;
            if (reported[event->unit])
                continue;
            missed++;
            complain("planted, and not reported", &worlds[w], event, NULL);
        }
}

int main(int argc, char **argv) {
    uint64_t wanted = 100000;
    uint64_t failures = 1;
    char path[] = "/tmp/generated-XXXXXX";
    uint64_t seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--worlds") == 0)
            wanted = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--failures") == 0)
            failures = strtoull(argv[i + 1], NULL, 10);
    }
    printf("seed %" PRIu64 "\n", seed);
    world_seed(seed);
    int file = mkstemp(path);
    if (file < 0)
        return 2;
    close(file);
    uint64_t made = 0;
    for (; made < wanted && wrong + missed < failures; made += WORLDS_PER_FILE) {
        const char *const paths[] = {path};
        struct check check = {0};
        used = 0;
        for (unsigned w = 0; w < WORLDS_PER_FILE; w++) {
            world_make(&worlds[w], made + w);
            write_world(&worlds[w]);
        }
        if (!store(path) || !check_run(&check, paths, 1, NULL, NULL))
            return 2;
        compare(&check, made);
        check_free(&check);
    }
    unlink(path);
    printf("%" PRIu64 " traces, %" PRIu64 " planted, %" PRIu64 " findings certain, %" PRIu64
           " possible; %" PRIu64 " certain and wrong, %" PRIu64 " not reported\n",
           made, planted, certain, possible, wrong, missed);
    return wrong + missed == 0 ? 0 : 1;
}
