/* The return addresses of a call: the user's registers from the top of the kernel's stack, and the
 * chain of frame pointers, which Go keeps, and C where it was compiled so. */
#ifndef PORTWITNESS_CAPTURE_PROGRAMS_WALK_H
#define PORTWITNESS_CAPTURE_PROGRAMS_WALK_H

#include "harness/capture/programs/maps.bpf.h"

/* arch/x86/include/asm/ptrace.h, struct pt_regs. */
struct user_registers {
    uint64_t r15_to_r12[4];
    uint64_t frame;
    uint64_t bx_to_orig_ax[11];
    uint64_t instruction;
    uint64_t code_segment;
    uint64_t flags;
    uint64_t stack;
    uint64_t stack_segment;
};

struct user_frame {
    uint64_t next;
    uint64_t back;
};

/* arch/x86/include/asm/segment.h: __USER_CS and __USER_DS, of a program of 64 bits. */
#define USER_CODE 0x33
#define USER_DATA 0x2b
#define STACK_SIZE 16384     /* THREAD_SIZE */
#define PADDING_OF_FRED 16   /* TOP_OF_KERNEL_STACK_PADDING, with CONFIG_X86_FRED */
#define STACK_SIZE_CHECKED 2 /* times as much with KASAN */

static __always_inline bool registers_at(uint64_t stack, uint32_t top,
                                         struct user_registers *registers) {
    return bpf_probe_read_kernel(registers, sizeof *registers,
                                 (void *)(stack + top - sizeof *registers)) == 0 &&
           registers->code_segment == USER_CODE && registers->stack_segment == USER_DATA &&
           registers->instruction != 0;
}

static __always_inline uint64_t own_stack(void) {
    uint64_t stack = 0;
    bpf_probe_read_kernel(&stack, sizeof stack,
                          (void *)(bpf_get_current_task() + switches.offsets.stack));
    return stack;
}

/* Where the registers are depends on how the kernel was built: tried when a program is executed,
 * which the command itself is first, and known by the segments. Programs that look there at each
 * call would have it verified in each of them, at the start of every run. */
static __always_inline void find_stack_top(void) {
    struct user_registers registers;
    uint64_t stack = own_stack();
#pragma unroll
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t top =
            STACK_SIZE * (i < 2 ? 1 : STACK_SIZE_CHECKED) - (i % 2 == 1 ? PADDING_OF_FRED : 0);
        if (registers_at(stack, top, &registers)) {
            words.stack_top = top;
            return;
        }
    }
}

static __always_inline bool read_registers(struct user_registers *registers) {
    return words.stack_top != 0 && registers_at(own_stack(), words.stack_top, registers);
}

/* 0: ff /2, a call by register or memory, whose operand byte is `operand`. */
static __always_inline uint64_t other_than_indirect(uint64_t code, uint64_t operand) {
    return (code ^ 0xff) | ((operand & 0x38) ^ 0x10);
}

/* Is there a call instruction before the address, as there is before each return address? Without
 * branches, each of which the verifier would follow. */
static __always_inline bool follows_call(uint64_t address) {
    uint8_t code[8];
    if (address < 4096 || bpf_probe_read_user(code, sizeof code, (void *)(address - 8)) != 0)
        return false;
    uint64_t direct = (uint64_t)code[3] ^ 0xe8;
    return direct * other_than_indirect(code[6], code[7]) * other_than_indirect(code[5], code[6]) *
               other_than_indirect(code[4], code[5]) * other_than_indirect(code[2], code[3]) *
               other_than_indirect(code[1], code[2]) ==
           0;
}

/* What the shim records of its own program need not be said twice: it makes such calls with tokens
 * in two registers that the calls do not use (shim/process/notified_pass.h). Where another library
 * between it and the kernel loses them, it is said twice, and the reader drops one. */
static __always_inline bool is_by_shim(void) {
    uint64_t r9_r8[2];
    const uint32_t below =
        sizeof(struct user_registers) - offsetof(struct user_registers, bx_to_orig_ax[3]);
    if (switches.token[0] == 0 || words.stack_top == 0)
        return false;
    return bpf_probe_read_kernel(r9_r8, sizeof r9_r8,
                                 (void *)(own_stack() + words.stack_top - below)) == 0 &&
           r9_r8[1] == switches.token[0] && r9_r8[0] == switches.token[1];
}

struct frame_walk {
    struct outside_event *event;
    uint64_t at;   /* the frame pointer */
    uint64_t back; /* the caller that is known already, 0: none */
};

/* The verifier knows nothing of a number that was stored in a map; of one at hand it would try each
 * value. */
static __always_inline bool add(struct outside_event *event, uint64_t address) {
    uint32_t count = event->addresses;
    if (count >= OUTSIDE_ADDRESSES_MAX)
        return false;
    event->address[count] = address;
    event->addresses = (uint8_t)(count + 1);
    return true;
}

/* One frame; 1: it was the last. */
static long step(uint32_t number, struct frame_walk *walk) {
    struct user_frame frame;
    if (bpf_probe_read_user(&frame, sizeof frame, (void *)walk->at) != 0 || frame.back < 4096)
        return 1;
    if (number == 0 && !follows_call(frame.back))
        return 1;
    if ((number > 0 || frame.back != walk->back) && !add(walk->event, frame.back))
        return 1;
    if (frame.next <= walk->at)
        return 1;
    walk->at = frame.next;
    return 0;
}

/* The instruction behind the system call, then the callers. Go's and libc's functions that make a
 * call have no frame of their own: the return address is at the stack pointer, and the frame
 * pointer is their caller's. */
__attribute__((noinline)) int walk(struct outside_event *event) {
    struct user_registers registers;
    uint64_t back = 0;
    if (event == NULL || switches.offsets.stack == 0 || !read_registers(&registers))
        return 0;
    event->addresses = 0;
    add(event, registers.instruction);
    if (bpf_probe_read_user(&back, sizeof back, (void *)registers.stack) != 0 ||
        !follows_call(back))
        back = 0;
    if (back != 0)
        add(event, back);
    struct frame_walk frames = {event, registers.frame, back};
    if (switches.loop) {
        bpf_loop(OUTSIDE_ADDRESSES_MAX, step, &frames, 0);
        return 0;
    }
    for (uint32_t i = 0; i < OUTSIDE_ADDRESSES_MAX; i++)
        if (step(i, &frames) != 0)
            break;
    return 0;
}

#endif
