/* A program that binds a port, and seccomp filters under which it can do that and little more.
 *
 *   filtered bind              binds port 0, listens, and prints whether that worked
 *   filtered filter LIST HOW   writes a filter to stdout, as bwrap's --seccomp takes it. LIST is
 *                              "foreign" (what a shim might call and `filtered bind` does not is
 *                              answered by HOW) or "own" (all that `filtered bind` and bwrap around
 *                              it do not call). HOW is kill, trap or errno. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int foreign[] = {SYS_getsockopt,
                              SYS_getsockname,
                              SYS_getpeername,
                              SYS_setsockopt,
                              SYS_prctl,
                              SYS_seccomp,
                              SYS_madvise,
                              SYS_mremap,
                              SYS_ioctl,
                              SYS_fcntl,
                              SYS_pipe2,
                              SYS_readlinkat,
                              SYS_getdents64,
                              SYS_rt_sigprocmask,
                              SYS_getpid,
                              SYS_gettid,
                              SYS_getuid,
                              SYS_clock_gettime,
                              SYS_process_vm_readv,
                              SYS_process_vm_writev};

static const int own[] = {SYS_execve,          SYS_brk,       SYS_mmap,
                          SYS_munmap,          SYS_mprotect,  SYS_openat,
                          SYS_newfstatat,      SYS_pread64,   SYS_read,
                          SYS_write,           SYS_close,     SYS_set_tid_address,
                          SYS_set_robust_list, SYS_rseq,      SYS_prlimit64,
                          SYS_getrandom,       SYS_socket,    SYS_bind,
                          SYS_listen,          SYS_wait4,     SYS_exit_group,
#ifdef __x86_64__
                          SYS_access,          SYS_arch_prctl
#else
                          SYS_faccessat
#endif
};

static void put(unsigned short code, size_t jump, unsigned value) {
    struct sock_filter step = {code, (unsigned char)jump, 0, value};
    fwrite(&step, sizeof step, 1, stdout);
}

/* Each listed call is answered by `listed`, any other by `rest`. */
static int write_filter(const int *calls, size_t count, unsigned listed, unsigned rest) {
    put(BPF_LD | BPF_W | BPF_ABS, 0, 0); /* the number of the call is the first of seccomp_data */
    for (size_t i = 0; i < count; i++)
        put(BPF_JMP | BPF_JEQ | BPF_K, count - i, (unsigned)calls[i]);
    put(BPF_RET | BPF_K, 0, rest);
    put(BPF_RET | BPF_K, 0, listed);
    return fflush(stdout) == 0 ? 0 : 1;
}

static int filter(const char *list, const char *how) {
    unsigned refusal = SECCOMP_RET_ERRNO | EPERM;
    if (strcmp(how, "kill") == 0)
        refusal = SECCOMP_RET_KILL_PROCESS;
    if (strcmp(how, "trap") == 0)
        refusal = SECCOMP_RET_TRAP;
    if (strcmp(list, "own") == 0)
        return write_filter(own, sizeof own / sizeof *own, SECCOMP_RET_ALLOW, refusal);
    return write_filter(foreign, sizeof foreign / sizeof *foreign, refusal, SECCOMP_RET_ALLOW);
}

static int bind_one(void) {
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int bound = bind(fd, (struct sockaddr *)&any, sizeof any);
    int listening = listen(fd, 1);
    printf("bind %d, listen %d, close %d\n", bound, listening, close(fd));
    return bound != 0 || listening != 0;
}

int main(int count, char **words) {
    if (count == 2 && strcmp(words[1], "bind") == 0)
        return bind_one();
    if (count == 4 && strcmp(words[1], "filter") == 0)
        return filter(words[2], words[3]);
    fprintf(stderr, "usage: filtered bind | filtered filter foreign|own kill|trap|errno\n");
    return 2;
}
