/* getsockname: only a number that the program read can be one that it relies on. What the program
 * got is not looked at: its buffer may be shorter than an address, or none at all. Only in a
 * sandbox, where nobody else may be asked, it is, where it lies on our own stack. */
#include <string.h>

#include "shim/frames/frames.h"
#include "shim/gate.h"
#include "shim/policy/keep.h"
#include "shim/policy/policy.h"
#include "shim/process/notified_pass.h"
#include "shim/process/sandbox.h"
#include "shim/real.h"
#include "shim/socket/cancellable.h"
#include "shim/socket/sockets.h"

/* Whether the memory lies on the page of this frame or the next one, where callers' frames are. */
static bool lies_on_stack(const void *from, size_t size) {
    uintptr_t page = 4096, frame = (uintptr_t)__builtin_frame_address(0) & ~(page - 1);
    uintptr_t begin = (uintptr_t)from;
    return begin >= frame && begin + size <= frame + 2 * page;
}

struct answer { /* as the program got it */
    const struct sockaddr *address;
    const socklen_t *length;
    socklen_t room; /* what *length was before; 0: not known */
};

static struct ip_endpoint address_read(int fd, const struct answer *answer) {
    struct ip_endpoint none = {.family = 0};
    socklen_t length;
    if (!sandbox_is_on())
        return socket_local(fd);
    if (!lies_on_stack(answer->length, sizeof length))
        return none;
    memcpy(&length, answer->length, sizeof length);
    if (length > answer->room) /* the address was cut */
        return none;
    return lies_on_stack(answer->address, length) ? ip_endpoint_of(answer->address, length) : none;
}

static void note_read(int fd, struct socket_facts *facts, const struct answer *answer,
                      const void *site) {
    struct record record;
    if (policy_on)
        policy_note_read(facts, facts->port);
    if (socket_mark_read(facts->cookie, facts->port))
        return;
    struct ip_endpoint local = address_read(fd, answer);
    if (local.family == 0 || local.port == 0)
        return;
    if (local.port != facts->port) {
        if (!socket_known(fd, facts, true))
            return;
        bool nameless = (facts->flags & DESCRIPTOR_NAMELESS) != 0;
        facts->port = local.port;
        facts->flags &= ~(DESCRIPTOR_READ | DESCRIPTOR_NAMELESS);
        if (nameless && socket_fill_in_port(facts->cookie, &local)) {
            facts->flags |= DESCRIPTOR_READ;
            socket_keep(fd, facts);
        }
    }
    if ((facts->flags & DESCRIPTOR_READ) != 0)
        return;
    facts->flags |= DESCRIPTOR_READ;
    socket_keep(fd, facts);
    /* When the number is known to the program is what counts: the moment after the call. */
    struct call_context context = {.number = NUMBER_getsockname,
                                   .site = site,
                                   .begin_ns = monotonic_ns(),
                                   .flags = PW_FLAG_PORT(local.port)};
    const struct frames *frames = frames_of_call(fd, NUMBER_getsockname, site);
    if (!socket_record_begin(&record, PW_KIND_ADDRESS_READ, 1 + frames_units(frames), fd, facts,
                             &context))
        return;
    frames_write(&record, 1, frames);
    record_commit(&record, context.begin_ns);
}

struct reading {
    int fd;
    struct socket_facts *facts;
    _Atomic bool shared;
};

static long keep_read(const void *arguments) {
    struct reading *reading = (struct reading *)(uintptr_t)arguments;
    keep_note_read(reading->fd, reading->facts, &reading->shared);
    return 0;
}

/* A signal handler may jump out of it. */
static void keep_read_number(int fd, struct socket_facts *facts) {
    struct reading reading = {.fd = fd, .facts = facts};
    cancellable(&(struct open_call){.fd = fd, .shared = &reading.shared}, keep_read, &reading);
}

int call_getsockname(int fd, struct sockaddr *address, socklen_t *length, const void *site) {
    struct socket_facts facts;
    if (gate() != GATE_OPEN)
        return real.getsockname(fd, address, length);
    struct answer answer = {address, length, 0};
    if (sandbox_is_on() && lies_on_stack(length, sizeof *length))
        memcpy(&answer.room, length, sizeof answer.room);
    int result = pass_getsockname(fd, address, length);
    if (result != 0 || !socket_known(fd, &facts, false))
        return result;
    note_read(fd, &facts, &answer, site);
    if (keep_on)
        keep_read_number(fd, &facts);
    return result;
}
