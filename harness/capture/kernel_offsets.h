/* Where the running kernel has what the eBPF programs read in its structures. */
#ifndef PORTWITNESS_CAPTURE_KERNEL_OFFSETS_H
#define PORTWITNESS_CAPTURE_KERNEL_OFFSETS_H

#ifndef __bpf__
#include <stdbool.h>
#include <stddef.h>
#endif
#include <stdint.h>

/* In bytes. */
struct kernel_offsets {
    uint32_t stack; /* struct task_struct */
    uint32_t comm;
    uint32_t tgid;
    uint32_t mm;
    uint32_t real_parent;
    uint32_t start_boottime;
    uint32_t group_leader;
    uint32_t thread_pid;
    uint32_t cgroups;
    uint32_t arg_start; /* struct mm_struct */
    uint32_t arg_end;
    uint32_t interp;   /* struct linux_binprm */
    uint32_t level;    /* struct pid */
    uint32_t numbers;  /* of which each is a pid and its namespace */
    uint32_t ns;       /* struct pid_namespace */
    uint32_t inum;     /* struct ns_common */
    uint32_t dfl_cgrp; /* struct css_set */
    uint32_t self;     /* struct cgroup */
    uint32_t kn;
    uint32_t parent; /* struct cgroup_subsys_state */
    uint32_t id;     /* struct kernfs_node */
};

#ifndef __bpf__
/* By the types of the running kernel (/sys/kernel/btf/vmlinux). false, and all 0, where these lack
 * one of them, or cannot be read, or on a machine whose registers the programs do not know. */
bool kernel_offsets_read(struct kernel_offsets *offsets);

/* The same, of `size` bytes of types as in Documentation/bpf/btf.rst. */
bool kernel_offsets_find(const unsigned char *types, size_t size, struct kernel_offsets *offsets);
#endif

#endif
