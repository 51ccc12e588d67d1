/*
 * bind and listen, and the beginning of a connect, are made here on a duplicate of the socket, with
 * the arguments as they were copied: so the result is known exactly, and no thread of the program
 * can change them in between. Only where the program itself would get the same answer; all else the
 * kernel does for the program, as if nobody had looked.
 */
#include "harness/capture/notify_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/capture/notify_answer.h"
#include "harness/capture/notify_connect.h"
#include "harness/capture/notify_guest.h"
#include "harness/capture/notify_keep.h"
#include "harness/capture/notify_policy.h"
#include "harness/capture/notify_socket.h"
#include "harness/capture/unrecorded.h"
#include "shim/shared/policy_attempt.h"
#include "shim/shared/raw_file.h"
#include "shim/shared/recorder.h"

/* Rows of shim/shared/calls.def. */
enum { CALL_BIND = 3, CALL_LISTEN = 6, CALL_CONNECT = 7, CALL_GETSOCKNAME = 10 };

struct notify_call {
    struct notify_server *server;
    int listener;
    bool restricted; /* there may be rules on the program that we are not under */
    const struct seccomp_notif *notification;
    struct notify_guest guest;
    int duplicate;  /* -1: none, or closed again */
    int refused;    /* errno where there never was one */
    uint64_t inode; /* of the socket, where it is looked up in the kernel's table */
    union notify_address address;
    socklen_t length;
    enum notify_connect_way way;
    struct outside_event event;
};

static void close_duplicate(struct notify_call *call) {
    if (call->duplicate >= 0)
        unrecorded_close(call->duplicate);
    call->duplicate = -1;
}

static void report(const struct notify_call *call) {
    call->server->take(call->server->with, &call->event);
}

static bool pass_through(struct notify_call *call) {
    close_duplicate(call);
    return notify_continue(call->listener, call->notification->id);
}

static uint64_t stack_of(pid_t thread) {
    char path[40];
    char text[256];
    unsigned long long stack = 0;
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)thread);
    raw_file_read_text(path, text, sizeof text);
    return sscanf(text, "%*d %*x %*x %*x %*x %*x %*x %llx", &stack) == 1 ? stack : 0;
}

static void find_frames(struct notify_call *call) {
    struct notify_server *server = call->server;
    if (server->frames == NULL)
        return;
    const struct notify_registers registers = {
        (uint32_t)call->guest.process, (uint32_t)call->guest.thread,
        call->notification->data.instruction_pointer, stack_of(call->guest.thread)};
    call->event.addresses = (uint8_t)server->frames(server->frames_with, &registers,
                                                    call->event.address, OUTSIDE_ADDRESSES_MAX);
}

static void begin_event(struct notify_call *call, enum outside_kind kind, unsigned number) {
    struct outside_event *event = &call->event;
    event->kind = (uint8_t)kind;
    event->call = (uint8_t)number;
    event->source = PW_SOURCE_SUPERVISOR;
    event->pid = (uint32_t)call->guest.process;
    event->thread = (uint32_t)call->guest.thread;
    event->uid = notify_guest_user(&call->guest);
    event->descriptor = (int32_t)call->notification->data.args[0];
    notify_guest_name(&call->guest, event->comm);
    if (!call->server->reports_own) /* else others report execs */
        notify_images_look(&call->server->images, event, call->server->take, call->server->with);
}

/* false: the kernel answers it for what it is (EFAULT, EINVAL). */
static bool copy_address(struct notify_call *call) {
    const __u64 *arguments = call->notification->data.args;
    int length = (int)arguments[2];
    errno = 0;
    if (length < (int)sizeof call->address.in || length > (int)sizeof call->address)
        return false;
    call->length = (socklen_t)length;
    return notify_guest_copy(&call->guest, &call->address, arguments[1], (size_t)length);
}

/* Nobody may look into it, or there is nothing to copy. */
static void pass_uncopied(struct notify_call *call) {
    if (errno == EPERM || errno == EACCES)
        recorder_lost(PW_LOST_CALLS, 1);
    pass_through(call);
}

static bool is_internet(const union notify_address *address) {
    return address->any.sa_family == AF_INET || address->any.sa_family == AF_INET6;
}

static long make_call(const void *with) {
    const struct notify_call *call = with;
    switch (call->notification->data.nr) {
    case SYS_bind:
        return unrecorded_bind(call->duplicate, &call->address.any, call->length);
    case SYS_listen:
        return unrecorded_listen(call->duplicate, (int)call->notification->data.args[1]);
    default:
        return unrecorded_connect(call->duplicate, &call->address.any, call->length);
    }
}

/* No notification says what comes of what the program does itself. */
static void look_later(struct notify_call *call) {
    call->event.end_ns = monotonic_ns();
    notify_looks_add(&call->server->looks, &call->event);
}

static long make_call_kept(const void *with) {
    struct notify_call *call = (struct notify_call *)(uintptr_t)with;
    return notify_keep_call(call->duplicate, &call->event, make_call, call,
                            &call->server->journal->shared);
}

/* With the port that the policy of the run chooses, where it chooses one. */
static int make_call_by_policy(struct notify_call *call) {
    struct notify_journal *journal = call->server->journal;
    const struct notify_wish wish = {call->duplicate, &call->address.any, call->length,
                                     &call->event};
    struct policy_request request;
    long result;
    bool applies = notify_policy_applies(&wish, &request);
    notify_act_for(call->guest.process);
    atomic_store(&journal->options, applies ? request.options : 0);
    atomic_store(&journal->by_policy, applies);
    atomic_store(&journal->stage, NOTIFY_PERFORMING);
    if (!applies || !policy_try(&request, make_call_kept, call, &result))
        result = make_call_kept(call);
    int error = result == 0 ? 0 : errno;
    if (applies)
        call->event.flags |= request.flags;
    return error;
}

static uint64_t hash_of(const struct notify_call *call) {
    return notify_late_hash(&call->address, call->length);
}

/* Keeps what nobody waits for any more until the call is repeated. */
static void answer_with(const struct notify_call *call, int error) {
    if (notify_answer(call->listener, call->notification->id, error) || errno != ENOENT)
        return;
    notify_late_keep(&call->server->late, call->event.cookie, call->notification->data.nr,
                     hash_of(call), error);
}

static void perform(struct notify_call *call) {
    struct notify_journal *journal = call->server->journal;
    int number = call->notification->data.nr;
    int error;
    if (notify_late_take(&call->server->late, call->event.cookie, number, hash_of(call), &error)) {
        close_duplicate(call);
        answer_with(call, error);
        return;
    }
    if (call->way == NOTIFY_CONNECT_BEGIN)
        notify_connect_begin(call->duplicate, journal);
    error = make_call_by_policy(call);
    if (call->way == NOTIFY_CONNECT_BEGIN)
        error = notify_connect_end(call->duplicate, journal, &call->address, error);
    if (call->way == NOTIFY_CONNECT_BEGIN && error == EALREADY) {
        if (pass_through(call))
            look_later(call); /* also where others see calls: this one they take for ours */
        return;
    }
    atomic_store(&journal->result, -error);
    atomic_store(&journal->stage, NOTIFY_PERFORMED);
    call->event.error = (uint16_t)error;
    call->event.end_ns = monotonic_ns();
    notify_socket_local(call->duplicate, &call->event);
    close_duplicate(call);
    report(call);
    answer_with(call, error);
}

/* The program makes the call itself; its socket is looked at afterwards, where that can tell. */
static void watch(struct notify_call *call) {
    if (!call->server->reports_own && call->event.kind != OUTSIDE_CONNECT)
        notify_looks_prepare(&call->server->looks);
    if (!pass_through(call) || call->server->reports_own)
        return; /* a signal came first: the call will be repeated; or others see it */
    look_later(call);
}

/* The same where only the kernel's table can tell. A socket is bound once. */
static void watch_by_table(struct notify_call *call) {
    struct outside_event event = call->event;
    if (event.local_port == 0)
        notify_table_before(call->server->table, &event);
    if (!pass_through(call))
        return;
    event.end_ns = monotonic_ns();
    if (event.kind != OUTSIDE_BIND || event.local_port == 0) {
        notify_table_ask(call->server->table, &event, call->inode);
        return;
    }
    event.error = OUTSIDE_ERROR_NOT_KNOWN;
    call->server->take(call->server->with, &event);
}

static bool has_our_rules(const struct notify_call *call) {
    return !call->restricted && notify_guest_has_our_label(&call->guest);
}

static bool may_bind(const struct notify_call *call) {
    return has_our_rules(call) &&
           (!notify_port_is_privileged(call->event.requested_port, call->event.netns) ||
            notify_guest_has_our_rights(&call->guest));
}

static void answer(struct notify_call *call, bool may) {
    if (call->server->table != NULL)
        watch_by_table(call);
    else if (may)
        perform(call);
    else
        watch(call);
}

/* With arguments that were copied while the call waited for us, which it may do no more. */
static void answer_copied(struct notify_call *call, bool may) {
    if (notify_is_valid(call->listener, call->notification->id))
        answer(call, may);
}

static void serve_bind(struct notify_call *call) {
    begin_event(call, OUTSIDE_BIND, CALL_BIND);
    if (!copy_address(call)) {
        pass_uncopied(call);
        return;
    }
    notify_address_store(&call->address, call->event.requested, &call->event.requested_port,
                         &call->event.scope);
    if (call->event.requested_port == 0)
        call->event.flags |= PW_FLAG_PORT_ZERO;
    find_frames(call);
    answer_copied(call, may_bind(call));
}

static void serve_listen(struct notify_call *call) {
    begin_event(call, OUTSIDE_LISTEN, CALL_LISTEN);
    if (call->event.local_port == 0)
        call->event.flags |= PW_FLAG_PORT_ZERO;
    find_frames(call);
    answer(call, has_our_rules(call));
}

static void serve_connect(struct notify_call *call) {
    begin_event(call, OUTSIDE_CONNECT, CALL_CONNECT);
    if (!copy_address(call)) {
        pass_uncopied(call);
        return;
    }
    if (!is_internet(&call->address)) {
        pass_through(call); /* AF_UNSPEC: the socket is disconnected */
        return;
    }
    notify_address_store(&call->address, call->event.peer, &call->event.peer_port, NULL);
    if (call->event.local_port == 0)
        call->event.flags |= PW_FLAG_PORT_ZERO;
    find_frames(call);
    call->way = notify_connect_way(call->duplicate, call->event.type);
    answer_copied(call, call->way != NOTIFY_CONNECT_PASS && has_our_rules(call));
}

/* What is about to be read stands there already. */
static void serve_getsockname(struct notify_call *call) {
    if (call->event.local_port != 0) {
        begin_event(call, OUTSIDE_READ, CALL_GETSOCKNAME);
        call->event.end_ns = monotonic_ns();
        if (call->duplicate >= 0)
            notify_socket_peer(call->duplicate, &call->event);
        if (call->server->reports_own)
            notify_policy_note(&call->event);
        else
            report(call);
    }
    pass_through(call);
}

static void serve_number(struct notify_call *call) {
    switch (call->notification->data.nr) {
    case SYS_bind:
        serve_bind(call);
        break;
    case SYS_listen:
        serve_listen(call);
        break;
    case SYS_connect:
        serve_connect(call);
        break;
    default:
        serve_getsockname(call);
        break;
    }
}

static void serve_socket(struct notify_call *call) {
    notify_looks_settle(&call->server->looks, call->event.cookie, call->duplicate);
    serve_number(call);
}

static void serve_by_table(struct notify_call *call) {
    const struct seccomp_data *data = &call->notification->data;
    pid_t thread = (pid_t)call->notification->pid;
    if (call->server->reports_own) {
        pass_through(call);
        return;
    }
    if (thread == 0) {
        recorder_lost(PW_LOST_CALLS, 1);
        pass_through(call);
        return;
    }
    notify_guest_enter(&call->guest, thread);
    call->inode = notify_table_enter(call->server->table, &call->guest, (int)data->args[0],
                                     data->nr == SYS_getsockname, &call->event);
    if (call->inode != 0 && notify_is_valid(call->listener, call->notification->id))
        serve_number(call);
    else
        pass_through(call);
    notify_guest_leave(&call->guest);
}

/* A descriptor that is none, or no socket of IP, has nothing to be seen; of all others somebody may
 * miss it. */
static void pass_unseen(struct notify_call *call) {
    if (call->duplicate < 0 && call->refused != EBADF)
        recorder_lost(PW_LOST_CALLS, 1);
    pass_through(call);
}

/* Validity is asked for after the descriptor was duplicated: until then the thread that we know by
 * its number might have been another one. */
static void serve_call(struct notify_call *call) {
    if (call->notification->data.nr == SYS_landlock_restrict_self) {
        pass_through(call);
        return;
    }
    pid_t thread = (pid_t)call->notification->pid;
    call->guest.pidfd = -1;
    if (thread != 0) /* in a PID namespace that is not below ours */
        notify_guest_enter(&call->guest, thread);
    errno = 0;
    if (call->guest.pidfd >= 0)
        call->duplicate =
            notify_duplicate(call->guest.pidfd, (int)call->notification->data.args[0]);
    call->refused = errno;
    if (call->duplicate >= 0 && notify_is_valid(call->listener, call->notification->id) &&
        notify_socket_look(call->duplicate, &call->event))
        serve_socket(call);
    else
        pass_unseen(call);
    close_duplicate(call);
    notify_guest_leave(&call->guest);
}

void notify_serve(struct notify_server *server, uint32_t row, int listener) {
    struct notify_journal *journal = server->journal;
    atomic_store(&journal->row, row);
    atomic_store(&journal->stage, NOTIFY_RECEIVING);
    if (notify_receive(listener, &journal->notification) == 0) {
        notify_journal_note(journal, row, &journal->notification);
        struct notify_call call = {.server = server,
                                   .listener = listener,
                                   .restricted = atomic_load(&journal->restricted[row]) != 0,
                                   .notification = &journal->notification,
                                   .duplicate = -1,
                                   .event.begin_ns = monotonic_ns()};
        if (server->table != NULL)
            serve_by_table(&call);
        else
            serve_call(&call);
        notify_images_answered(&server->images, call.event.pid,
                               call.event.end_ns != 0 ? call.event.end_ns : call.event.begin_ns);
    }
    atomic_store(&journal->stage, NOTIFY_IDLE);
    memset(journal->bytes, 0, server->bytes);
}
