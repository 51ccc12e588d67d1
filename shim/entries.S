/*
 * Two entries that must leave no frame on the stack: after vfork the child returns into the caller
 * first and runs on over the same stack, and syscall can make such a child too. Both jump on.
 */
#if defined(__x86_64__)

#ifdef __CET__
#include <cet.h>
#else
#define _CET_ENDBR
#endif
        .text

        .globl  vfork
        .type   vfork, @function
vfork:
        .cfi_startproc
        _CET_ENDBR
        subq    $8, %rsp                /* keeps the stack aligned for the call */
        .cfi_adjust_cfa_offset 8
        call    vfork_prepare
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        jmp     *%rax
        .cfi_endproc
        .size   vfork, . - vfork

        .globl  syscall
        .type   syscall, @function
syscall:
        .cfi_startproc
        _CET_ENDBR
        cmpq    $512, %rdi
        jae     1f
        leaq    syscall_is_routed(%rip), %rax
        cmpb    $0, (%rax,%rdi)
        jne     call_syscall
1:      movq    syscall_next(%rip), %rax
        testq   %rax, %rax
        je      call_syscall            /* before anything was resolved */
        jmp     *%rax
        .cfi_endproc
        .size   syscall, . - syscall

#elif defined(__aarch64__)

        .text

        .globl  vfork
        .type   vfork, %function
vfork:
        .cfi_startproc
        stp     x29, x30, [sp, #-16]!
        .cfi_adjust_cfa_offset 16
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        bl      vfork_prepare
        mov     x16, x0
        ldp     x29, x30, [sp], #16
        .cfi_restore x29
        .cfi_restore x30
        .cfi_adjust_cfa_offset -16
        br      x16
        .cfi_endproc
        .size   vfork, . - vfork

        .globl  syscall
        .type   syscall, %function
syscall:
        .cfi_startproc
        cmp     x0, #512
        b.hs    1f
        adrp    x16, syscall_is_routed
        add     x16, x16, :lo12:syscall_is_routed
        ldrb    w17, [x16, x0]
        cbnz    w17, 2f
1:      adrp    x16, syscall_next
        ldr     x16, [x16, :lo12:syscall_next]
        cbz     x16, 2f
        br      x16
2:      b       call_syscall
        .cfi_endproc
        .size   syscall, . - syscall

#else
#error "portwitness supports x86-64 and aarch64"
#endif

        .section .note.GNU-stack, "", %progbits
