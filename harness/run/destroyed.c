/*
 * The kernel reports every socket in the network namespace, also those of other programs. Only
 * those that the trace knows become records.
 */
#include "harness/run/destroyed.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/run/blind_spot.h"
#include "harness/system/notice_marks.h"
#include "shim/shared/policy_space.h"
#include "shim/shared/recorder.h"

enum { AT_ONCE = 256 };

/* An event of a socket may be read so long after the notice of its end. */
#define LATE_NS (UINT64_C(100) * 1000 * 1000)

void destroyed_start(struct destroyed *destroyed, bool subscribe) {
    *destroyed = (struct destroyed){.namespace_recorded = !subscribe};
    destroy_notices_open(&destroyed->notices, subscribe);
    policy_space(destroyed->notices.netns, false);
    policy_space(destroyed->notices.netns, true);
    destroyed->kept = calloc(DESTROYED_KEPT, sizeof *destroyed->kept);
}

static void learn_namespace(struct destroyed *destroyed, const struct trace_record *record) {
    uint64_t cookie = record->numbers->number[0];
    if (destroyed->namespace_recorded || destroyed->notices.netns == 0 || cookie == 0 ||
        cookie == destroyed->notices.netns)
        return;
    destroyed->namespace_recorded = true;
    blind_spot_record(PW_BLIND_NAMESPACE, record->process, 0, "another network namespace");
}

void destroyed_learn(struct destroyed *destroyed, const struct trace_record *record) {
    if (record->kind == PW_KIND_NAMESPACE && record->numbers != NULL)
        learn_namespace(destroyed, record);
    else if (record->socket != NULL && record->source == PW_SOURCE_SHIM && record->cookie != 0)
        cookie_set_add(&destroyed->sockets, record->cookie);
}

static bool is_link_local(const uint8_t address[16]) {
    return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

/* `end_ns`: 0 for now, since the notice came some time after the end. */
static void write_record(const struct destroy_notice *notice, uint64_t netns, uint64_t end_ns) {
    struct record record;
    if (!record_begin(&record, PW_KIND_DESTROYED, 3, 0, -1, notice->seen_ns))
        return;
    struct pw_start *start = &record.units[0].start;
    struct pw_socket *local = &record.units[1].socket;
    struct pw_peer *peer = &record.units[2].peer;
    start->source = PW_SOURCE_KERNEL;
    start->cookie = notice->cookie;
    start->flags = (notice->has_local ? PW_FLAG_HAS_ASSIGNED : 0) |
                   (notice->remote_port != 0 ? PW_FLAG_HAS_PEER : 0) |
                   (notice->time_wait ? PW_FLAG_TIME_WAIT : 0);
    local->family = notice->family;
    local->type = notice->protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
    local->protocol = notice->protocol;
    local->netns = netns;
    memcpy(local->assigned, notice->local, sizeof local->assigned);
    local->assigned_port = notice->local_port;
    local->scope = is_link_local(notice->local) ? notice->device : 0;
    local->uid = UINT32_MAX; /* a socket without an owner has none any more */
    local->device = notice->device;
    peer->port = notice->remote_port;
    peer->code = notice->state;
    memcpy(peer->address, notice->remote, sizeof peer->address);
    peer->other_descriptor = -1;
    record_commit(&record, end_ns);
}

/* Where a process was killed, ended or executed a program, nothing else has seen its port released.
 */
static void release_in_policy(struct destroyed *destroyed, const struct destroy_notice *notice,
                              uint64_t netns) {
    bool is_udp = notice->protocol == IPPROTO_UDP;
    struct policy_space *space = policy_space_known(netns, is_udp);
    if (space != NULL && (is_udp || notice->protocol == IPPROTO_TCP))
        policy_port_noticed(space, notice->local_port, notice->cookie,
                            &destroyed->releases[is_udp]);
}

/* What is read next was not there yet when this was read. */
static void note_releases(struct destroyed *destroyed, uint32_t releases[2]) {
    for (int is_udp = 0; is_udp < 2; is_udp++) {
        const struct policy_space *space = policy_space_known(destroyed->notices.netns, is_udp);
        releases[is_udp] = space != NULL ? policy_releases(space) : 0;
    }
}

static void note_gone(struct destroyed *destroyed, uint64_t cookie) {
    destroyed->gone[destroyed->gone_count++ % DESTROYED_GONE] = cookie;
}

bool destroyed_has_gone(const struct destroyed *destroyed, uint64_t cookie) {
    for (size_t i = 0; i < DESTROYED_GONE; i++)
        if (destroyed->gone[i] == cookie)
            return true;
    return false;
}

static void keep(struct destroyed *destroyed, const struct destroy_notice *notice) {
    if (destroyed->kept != NULL)
        destroyed->kept[destroyed->kept_count++ % DESTROYED_KEPT] = *notice;
}

static void write_all(struct destroyed *destroyed, struct destroy_notice *known, size_t count) {
    destroy_notices_ask(&destroyed->notices, known, count);
    for (size_t i = 0; i < count; i++) {
        note_gone(destroyed, known[i].cookie);
        write_record(&known[i], destroyed->notices.netns, 0);
        release_in_policy(destroyed, &known[i], destroyed->notices.netns);
    }
}

void destroyed_note(struct destroyed *destroyed, const struct destroy_notice *notice,
                    uint64_t netns) {
    note_gone(destroyed, notice->cookie);
    write_record(notice, netns, notice->seen_ns);
    release_in_policy(destroyed, notice, netns);
}

/* A socket that nobody knew when it ended is known by now: what became of a call is reported by
 * other ways than the end of its socket, and may be read later. */
static bool take_late(struct destroyed *destroyed) {
    struct destroy_notice list[AT_ONCE];
    uint64_t now = monotonic_ns();
    size_t known = 0;
    if (destroyed->kept_count - destroyed->late_from > DESTROYED_KEPT)
        destroyed->late_from = destroyed->kept_count - DESTROYED_KEPT;
    while (destroyed->late_from < destroyed->kept_count &&
           now - destroyed->kept[destroyed->late_from % DESTROYED_KEPT].seen_ns > LATE_NS)
        destroyed->late_from++;
    for (size_t i = destroyed->late_from; i < destroyed->kept_count && known < AT_ONCE; i++) {
        const struct destroy_notice *notice = &destroyed->kept[i % DESTROYED_KEPT];
        if (cookie_set_take(&destroyed->sockets, notice->cookie))
            list[known++] = *notice;
    }
    write_all(destroyed, list, known);
    return known > 0;
}

bool destroyed_take(struct destroyed *destroyed) {
    struct destroy_notice list[AT_ONCE];
    size_t count;
    bool any = take_late(destroyed);
    uint32_t releases[2];
    note_releases(destroyed, releases);
    while ((count = destroy_notices_read(&destroyed->notices, list, AT_ONCE)) > 0) {
        size_t known = 0;
        for (size_t i = 0; i < count; i++) {
            if (cookie_set_take(&destroyed->sockets, list[i].cookie))
                list[known++] = list[i];
            else if (!cookie_set_take(&destroyed->marks, list[i].cookie))
                keep(destroyed, &list[i]);
        }
        write_all(destroyed, list, known);
        any = true;
    }
    if (destroyed->notices.overflows > 0)
        recorder_lost(PW_LOST_NOTICES, destroyed->notices.overflows);
    destroyed->notices.overflows = 0;
    memcpy(destroyed->releases, releases, sizeof releases);
    return any;
}

void destroyed_take_kept(struct destroyed *destroyed) {
    size_t count = destroyed->kept_count < DESTROYED_KEPT ? destroyed->kept_count : DESTROYED_KEPT;
    size_t known = 0;
    for (size_t i = 0; i < count; i++)
        if (cookie_set_take(&destroyed->sockets, destroyed->kept[i].cookie))
            destroyed->kept[known++] = destroyed->kept[i];
    write_all(destroyed, destroyed->kept, known);
    destroyed->kept_count = destroyed->late_from = 0;
}

void destroyed_mark(struct destroyed *destroyed) {
    uint64_t cookies[NOTICE_MARKS_MAX];
    if (destroyed->notices.file < 0)
        return;
    size_t count = notice_marks_make(cookies);
    for (size_t i = 0; i < count; i++)
        cookie_set_add(&destroyed->marks, cookies[i]);
}

void destroyed_stop(struct destroyed *destroyed) {
    destroy_notices_close(&destroyed->notices);
    cookie_set_free(&destroyed->sockets);
    cookie_set_free(&destroyed->marks);
    free(destroyed->kept);
}
