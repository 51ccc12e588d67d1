/*
 * A filter outlives whoever made it. If the last descriptor of its listener goes with `run`, each
 * call that it notifies of is refused from then on (ENOSYS), in a container's daemon for years. So
 * a small process has them as well, and waits for nothing but the end of `run`.
 */
#include "harness/capture/notify_standby.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/capture/notify_answer.h"
#include "harness/capture/notify_connect.h"
#include "harness/capture/notify_mailbox.h"
#include "harness/capture/unrecorded.h"
#include "harness/system/process_facts.h"
#include "harness/system/process_title.h"
#include "shim/shared/keep_socket.h"
#include "shim/shared/policy_attempt.h"

enum {
    SETTLE_MS = 20,
    LOOK_MS = 500,
    SETTLE_ROUNDS = 300,
    OWN_MS = 50, /* so long a message waits where there is any such */
    END_ROUNDS = 50,
    END_PAUSE_NS = 1000 * 1000
};

enum what { HOLD, ANSWER, DROP };

struct message {
    uint32_t row;
    uint32_t what; /* enum what */
};

struct holding {
    /* By row, fd -1: none. Nothing that a limit could forbid, as epoll_ctl(2). */
    struct pollfd file[NOTIFY_LISTENERS_MOST];
    struct pollfd own[NOTIFY_LISTENERS_MOST]; /* those that `run` cannot answer */
    uint32_t rows; /* that were ever in use: poll(2) takes no more than the limit of descriptors */
    unsigned count;
    unsigned own_count;
    int link;
    int entry; /* where listeners are sent to, -1: they can be taken */
    struct notify_journal *journal;
    struct pw_notify_area *area;
};

/* In the standby's memory alone. */
static struct holding held;

static void drop(uint32_t row) {
    if (row >= NOTIFY_LISTENERS_MOST || held.file[row].fd < 0)
        return;
    close(held.file[row].fd);
    held.own_count -= held.own[row].fd >= 0;
    held.file[row].fd = held.own[row].fd = -1;
    held.count--;
}

static void hold(uint32_t row, int listener) {
    if (row >= NOTIFY_LISTENERS_MOST) {
        close(listener);
        return;
    }
    drop(row);
    held.file[row] = (struct pollfd){.fd = listener, .events = POLLIN};
    held.rows = row >= held.rows ? row + 1 : held.rows;
    held.count++;
}

static void own(uint32_t row) {
    if (row >= NOTIFY_LISTENERS_MOST || held.file[row].fd < 0 || held.own[row].fd >= 0)
        return;
    held.own[row] = held.file[row];
    held.own_count++;
}

/* One message, with a listener or without. false at the end: `run` is gone. */
static bool take_message(void) {
    struct message message;
    struct iovec part = {&message, sizeof message};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    ssize_t got = recvmsg(held.link, &header, MSG_CMSG_CLOEXEC);
    if (got != sizeof message)
        return got < 0 && errno == EINTR;
    struct cmsghdr *sent = CMSG_FIRSTHDR(&header);
    if (message.what == DROP)
        drop(message.row);
    else if (message.what == ANSWER)
        own(message.row);
    else if (sent != NULL && sent->cmsg_type == SCM_RIGHTS) {
        int listener;
        memcpy(&listener, CMSG_DATA(sent), sizeof listener);
        hold(message.row, listener);
    }
    return true;
}

static void undo_policy(int duplicate) {
    if (atomic_load(&held.journal->by_policy) != 0)
        policy_restore(duplicate, atomic_load(&held.journal->options));
    if (atomic_load(&held.journal->shared))
        keep_restore(duplicate);
}

/* Has the socket of an interrupted bind or connect its port? Where we may not look, it is taken for
 * not done: the program is then told EINVAL. Ends what a policy was in the middle of. */
static bool was_done(const struct seccomp_notif *notification) {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } local;
    socklen_t length = sizeof local;
    int pidfd = notify_process_open((pid_t)notification->pid);
    int duplicate = notify_duplicate(pidfd, (int)notification->data.args[0]);
    bool done = duplicate >= 0 && unrecorded_getsockname(duplicate, &local.any, &length) == 0 &&
                (local.any.sa_family == AF_INET6 ? local.in6.sin6_port : local.in.sin_port) != 0;
    if (duplicate >= 0) {
        undo_policy(duplicate);
        unrecorded_close(duplicate);
    }
    if (pidfd >= 0)
        close(pidfd);
    return done;
}

/* `run` may go on later, and must know by then. */
static void let_through(uint32_t row, const struct seccomp_notif *notification) {
    notify_journal_note(held.journal, row, notification);
    notify_continue(held.file[row].fd, notification->id);
}

/* true where the connection stands; the program's own connect would answer that with EISCONN. Else
 * it waits for it, and gets what comes of it. */
static bool end_connect(const struct seccomp_notif *notification, uint32_t stage) {
    struct outside_event event;
    bool stands = false;
    int pidfd = notify_process_open((pid_t)notification->pid);
    int duplicate = notify_duplicate(pidfd, (int)notification->data.args[0]);
    if (duplicate >= 0) {
        if (stage == NOTIFY_PERFORMING)
            undo_policy(duplicate);
        notify_connect_restore(duplicate, held.journal);
        stands = notify_socket_peer(duplicate, &event);
        unrecorded_close(duplicate);
    }
    if (pidfd >= 0)
        close(pidfd);
    return stands;
}

/* What `run` had taken and not answered: nobody else ever will. */
static void finish_interrupted(void) {
    const struct seccomp_notif *notification = &held.journal->notification;
    uint32_t row = atomic_load(&held.journal->row);
    uint32_t stage = atomic_load(&held.journal->stage);
    if (stage == NOTIFY_IDLE || row >= NOTIFY_LISTENERS_MOST || held.file[row].fd < 0)
        return;
    int listener = held.file[row].fd;
    int number = notification->data.nr;
    bool begun = atomic_load(&held.journal->begun) != 0;
    if (stage == NOTIFY_PERFORMED)
        notify_answer(listener, notification->id, -atomic_load(&held.journal->result));
    else if (begun && end_connect(notification, stage))
        notify_answer(listener, notification->id, 0);
    else if (!begun && stage == NOTIFY_PERFORMING && was_done(notification) && number != SYS_listen)
        notify_answer(listener, notification->id, number == SYS_connect ? EINPROGRESS : 0);
    else
        let_through(row, notification);
}

static void continue_one(uint32_t row) {
    union {
        struct seccomp_notif notification;
        unsigned char bytes[NOTIFY_BYTES];
    } room;
    memset(&room, 0, sizeof room);
    if (notify_receive(held.file[row].fd, &room.notification) == 0)
        let_through(row, &room.notification);
}

static void answer_all(struct pollfd *files, int timeout_ms) {
    int count = poll(files, held.rows, timeout_ms);
    for (uint32_t row = 0; count > 0 && row < held.rows; row++) {
        if (files[row].fd < 0 || files[row].revents == 0)
            continue;
        count--;
        if ((files[row].revents & POLLIN) != 0)
            continue_one(row);
        else
            drop(row);
    }
}

static void answer(int timeout_ms) { answer_all(held.file, timeout_ms); }

/* A program may be in the middle of handing its listener over. */
static void hold_posted(void) {
    uint32_t row = 0;
    while (row < NOTIFY_LISTENERS_MOST && held.file[row].fd >= 0)
        row++;
    if (row == NOTIFY_LISTENERS_MOST)
        return;
    int listener = notify_mailbox_take_left(held.area, held.journal, held.entry);
    if (listener < 0)
        return;
    hold(row, listener);
}

static _Noreturn void stand_in(void) {
    finish_interrupted();
    notify_mailbox_close(held.area);
    for (unsigned round = 0; round < SETTLE_ROUNDS && notify_mailbox_is_used(held.area); round++) {
        hold_posted();
        answer(SETTLE_MS);
    }
    while (held.count > 0)
        answer(-1);
    _exit(0);
}

static bool is_stopped(pid_t run) {
    char state = process_state(run);
    return state == 'T' || state == 't';
}

/* By job control, or by a debugger. Once it goes on it finds that nobody waits for its answer. */
static void answer_while_stopped(pid_t run) {
    if (is_stopped(run))
        finish_interrupted();
    while (is_stopped(run))
        answer(SETTLE_MS);
}

static int wait_ms(void) {
    if (held.own_count > 0)
        return 0;
    return held.count > 0 ? LOOK_MS : -1;
}

static void follow(pid_t run) {
    struct pollfd link = {.fd = held.link, .events = POLLIN};
    do {
        while (poll(&link, 1, wait_ms()) == 0) {
            if (held.own_count > 0)
                answer_all(held.own, OWN_MS);
            answer_while_stopped(run);
        }
    } while (take_message());
}

static void keep_only(int link) {
    if (held.entry >= 0)
        held.entry = fcntl(held.entry, F_DUPFD_CLOEXEC, 5); /* out of the way of the others */
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd < 3; fd++)
        dup2(null, fd);
    dup2(link, 3);
    if (held.entry >= 0)
        held.entry = dup2(held.entry, 4);
    close_range(held.entry >= 0 ? 5 : 4, ~0U, 0);
}

static _Noreturn void be_standby(int link) {
    struct rlimit limit;
    pid_t run = getppid();
    setpgid(0, 0);
    prctl(PR_SET_NAME, "pw-standby");
    process_title_set(
        "pw-standby"); /* whoever kills `run` by its command line is not to hit both */
    keep_only(link);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    for (unsigned row = 0; row < NOTIFY_LISTENERS_MOST; row++)
        held.file[row].fd = held.own[row].fd = -1;
    held.link = 3;
    follow(run);
    stand_in();
}

static bool have_journal(struct notify_standby *standby) {
    if (standby->journal == NULL)
        standby->journal = mmap(NULL, sizeof *standby->journal, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return standby->journal != MAP_FAILED;
}

bool notify_standby_start(struct notify_standby *standby, struct pw_notify_area *area, int entry) {
    int ends[2];
    sigset_t all;
    sigset_t before;
    standby->link = -1;
    if (!have_journal(standby) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    held.journal = standby->journal;
    held.area = area;
    held.entry = entry;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before); /* it has no signal to take */
    /* Without an exit signal: whoever waits for the command does not see it (clone(2)). */
    standby->pid = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (standby->pid == 0)
        be_standby(ends[1]);
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (standby->pid > 0) {
        standby->link = ends[0];
        return true;
    }
    close(ends[0]);
    return false;
}

void notify_standby_forget(struct notify_standby *standby) {
    if (standby->link < 0)
        return;
    close(standby->link);
    standby->link = -1;
    waitpid(standby->pid, NULL, __WALL);
}

static bool tell(const struct notify_standby *standby, struct message message, int listener) {
    struct iovec part = {&message, sizeof message};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (listener >= 0) {
        memcpy(CMSG_DATA(&control.header), &listener, sizeof listener);
        header.msg_control = &control;
        header.msg_controllen = sizeof control;
    }
    return sendmsg(standby->link, &header, MSG_NOSIGNAL) == (ssize_t)sizeof message;
}

bool notify_standby_hold(const struct notify_standby *standby, uint32_t row, int listener) {
    return tell(standby, (struct message){row, HOLD}, listener);
}

bool notify_standby_answer(const struct notify_standby *standby, uint32_t row) {
    return tell(standby, (struct message){row, ANSWER}, -1);
}

void notify_standby_drop(const struct notify_standby *standby, uint32_t row) {
    tell(standby, (struct message){row, DROP}, -1);
}

/* Where it has nothing to do it ends at once, and is waited for: not everybody's init does that. */
void notify_standby_leave(struct notify_standby *standby) {
    const struct timespec pause = {.tv_nsec = END_PAUSE_NS};
    if (standby->link < 0)
        return;
    close(standby->link);
    standby->link = -1;
    for (unsigned round = 0; round < END_ROUNDS; round++) {
        if (waitpid(standby->pid, NULL, __WALL | WNOHANG) != 0)
            return;
        nanosleep(&pause, NULL);
    }
}
