/*
 * Makes every wrapped call at random with bad, short, unaligned and NULL pointers, odd lengths and
 * descriptors, and beside each the bare call (the system call itself, or libc's own function past
 * the preload) on a twin in the same state: result and errno must be equal, and no signal may come.
 *
 *   fuzz_calls [--calls N] [--seed S]     prints how many calls of each row, and the differences
 *   fuzz_calls --list                     each row, and why it is left out where it is
 *
 * It is meant for a network namespace of its own. Without the shim both sides are the same.
 */
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>

#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/guests/fuzz_programs.h"

/* What the result is. */
enum result { INTEGER, LONG, NOTHING, DESCRIPTOR, DUPLICATE, ERROR, STREAM };

struct row {
    const char *name;
    const char *arguments; /* a letter each: see adders; NULL: left out */
    const char *reason;
    long number;   /* of the system call, -1: none, or nothing to call directly */
    bool is_libcs; /* libc does more than that */
    enum result result;
    unsigned weight; /* relative frequency: what starts programs takes long */
};

#define KERNEL(name, arguments, result, weight) arguments, NULL, SYS_##name, false, result, weight
#define LIBC(arguments, result, weight) arguments, NULL, -1, true, result, weight
#define LEFT_OUT(reason) NULL, reason, -1, true, NOTHING, 0

/* A row that is added to the list of wrapped calls without one of these does not compile. */
#define ROW_socket KERNEL(socket, "k", DESCRIPTOR, 200)
#define ROW_setsockopt KERNEL(setsockopt, "fo", INTEGER, 750)
#define ROW_bind KERNEL(bind, "fa", INTEGER, 750)
#define ROW_bindresvport LIBC("fw", INTEGER, 50)
#define ROW_rresvport LIBC("v", DESCRIPTOR, 10)
#define ROW_listen KERNEL(listen, "fn", INTEGER, 100)
#define ROW_connect KERNEL(connect, "fa", INTEGER, 500)
#define ROW_accept KERNEL(accept, "fA", DESCRIPTOR, 200)
#define ROW_accept4 KERNEL(accept4, "fAn", DESCRIPTOR, 200)
#define ROW_getsockname KERNEL(getsockname, "fA", INTEGER, 500)
#define ROW_sendto KERNEL(sendto, "fdFa", LONG, 500)
#define ROW_sendmsg KERNEL(sendmsg, "fmF", LONG, 600)
#define ROW_sendmmsg KERNEL(sendmmsg, "fMF", INTEGER, 600)
#define ROW_recvmsg KERNEL(recvmsg, "fmF", LONG, 500)
#define ROW_recvmmsg KERNEL(recvmmsg, "fMFt", INTEGER, 500)
#define ROW_shutdown KERNEL(shutdown, "fn", INTEGER, 100)
#define ROW_close KERNEL(close, "f", INTEGER, 100)
#define ROW_fclose LIBC("s", INTEGER, 50)
#define ROW_dup KERNEL(dup, "f", DESCRIPTOR, 100)
#ifdef SYS_dup2
#define ROW_dup2 KERNEL(dup2, "fT", DESCRIPTOR, 100)
#else
#define ROW_dup2 LIBC("fT", DESCRIPTOR, 100)
#endif
#define ROW_dup3 KERNEL(dup3, "fTn", DESCRIPTOR, 100)
#define ROW_fcntl "fc", NULL, SYS_fcntl, true, DUPLICATE, 100
#define ROW_fcntl64 LIBC("fc", DUPLICATE, 100)
#define ROW_close_range KERNEL(close_range, "r", INTEGER, 50)
#define ROW_closefrom LIBC("q", NOTHING, 10)
#define ROW_syscall LIBC("y", LONG, 100)
#define ROW_pidfd_getfd KERNEL(pidfd_getfd, "ffn", DESCRIPTOR, 100)
#define ROW_setns KERNEL(setns, "fn", INTEGER, 50)
#define ROW_unshare KERNEL(unshare, "u", INTEGER, 50)
#define ROW_fork LEFT_OUT("the child would go on fuzzing; it has no argument")
#define ROW__Fork LEFT_OUT("the child would go on fuzzing; it has no argument")
#define ROW_vfork LEFT_OUT("the child would go on fuzzing; it has no argument")
#define ROW_posix_spawn LIBC("S", ERROR, 1)
#define ROW_posix_spawnp LIBC("R", ERROR, 1)
#define ROW_execve KERNEL(execve, "PX", INTEGER, 40)
#define ROW_execv LIBC("Px", INTEGER, 20)
#define ROW_execvp LIBC("px", INTEGER, 10)
#define ROW_execvpe LIBC("pX", INTEGER, 10)
#define ROW_execl LIBC("Pl", INTEGER, 10)
#define ROW_execlp LIBC("pl", INTEGER, 10)
#define ROW_execle LIBC("PL", INTEGER, 10)
#define ROW_fexecve LIBC("fX", INTEGER, 20)
#define ROW_execveat KERNEL(execveat, "DPXe", INTEGER, 40)
#define ROW_system LIBC("C", INTEGER, 1)
#define ROW_popen LIBC("O", STREAM, 1)
#define ROW__exit LEFT_OUT("nothing comes after it")
#define ROW__Exit LEFT_OUT("nothing comes after it")
#define ROW_setuid KERNEL(setuid, "U", INTEGER, 25)
#define ROW_seteuid LIBC("U", INTEGER, 25)
#define ROW_setreuid KERNEL(setreuid, "UU", INTEGER, 25)
#define ROW_setresuid KERNEL(setresuid, "UUU", INTEGER, 25)
#define ROW_daemon LEFT_OUT("the parent ends in it; it has no pointer")
#define ROW_rresvport_af LIBC("vn", DESCRIPTOR, 10)
#define ROW_setfsuid KERNEL(setfsuid, "U", INTEGER, 25)
#define ROW_prctl KERNEL(prctl, "g", INTEGER, 50)
#define ROW_setenv LEFT_OUT("both sides share one environment; libc crashes for bad pointers")
#define ROW_putenv LEFT_OUT("both sides share one environment; libc crashes for bad pointers")
#define ROW_unsetenv LEFT_OUT("both sides share one environment; libc crashes for bad pointers")
#define ROW_clearenv LEFT_OUT("both sides share one environment; it has no argument")

static const struct row rows[] = {
#define CALL(number, result, name, parameters, arguments) {#name, ROW_##name},
#define CALL_PLAIN(number, result, name) {#name, ROW_##name},
#define CALL_VOID(number, name, parameters, arguments) {#name, ROW_##name},
#define CALL_OWN(number, result, name, parameters) {#name, ROW_##name},
#include "shim/shared/calls.def"
};

enum { ROWS = sizeof rows / sizeof *rows, ATTEMPTS = 3, SHOWN = 20 };

typedef long routine(long, long, long, long, long, long);

static routine *wrapped[ROWS], *past_preload[ROWS];
static unsigned long made[ROWS];
static unsigned total_weight;
static uint64_t seed, call_state; /* of the present call, to draw it again */
static unsigned long differences, drifts;

static const struct row *volatile present;
static struct invocation invocation;
static volatile int present_twin;
static volatile bool by_number; /* through syscall(2) */

static void look_up(void *libc, const char *name, routine **first, routine **past) {
    void *entry = dlsym(RTLD_DEFAULT, name);
    memcpy(first, &entry, sizeof entry);
    entry = dlsym(libc, name);
    memcpy(past, &entry, sizeof entry);
}

static void look_all_up(void) {
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    for (int i = 0; i < ROWS; i++) {
        look_up(libc, rows[i].name, &wrapped[i], &past_preload[i]);
        if (wrapped[i] != NULL && past_preload[i] != NULL)
            total_weight += rows[i].weight;
    }
}

/* A system call that syscall(2) passes on untouched. */
static void add_other_call(struct invocation *to) {
    static const long numbers[] = {SYS_getpid, -1, 511, 512, 100000, SYS_getpeername, SYS_read};
    add_both(to, PICK(numbers));
    add_both(to, -1);
    add_both(to, 8);
}

/* Filters that the kernel does not take: one that it took would stay. */
static void add_filter(struct invocation *to) {
    static const int options[] = {PR_SET_SECCOMP, PR_SET_SECCOMP, PR_SET_SECCOMP,
                                  PR_GET_SECCOMP, 9999,           -1};
    static const int modes[] = {SECCOMP_MODE_FILTER, SECCOMP_MODE_FILTER, 3, -1};
    static const unsigned short lengths[] = {0, 1, BPF_MAXINSNS, UINT16_MAX};
    struct place place = draw_place(MAIN, sizeof(struct sock_fprog));
    const struct sock_fprog program = {PICK(lengths), (struct sock_filter *)8};
    put_both(&place, &program, sizeof program);
    add_both(to, PICK(options));
    add_both(to, PICK(modes));
    add_place(to, &place);
    add_both(to, 0);
    add_both(to, 0);
}

static void add_flags(struct invocation *to) { add_both(to, odd_flags()); }

static void add_parked(struct invocation *to) {
    park(made_slot((enum kind)below(KINDS)));
    add_both(to, PARKED);
}

static void add_folder(struct invocation *to) {
    if (below(2) == 0)
        add_both(to, AT_FDCWD);
    else
        add_descriptor(to);
}

static void add_free_path(struct invocation *to) { add_path(to, true); }
static void add_readable_path(struct invocation *to) { add_path(to, false); }
static void add_arguments(struct invocation *to) { add_vectors(to, false); }
static void add_both_vectors(struct invocation *to) { add_vectors(to, true); }
static void add_plain_list(struct invocation *to) { add_list(to, false); }
static void add_list_and_environment(struct invocation *to) { add_list(to, true); }
static void add_free_spawn(struct invocation *to) { add_spawn(to, true); }
static void add_searched_spawn(struct invocation *to) { add_spawn(to, false); }
static void add_command_of_system(struct invocation *to) { add_shell_command(to, false); }
static void add_command_of_popen(struct invocation *to) { add_shell_command(to, true); }

static void (*const adders[128])(struct invocation *) = {
    ['f'] = add_descriptor,
    ['a'] = add_address,
    ['A'] = add_result_address,
    ['d'] = add_data,
    ['F'] = add_flags,
    ['m'] = add_message,
    ['M'] = add_messages,
    ['t'] = add_time,
    ['o'] = add_option,
    ['k'] = add_socket,
    ['c'] = add_command,
    ['T'] = add_target,
    ['r'] = add_range,
    ['q'] = add_parked,
    ['n'] = add_number,
    ['u'] = add_unshared,
    ['U'] = add_user,
    ['g'] = add_filter,
    ['w'] = add_own_address,
    ['v'] = add_reserved_port,
    ['s'] = add_stream,
    ['y'] = add_other_call,
    ['P'] = add_free_path,
    ['p'] = add_readable_path,
    ['x'] = add_arguments,
    ['X'] = add_both_vectors,
    ['l'] = add_plain_list,
    ['L'] = add_list_and_environment,
    ['D'] = add_folder,
    ['e'] = add_exec_flags,
    ['S'] = add_free_spawn,
    ['R'] = add_searched_spawn,
    ['C'] = add_command_of_system,
    ['O'] = add_command_of_popen,
};

static const struct row *draw_row(void) {
    unsigned left = below(total_weight);
    int i = 0;
    while (wrapped[i] == NULL || past_preload[i] == NULL || left >= rows[i].weight) {
        if (wrapped[i] != NULL && past_preload[i] != NULL)
            left -= rows[i].weight;
        i++;
    }
    return &rows[i];
}

static void draw_call(void) {
    memset(&invocation, 0, sizeof invocation);
    clear_arena();
    present = draw_row();
    invocation.of = present->name;
    by_number = present->number >= 0 && below(4) == 0;
    for (const char *letter = present->arguments; *letter != '\0'; letter++)
        adders[(unsigned char)*letter](&invocation);
}

static long enter(int twin) {
    const long *a = invocation.argument[twin];
    size_t row = (size_t)(present - rows);
    if (twin == WRAPPED && by_number)
        return syscall(present->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (twin == BARE && present->number >= 0 && (by_number || !present->is_libcs))
        return bare_call(present->number, a);
    return (twin == WRAPPED ? wrapped : past_preload)[row](a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void wait_for_all(void) {
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

struct outcome {
    long value;
    int error;
};

static bool is_new_descriptor(const struct outcome *outcome, int twin) {
    const long *a = invocation.argument[twin];
    bool is_command = a[1] == F_DUPFD || a[1] == F_DUPFD_CLOEXEC;
    return outcome->value >= 0 &&
           (present->result == DESCRIPTOR || (present->result == DUPLICATE && is_command));
}

/* Closes what the call has made, before the other twin's turn. */
static void tidy(const struct outcome *outcome, int twin) {
    struct slot *slot = invocation.slot;
    if (is_new_descriptor(outcome, twin))
        PREPARE(twin, SYS_close, outcome->value);
    if (present->result == STREAM && outcome->value != 0)
        pclose((FILE *)outcome->value);
    if (present->result == ERROR || present->result == STREAM)
        wait_for_all();
    if (strcmp(present->name, "close") == 0 && outcome->value == 0 && slot != NULL)
        slot->fd[twin] = -1;
    if (strncmp(present->name, "recv", 4) == 0 && outcome->value >= 0 && slot == &slots[UNIX_FULL])
        close_new(twin);
    if (strncmp(present->name, "close_range", 11) == 0)
        PREPARE(twin, SYS_close, PARKED + twin);
}

static struct outcome make_call(int twin) {
    struct outcome outcome;
    present_twin = twin;
    errno = ENOTNAM;
    outcome.value = enter(twin);
    outcome.error = errno;
    if (present->result == NOTHING)
        outcome.value = 0;
    else if (present->result != LONG && present->result != STREAM)
        outcome.value = (int)outcome.value;
    tidy(&outcome, twin);
    if (is_new_descriptor(&outcome, twin) || (present->result == STREAM && outcome.value != 0))
        outcome.value = 1;
    return outcome;
}

/* A call that did something, or may still be doing it, has made the twins ready for other calls
 * than before: half of the time they are used so, else made again. */
static void renew(const struct outcome *outcome) {
    bool did = outcome->value >= 0 && strncmp(present->name, "get", 3) != 0;
    bool goes_on = outcome->error == EINPROGRESS || outcome->error == EALREADY ||
                   outcome->error == ECONNREFUSED;
    bool is_closed = invocation.slot != NULL && invocation.slot->fd[BARE] < 0;
    if (invocation.slot != NULL && ((did && below(2) == 0) || goes_on || is_closed))
        release(invocation.slot);
}

static void print_call(int twin) {
    char text[512];
    const long *a = invocation.argument[twin];
    int length =
        snprintf(text, sizeof text,
                 "%s%s(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx), descriptors of kind %ld, "
                 "seed %llu\n",
                 by_number ? "by number: " : "", present->name, a[0], a[1], a[2], a[3], a[4], a[5],
                 invocation.slot != NULL ? invocation.slot - slots : -1L, (unsigned long long)seed);
    if (write(2, text, (size_t)length) < 0)
        _exit(4);
}

static void on_signal(int number) {
    dprintf(2, "signal %d in the %s call of\n", number,
            present_twin == WRAPPED ? "wrapped" : "bare");
    print_call(present_twin);
    _exit(1);
}

static bool is_same(const struct outcome *a, const struct outcome *b) {
    return a->value == b->value && a->error == b->error;
}

/* Descriptors change behind our back (a segment that is still on its way): what does not differ
 * between twins that were made again was not a difference. */
static void fuzz_once(void) {
    struct outcome first, second;
    call_state = random_state;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        random_state = call_state;
        draw_call();
        first = make_call(WRAPPED);
        second = make_call(BARE);
        if (is_same(&first, &second)) {
            drifts += attempt > 0;
            made[present - rows]++;
            renew(&second);
            return;
        }
        for (int kind = 0; kind < KINDS; kind++)
            release(&slots[kind]);
    }
    if (++differences <= SHOWN) {
        fprintf(stderr, "wrapped %ld %s, bare %ld %s:\n", first.value, strerrorname_np(first.error),
                second.value, strerrorname_np(second.error));
        print_call(WRAPPED);
    }
}

static void list_rows(void) {
    for (int i = 0; i < ROWS; i++)
        printf("%s%s%s\n", rows[i].name, rows[i].reason != NULL ? ": " : "",
               rows[i].reason != NULL ? rows[i].reason : "");
}

static void prepare_process(void) {
    const struct rlimit few = {HIGHEST, HIGHEST};
    signal(SIGSEGV, on_signal);
    signal(SIGBUS, on_signal);
    signal(SIGPIPE, SIG_IGN);
    if (setrlimit(RLIMIT_NOFILE, &few) != 0)
        fail("setrlimit");
    make_arena();
    look_all_up();
    remember_open();
}

int main(int count, char **words) {
    unsigned long calls = 100000;
    seed = 1;
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--list") == 0) {
            list_rows();
            return 0;
        }
        if (i + 1 < count && strcmp(words[i], "--calls") == 0)
            calls = strtoul(words[++i], NULL, 10);
        else if (i + 1 < count && strcmp(words[i], "--seed") == 0)
            seed = strtoull(words[++i], NULL, 10);
        else
            return 2;
    }
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    prepare_process();
    for (unsigned long i = 0; i < calls; i++)
        fuzz_once();
    for (int i = 0; i < ROWS; i++)
        if (rows[i].weight > 0)
            printf("%s %lu\n", rows[i].name, made[i]);
    printf("%lu calls, %lu differences, %lu twins that drifted apart\n", calls, differences,
           drifts);
    return differences == 0 && drifts <= 10 + calls / 1000 ? 0 : 1;
}
