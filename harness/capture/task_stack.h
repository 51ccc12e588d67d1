/* Where struct task_struct has the pointer to the kernel's stack. */
#ifndef PORTWITNESS_CAPTURE_TASK_STACK_H
#define PORTWITNESS_CAPTURE_TASK_STACK_H

#include <stddef.h>
#include <stdint.h>

/* In bytes, by the types of the running kernel (/sys/kernel/btf/vmlinux); 0: not known, or a
 * machine whose registers the programs do not know. */
uint32_t task_stack_offset(void);

/* The same, of `size` bytes of types as in Documentation/bpf/btf.rst. */
uint32_t task_stack_offset_in(const unsigned char *types, size_t size);

#endif
