/*
 * A question goes through memory alone: the guest has no descriptor of ours that it could close,
 * pass on or count, and whoever is killed in the middle leaves nothing behind but a slot, which the
 * keeper frees.
 */
#include "shim/shared/keep_ask.h"

#include <linux/futex.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "shim/shared/raw_syscall.h"
#include "shim/shared/recorder.h"

#define WAIT_NS UINT64_C(200000000)
#define WAIT_SILENT_NS UINT64_C(20000000)
#define LOOK_NS_MOST UINT64_C(10000000) /* of the time between two looks: else nobody ran */
#define PAUSE_NS 2000000
#define SEARCH_ROUNDS 64

#define LOAD(word) atomic_load_explicit(&(word), memory_order_relaxed)
#define STORE(word, value) atomic_store_explicit(&(word), (value), memory_order_relaxed)

struct pw_keep_area *keep_area(void) {
    struct pw_header *header = recorder_header();
    if (header == NULL || recorder_facts()->config.kind != PW_POLICY_KEEP)
        return NULL;
    return (struct pw_keep_area *)(void *)((char *)header + PW_HEADER_SIZE + PW_KEEP_OFFSET);
}

static bool is_there(const struct pw_keep_area *area) {
    uint32_t state = area != NULL ? atomic_load(&area->state) : PW_KEEP_NONE;
    return state == PW_KEEP_WORKS || state == PW_KEEP_SILENT;
}

uint32_t keep_cookie(bool is_udp, uint16_t port) {
    struct pw_keep_area *area = keep_area();
    return is_there(area) ? atomic_load(&area->kept[is_udp][port]) : 0;
}

bool keep_is_crowded(void) {
    const struct pw_keep_area *area = keep_area();
    return area != NULL && atomic_load(&area->count[PW_KEEP_GIVEN_UP]) > 0;
}

uint32_t keep_uid(void) {
    const struct pw_keep_area *area = keep_area();
    return area != NULL ? area->uid : UINT32_MAX;
}

void keep_count(enum pw_keep_count what) {
    struct pw_keep_area *area = keep_area();
    if (area != NULL)
        atomic_fetch_add_explicit(&area->count[what], 1, memory_order_relaxed);
}

static uint64_t mix(uint64_t sum, uint64_t value) {
    sum = (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 29;
}

uint64_t keep_check(const struct pw_keep_slot *slot, uint32_t word) {
    uint64_t sum = mix(1, PW_KEEP_AT(word, 0));
    sum = mix(sum, (uint64_t)LOAD(slot->what) << 32 | LOAD(slot->port));
    sum = mix(sum, (uint64_t)LOAD(slot->scope) << 32 | LOAD(slot->device));
    return mix(mix(sum, LOAD(slot->address[0])), LOAD(slot->address[1]));
}

/* Takes a free slot; its new word in *word. NULL where all are in use. */
static struct pw_keep_slot *take_slot(struct pw_keep_area *area, unsigned begin, uint32_t *word) {
    for (unsigned i = 0; i < PW_KEEP_SLOTS; i++) {
        struct pw_keep_slot *slot = &area->slot[(begin + i) % PW_KEEP_SLOTS];
        uint32_t seen = atomic_load(&slot->word);
        *word = PW_KEEP_AT(seen + 0x100, PW_KEEP_FILLING);
        if (PW_KEEP_STAGE(seen) == PW_KEEP_FREE &&
            atomic_compare_exchange_strong(&slot->word, &seen, *word))
            return slot;
    }
    return NULL;
}

static void fill(struct pw_keep_slot *slot, const struct keep_question *question, uint32_t word) {
    uint64_t address[2];
    memcpy(address, question->address, sizeof address);
    STORE(slot->what, (uint32_t)question->what | (uint32_t)question->family << 8 |
                          (uint32_t)question->is_udp << 16 | (uint32_t)question->only_v6 << 17 |
                          (uint32_t)question->may_join << 18);
    STORE(slot->port, question->port);
    STORE(slot->scope, question->scope);
    STORE(slot->device, question->device);
    STORE(slot->address[0], address[0]);
    STORE(slot->address[1], address[1]);
    STORE(slot->answer, PW_KEEP_NO);
    STORE(slot->check, keep_check(slot, word));
}

void keep_expect_mute(void) {
    struct pw_keep_area *area = keep_area();
    if (!is_there(area) || atomic_exchange(&area->mute, 1) != 0)
        return;
    atomic_fetch_add(&area->bell, 1);
    raw_syscall3(SYS_futex, RAW(&area->bell), FUTEX_WAKE, 1);
}

static void ring(struct pw_keep_area *area, unsigned number) {
    atomic_fetch_or(&area->asked[number / 64], UINT64_C(1) << number % 64);
    if (raw_syscalls_are_forbidden()) {
        atomic_store(&area->mute, 1);
        return;
    }
    atomic_fetch_add(&area->bell, 1);
    raw_syscall3(SYS_futex, RAW(&area->bell), FUTEX_WAKE, 1);
}

/* Until the word is another one; a little while. Who may make no system call looks again and again.
 */
static void wait_for(struct pw_keep_slot *slot, uint32_t word) {
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    raw_syscall4(SYS_futex, RAW(&slot->word), FUTEX_WAIT, (long)word, RAW(&pause));
}

/* Nobody waits any more. true where the answer has come after all. */
static bool leave(struct pw_keep_slot *slot, uint32_t turn) {
    for (;;) {
        uint32_t word = atomic_load(&slot->word);
        if (PW_KEEP_AT(word, 0) != turn)
            return false;
        if (PW_KEEP_STAGE(word) == PW_KEEP_ANSWERED)
            return true;
        uint32_t next = PW_KEEP_STAGE(word) == PW_KEEP_WORKING ? PW_KEEP_LEFT : PW_KEEP_FREE;
        if (atomic_compare_exchange_strong(&slot->word, &word, PW_KEEP_AT(word, next)))
            return false;
    }
}

/* Where the machine stands still the keeper does too: of that time little counts. */
static bool wait_for_answer(struct pw_keep_slot *slot, uint32_t turn, uint64_t most_ns) {
    uint64_t looked = monotonic_ns();
    for (uint64_t waited = 0; waited < most_ns;) {
        uint32_t word = atomic_load(&slot->word);
        if (PW_KEEP_AT(word, 0) != turn)
            return false;
        if (PW_KEEP_STAGE(word) == PW_KEEP_ANSWERED)
            return true;
        wait_for(slot, word);
        uint64_t now = monotonic_ns(), passed = now - looked;
        waited += passed < LOOK_NS_MOST ? passed : LOOK_NS_MOST;
        looked = now;
    }
    return leave(slot, turn);
}

static void note_silence(struct pw_keep_area *area) {
    uint32_t works = PW_KEEP_WORKS;
    keep_count(PW_KEEP_UNANSWERED);
    atomic_compare_exchange_strong(&area->state, &works, PW_KEEP_SILENT);
}

enum pw_keep_answer keep_ask(const struct keep_question *question) {
    struct pw_keep_area *area = keep_area();
    uint32_t word;
    if (!is_there(area))
        return PW_KEEP_UNHEARD;
    bool is_silent = atomic_load(&area->state) == PW_KEEP_SILENT;
    if (is_silent && question->what == PW_KEEP_TAKE)
        return PW_KEEP_UNHEARD;
    struct pw_keep_slot *slot = take_slot(area, question->port, &word);
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    for (unsigned round = 0; slot == NULL && round < SEARCH_ROUNDS && !is_silent; round++) {
        raw_syscall3(SYS_nanosleep, RAW(&pause), 0, 0);
        slot = take_slot(area, question->port, &word);
    }
    if (slot == NULL) {
        note_silence(area);
        return PW_KEEP_UNHEARD;
    }
    fill(slot, question, word);
    uint32_t turn = PW_KEEP_AT(word, 0);
    if (!atomic_compare_exchange_strong(&slot->word, &word, PW_KEEP_AT(word, PW_KEEP_ASKED)))
        return PW_KEEP_UNHEARD; /* we stood still so long that the keeper took us for dead */
    ring(area, (unsigned)(slot - area->slot));
    if (!wait_for_answer(slot, turn, is_silent ? WAIT_SILENT_NS : WAIT_NS)) {
        if (question->what != PW_KEEP_LOOK) /* that takes long where many ask; who asks looks too */
            note_silence(area);
        return PW_KEEP_UNHEARD;
    }
    uint32_t answer = LOAD(slot->answer), answered = PW_KEEP_AT(turn, PW_KEEP_ANSWERED);
    if (!atomic_compare_exchange_strong(&slot->word, &answered, PW_KEEP_AT(turn, PW_KEEP_FREE)))
        return PW_KEEP_UNHEARD;
    return answer < PW_KEEP_UNHEARD ? (enum pw_keep_answer)answer : PW_KEEP_NO;
}
