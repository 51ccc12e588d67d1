/*
 * Writes into a live trace what nobody of the run would write there, as whoever may write to the
 * file can: scribble TRACE PART WORDS SEED.
 *
 * PART is a part of the trace, into which so many random words go, half of them single bytes; or
 * the name of one exact attack, and WORDS is how often it is made. Prints how many words were
 * written.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/splitmix.h"
#include "shim/shared/keep_format.h"

enum { VIEW = 16 << 20, AT_ONCE = 16, PAUSE_NS = 50000, UNITS_HIT = 256 << 10 };

#define AREA PW_HEADER_SIZE
#define SPACES (AREA + offsetof(struct pw_policy_area, space))
#define ROOM sizeof(struct pw_policy_area)
#define KEEP (AREA + PW_KEEP_OFFSET)

static const struct {
    const char *name;
    size_t from;
    size_t to;
} parts[] = {
    {"header", 0, offsetof(struct pw_header, next_unit)},
    {"counters", offsetof(struct pw_header, next_unit), sizeof(struct pw_header)},
    {"config", AREA, AREA + sizeof(struct pw_policy_config)},
    {"spaces", AREA + offsetof(struct pw_policy_area, count), AREA + ROOM},
    {"stamps", AREA + ROOM, AREA + ROOM + 4 * 28232}, /* of the default range */
    {"rings", AREA + ROOM + 4 * 28232, AREA + (512 << 10)},
    {"places", AREA + PW_PLACES_OFFSET, AREA + PW_POLICY_SIZE},
    {"keep", KEEP, KEEP + sizeof(struct pw_keep_area)},
    {"keep_head", KEEP, KEEP + offsetof(struct pw_keep_area, slot)},
    {"keep_slots", KEEP + offsetof(struct pw_keep_area, asked),
     KEEP + offsetof(struct pw_keep_area, kept)},
    {"units", PW_UNITS_OFFSET, PW_UNITS_OFFSET + UNITS_HIT},
    {"all", 0, PW_UNITS_OFFSET + UNITS_HIT},
};

static unsigned char *trace;
static uint64_t state;

static uint64_t next_random(void) { return splitmix(&state); }

static uint64_t a_word(void) {
    static const uint64_t borders[] = {0,          1,          0xff,       0xffff,
                                       0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32,
                                       1ULL << 63, UINT64_MAX, 1ULL << 20, 0xffffffff00000000};
    uint64_t random = next_random();
    return random % 10 < 7 ? borders[next_random() % (sizeof borders / sizeof *borders)]
                           : next_random();
}

static void pause_shortly(void) {
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    nanosleep(&pause, NULL);
}

static void scribble(size_t from, size_t to, long words) {
    for (long i = 0; i < words; i++) {
        size_t at = from + next_random() % (to - from);
        uint64_t word = a_word();
        if (next_random() % 2 == 0)
            trace[at] = (unsigned char)word;
        else
            memcpy(trace + (at & ~(size_t)7), &word, sizeof word);
        if (i % AT_ONCE == AT_ONCE - 1)
            pause_shortly();
    }
}

static void put(size_t at, uint64_t value, size_t size) { memcpy(trace + at, &value, size); }

static void put_in_spaces(size_t offset, uint32_t value) {
    for (size_t i = 0; i < PW_POLICY_SPACES; i++)
        put(SPACES + i * sizeof(struct pw_policy_space) + offset, value, 4);
}

/* All slots at that stage, each with a bit that says so. */
static void put_in_slots(uint32_t stage) {
    const size_t slots = KEEP + offsetof(struct pw_keep_area, slot);
    for (size_t i = 0; i < PW_KEEP_SLOTS; i++)
        put(slots + i * sizeof(struct pw_keep_slot), stage, 4);
    for (size_t i = 0; i < PW_KEEP_WORDS; i++)
        put(KEEP + offsetof(struct pw_keep_area, asked) + i * 8, UINT64_MAX, 8);
}

/* A kept socket at each port, that nobody has. */
static void put_cookies(void) {
    for (size_t i = 0; i < 2 * PW_KEEP_PORTS; i++)
        put(KEEP + offsetof(struct pw_keep_area, kept) + i * 4, 77, 4);
}

#define HEADER(field) offsetof(struct pw_header, field)
#define SPACE(field) offsetof(struct pw_policy_space, field)

/* false where no attack bears the name. */
static bool attack(const char *name) {
    const struct {
        const char *name;
        size_t at;
        uint64_t value;
        size_t size;
    } words[] = {
        {"fill", HEADER(next_unit), 60000000, 8},
        {"next_unit", HEADER(next_unit), UINT64_C(1) << 62, 8},
        {"next_unit_wrap", HEADER(next_unit), (0 - (uint64_t)PW_UNITS_OFFSET - 4096) / 64, 8},
        {"populated_to", HEADER(populated_to), UINT64_C(1) << 62, 8},
        {"policy_offset", HEADER(policy_offset), 0xfffff000, 4},
        {"policy_size", HEADER(policy_size), 0, 4},
        {"stacks", HEADER(stacks), 0xffffffff, 4},
        {"questions", HEADER(questions), 0xffffffff, 4},
        {"config_soonest", AREA, PW_POLICY_SOONEST, 4},
        {"used", AREA + offsetof(struct pw_policy_area, used), 0xffffffc0, 4},
        {"keep_gone", KEEP + offsetof(struct pw_keep_area, state), PW_KEEP_GONE, 4},
        {"keep_nowhere", KEEP + offsetof(struct pw_keep_area, netns), 1, 8},
        {"next_process", HEADER(next_process), UINT64_C(1) << 60, 8},
        {"last_process", HEADER(next_process), UINT64_MAX - 2, 8},
    };
    const struct {
        const char *name;
        size_t offset;
        uint32_t value;
    } everywhere[] = {
        {"stamps_far", SPACE(stamps), 0x7f000000},
        {"ringmask", SPACE(ring_mask), 0xffffffff},
        {"ring0mask", SPACE(ring_mask), 0},
        {"head", SPACE(head), 0xfffffff0},
        {"lowhigh", SPACE(low), 50000 | 40000u << 16},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(name, words[i].name) == 0)
            return put(words[i].at, words[i].value, words[i].size), true;
    for (size_t i = 0; i < sizeof everywhere / sizeof *everywhere; i++)
        if (strcmp(name, everywhere[i].name) == 0)
            return put_in_spaces(everywhere[i].offset, everywhere[i].value), true;
    const struct {
        const char *name;
        uint32_t stage;
    } slots[] = {{"keep_filling", PW_KEEP_FILLING},
                 {"keep_asked", PW_KEEP_ASKED},
                 {"keep_answered", PW_KEEP_ANSWERED}};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        if (strcmp(name, slots[i].name) == 0)
            return put_in_slots(slots[i].stage), true;
    if (strcmp(name, "keep_cookies") == 0)
        return put_cookies(), true;
    if (strcmp(name, "capacity") != 0)
        return false;
    put(HEADER(capacity), UINT64_C(1) << 45, 8);
    put(HEADER(populated_to), UINT64_C(1) << 45, 8);
    put(HEADER(next_unit), (UINT64_C(8) << 30) / 64, 8);
    return true;
}

static bool scribble_part(const char *name, long words) {
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(name, parts[i].name) == 0)
            return scribble(parts[i].from, parts[i].to, words), true;
    return false;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: scribble TRACE PART WORDS SEED\n");
        return 2;
    }
    int file = open(argv[1], O_RDWR | O_CLOEXEC);
    trace = file < 0 ? MAP_FAILED : mmap(NULL, VIEW, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (trace == MAP_FAILED) {
        perror(argv[1]);
        return 2;
    }
    long words = strtol(argv[3], NULL, 10);
    state = strtoull(argv[4], NULL, 10);
    if (!scribble_part(argv[2], words)) {
        for (long i = 0; i < words; i++) {
            if (!attack(argv[2])) {
                fprintf(stderr, "scribble: no such part or attack: %s\n", argv[2]);
                return 2;
            }
            pause_shortly();
        }
    }
    printf("%ld words written\n", words);
    return 0;
}
