/*
 * Attaches an eBPF program that lets all binds pass to the control group FOLDER, for itself alone
 * (flags 0), so that nothing can be attached below; then executes COMMAND in that group.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int call_bpf(int what, union bpf_attr *attributes) {
    return (int)syscall(SYS_bpf, what, attributes, sizeof *attributes);
}

static int load(void) {
    static const struct bpf_insn program[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
        {.code = BPF_JMP | BPF_EXIT}};
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR;
    attributes.expected_attach_type = BPF_CGROUP_INET4_BIND;
    attributes.insns = (uint64_t)(uintptr_t)program;
    attributes.insn_cnt = sizeof program / sizeof *program;
    attributes.license = (uint64_t)(uintptr_t) "GPL";
    return call_bpf(BPF_PROG_LOAD, &attributes);
}

static int attach(int folder, int program) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (uint32_t)folder;
    attributes.attach_bpf_fd = (uint32_t)program;
    attributes.attach_type = BPF_CGROUP_INET4_BIND;
    attributes.attach_flags = 0;
    return call_bpf(BPF_PROG_ATTACH, &attributes);
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 2;
    int folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int program = load();
    int processes = openat(folder, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (folder < 0 || program < 0 || attach(folder, program) != 0 ||
        write(processes, "0", 1) != 1) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return 2;
    }
    execv(argv[2], argv + 2);
    return 127;
}
