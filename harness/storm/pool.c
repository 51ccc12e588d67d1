/* Processes are waited for by their own ids alone, so that other children of the program are left
 * to those who started them. */
#include "harness/storm/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/storm/publisher.h"
#include "shim/shared/policy_places.h"
#include "shim/shared/policy_space.h"
#include "shim/shared/recorder.h"

#define MS UINT64_C(1000000)
#define LOOK_NS (20 * MS)
#define START_PATIENCE_NS (120 * 1000 * MS)
#define END_PATIENCE_NS (500 * MS)

volatile sig_atomic_t crew_interrupted;

static int spawn(pid_t *pid, const char *descriptors[2], uint32_t index,
                 char *const environment[]) {
    static char program[] = "portwitness";
    static char command[] = "storm";
    static char as_publisher[] = PUBLISHER_ARGUMENT;
    char path[PATH_MAX];
    char board[16];
    char event[16];
    char number[16];
    snprintf(board, sizeof board, "%s", descriptors[0]);
    snprintf(event, sizeof event, "%s", descriptors[1]);
    snprintf(number, sizeof number, "%u", index);
    char *arguments[] = {program, command, as_publisher, board, event, number, NULL};
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0)
        return errno;
    path[length] = '\0';
    return posix_spawn(pid, path, NULL, NULL, arguments, environment);
}

/* Each publisher is the command's child that it is by its number. */
static void policy_place(pid_t pid, uint32_t index) {
    if (policy_config()->kind == PW_POLICY_SEEDED)
        place_enter(place_of_child(PLACE_ROOT, index + 1), place_key(pid));
}

static bool start_all(struct crew *crew, int board_descriptor, char *const environment[]) {
    char board[16];
    char event[16];
    const char *descriptors[2] = {board, event};
    snprintf(board, sizeof board, "%d", board_descriptor);
    snprintf(event, sizeof event, "%d", crew->event);
    for (uint32_t i = 0; i < crew->count && !crew_interrupted; i++) {
        int error = spawn(&crew->members[i].pid, descriptors, i, environment);
        if (error != 0) {
            fprintf(stderr, "portwitness: storm: publisher %u cannot be started: %s\n", i + 1,
                    strerror(error));
            return false;
        }
        policy_place(crew->members[i].pid, i);
        crew->members[i].alive = true;
        crew->living++;
    }
    return true;
}

bool crew_start(struct crew *crew, struct board *board, int board_descriptor,
                char *const environment[]) {
    *crew = (struct crew){.board = board, .count = board->settings.publishers};
    crew->members = calloc(crew->count, sizeof *crew->members);
    crew->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    bool good = crew->members != NULL && crew->event >= 0;
    if (!good)
        fprintf(stderr, "portwitness: storm: %s\n", strerror(errno));
    /* The two descriptors that a publisher inherits. */
    if (good) {
        fcntl(crew->event, F_SETFD, 0);
        fcntl(board_descriptor, F_SETFD, 0);
        atomic_store(&board->awaited, crew->count);
        good = start_all(crew, board_descriptor, environment);
    }
    if (good)
        crew_await(crew, 0, PHASE_STARTED, START_PATIENCE_NS);
    if (good && crew->living == 0 && !crew_interrupted) {
        fprintf(stderr, "portwitness: storm: no publisher came up\n");
        good = false;
    }
    if (!good)
        crew_end(crew);
    return good;
}

static bool all_reached(struct crew *crew, uint64_t progress) {
    for (uint32_t i = 0; i < crew->count; i++)
        if (crew->members[i].alive && atomic_load(&board_slot(crew->board, i)->progress) < progress)
            return false;
    return true;
}

static void kill_late(struct crew *crew, uint64_t progress) {
    for (uint32_t i = 0; i < crew->count; i++)
        if (crew->members[i].alive && atomic_load(&board_slot(crew->board, i)->progress) < progress)
            kill(crew->members[i].pid, SIGKILL);
}

uint32_t crew_reap(struct crew *crew) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < crew->count; i++) {
        struct member *member = &crew->members[i];
        if (!member->alive || waitpid(member->pid, &member->status, WNOHANG) != member->pid)
            continue;
        member->alive = false;
        crew->living--;
        found++;
    }
    return found;
}

bool crew_await(struct crew *crew, uint32_t round, enum phase phase, uint64_t patience_ns) {
    uint64_t progress = (uint64_t)round * 4 + phase;
    uint64_t begin = monotonic_ns();
    for (;;) {
        uint32_t seen = atomic_load(&crew->board->complete);
        if (all_reached(crew, progress))
            return !crew_interrupted;
        if (crew_interrupted)
            return false;
        board_wait(&crew->board->complete, seen, LOOK_NS);
        crew_reap(crew);
        if (monotonic_ns() - begin > patience_ns)
            kill_late(crew, progress);
    }
}

static void expect_all(struct crew *crew) {
    atomic_store(&crew->board->arrived, 0);
    atomic_store(&crew->board->awaited, crew->living);
}

bool crew_publish(struct crew *crew, uint32_t round, uint64_t patience_ns) {
    expect_all(crew);
    crew->board->go_ns = monotonic_ns();
    atomic_store(&crew->board->round, round);
    board_wake(&crew->board->round);
    return crew_await(crew, round, PHASE_ANNOUNCED, patience_ns);
}

bool crew_release(struct crew *crew, uint32_t round, uint64_t patience_ns) {
    expect_all(crew);
    eventfd_write(crew->event, 1);
    bool good = crew_await(crew, round, PHASE_FREED, patience_ns);
    eventfd_t drained;
    if (good)
        eventfd_read(crew->event, &drained);
    return good;
}

void crew_end(struct crew *crew) {
    const uint64_t begin = monotonic_ns();
    if (crew->members != NULL) {
        atomic_store(&crew->board->ended, 1);
        atomic_fetch_add(&crew->board->round, 1);
        board_wake(&crew->board->round);
        eventfd_write(crew->event, 1);
        while (crew->living > 0) {
            crew_reap(crew);
            if (crew->living == 0)
                break;
            bool late = crew_interrupted || monotonic_ns() - begin > END_PATIENCE_NS;
            for (uint32_t i = 0; late && i < crew->count; i++)
                if (crew->members[i].alive)
                    kill(crew->members[i].pid, SIGKILL);
            usleep(1000);
        }
    }
    if (crew->event >= 0)
        close(crew->event);
    free(crew->members);
    *crew = (struct crew){.event = -1};
}
