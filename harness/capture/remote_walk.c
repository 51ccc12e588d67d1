/*
 * Go keeps frame pointers, and so do C programs that are built with -fno-omit-frame-pointer. A
 * frame begins with the address of the one around it, and the return address stands behind that, on
 * x86-64 (System V ABI, "The Stack Frame") as on aarch64 (AAPCS64, "The Frame Pointer").
 */
#include "harness/capture/remote_walk.h"

#include <string.h>

#include "harness/system/process_memory.h"

enum { WINDOW_BYTES = 4096, CALL_BYTES = 7 };
/* A stack is no larger, and Go's begin with some KB: what lies farther away is another's. */
#define STACK_BYTES_MAX (UINT64_C(1) << 30)
/* A function without a frame is short. */
#define STUB_BYTES_MAX 4096u

struct window {
    pid_t pid;
    uint64_t begin;
    size_t held;
    unsigned char bytes[WINDOW_BYTES];
};

static size_t read_remote(pid_t pid, uint64_t address, void *into, size_t size) {
    ssize_t got = process_memory_read(pid, address, into, size);
    return got > 0 ? (size_t)got : 0;
}

bool remote_read_word(pid_t pid, uint64_t address, uint64_t *word) {
    return read_remote(pid, address, word, sizeof *word) == sizeof *word;
}

static bool read_words(struct window *window, uint64_t address, void *into, size_t size) {
    bool is_held = address >= window->begin && window->held >= size &&
                   address - window->begin <= window->held - size;
    if (!is_held) {
        window->begin = address;
        window->held = read_remote(window->pid, address, window->bytes, sizeof window->bytes);
        if (window->held < size)
            return false;
    }
    memcpy(into, window->bytes + (address - window->begin), size);
    return true;
}

#if defined(__x86_64__)
/* Whether what stands before `back` called a function that holds `counter`: by a call to an address
 * near it, or to one in a register or in memory (opcode FF /2). */
static bool is_call_to(pid_t pid, uint64_t back, uint64_t counter) {
    unsigned char code[CALL_BYTES];
    int32_t distance;
    if (back < sizeof code ||
        read_remote(pid, back - sizeof code, code, sizeof code) != sizeof code)
        return false;
    memcpy(&distance, code + CALL_BYTES - 4, sizeof distance);
    uint64_t target = back + (uint64_t)(int64_t)distance;
    if (code[CALL_BYTES - 5] == 0xe8 && counter >= target && counter - target < STUB_BYTES_MAX)
        return true;
    for (unsigned length = 2; length <= CALL_BYTES; length++)
        if (code[CALL_BYTES - length] == 0xff && (code[CALL_BYTES - length + 1] & 0x38) == 0x10)
            return true;
    return false;
}

static bool find_back(struct window *window, const struct remote_registers *registers,
                      uint64_t *back) {
    return read_words(window, registers->stack, back, sizeof *back) &&
           is_call_to(window->pid, *back, registers->counter);
}
#else
/* bl, or blr */
static bool find_back(struct window *window, const struct remote_registers *registers,
                      uint64_t *back) {
    uint32_t code;
    *back = registers->link;
    if (*back < sizeof code ||
        read_remote(window->pid, *back - sizeof code, &code, sizeof code) != sizeof code)
        return false;
    uint64_t distance = (uint64_t)(code & 0x3ffffff) << 2;
    if ((distance & 0x8000000) != 0)
        distance |= ~UINT64_C(0xfffffff);
    uint64_t target = *back - sizeof code + distance;
    return ((code & 0xfc000000) == 0x94000000 && registers->counter >= target &&
            registers->counter - target < STUB_BYTES_MAX) ||
           (code & 0xfffffc1f) == 0xd63f0000;
}
#endif

static bool is_frame(uint64_t frame, uint64_t below) {
    return frame % 8 == 0 && frame >= below && frame - below < STACK_BYTES_MAX;
}

size_t remote_walk(pid_t pid, const struct remote_registers *registers, uint64_t *address,
                   size_t room) {
    struct window window = {.pid = pid};
    uint64_t frame = registers->frame;
    uint64_t below = registers->stack;
    uint64_t back;
    size_t count = 0;
    if (room == 0)
        return 0;
    address[count++] = registers->counter;
    if (count < room && find_back(&window, registers, &back))
        address[count++] = back;
    while (count < room && frame != 0 && is_frame(frame, below)) {
        uint64_t words[2]; /* the frame around it, the return address */
        if (!read_words(&window, frame, words, sizeof words) || words[1] == 0)
            break;
        address[count++] = words[1];
        below = frame + sizeof words;
        frame = words[0];
    }
    return count;
}
