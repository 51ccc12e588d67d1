/*
 * The guest that was refused a port has asked the kernel which socket is in its way, and does not
 * wait for more. Here there is time to look at every process, however busy the machine is. The
 * holder may have ended meanwhile, or be none of our business: then the record says so.
 */
#include "harness/run/holder_search.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/base/memory.h"
#include "harness/system/owner_facts.h"
#include "harness/system/process_facts.h"
#include "harness/system/process_sockets.h"
#include "harness/system/sock_diag.h"
#include "shim/shared/recorder.h"

enum { OTHERS_NAMED = 4, WALKS_MAX = 3, STATE_TIME_WAIT = 6, TEXT_BYTES = 4096 };

/* A hundredth of the time, and this much at first, may go into sockets of the trace. */
enum { PART_OF_TIME = 100 };
#define FIRST_NS UINT64_C(20000000)

struct sought_socket {
    uint64_t cookie;
    uint64_t netns;
    uint32_t inode;
    uint32_t uid;
    uint8_t protocol;
    enum pw_unnamed unnamed;
    struct owner_facts *owner;       /* the one that started first; NULL: none was found */
    uint32_t pids[OTHERS_NAMED + 1]; /* of all that have it, the first ones */
    size_t pid_count;
};

static bool may_seek_recorded(struct holder_search *search) {
    uint64_t now = monotonic_ns();
    if (search->began_ns == 0)
        search->began_ns = now;
    return search->spent_ns < FIRST_NS + (now - search->began_ns) / PART_OF_TIME;
}

void holder_search_learn(struct holder_search *search, const struct cookie_set *recorded,
                         const struct trace_record *record) {
    const struct pw_peer *peer = record->peer;
    if (record->kind != PW_KIND_TABLE_ANSWER || record->socket == NULL || peer == NULL)
        return;
    uint64_t cookie = peer->other_cookie;
    if (peer->code == 0 || peer->code == STATE_TIME_WAIT || peer->pid != 0 || cookie == 0 ||
        map_get(&search->known, cookie) != MAP_NONE)
        return;
    if (cookie_set_has(recorded, cookie)) {
        if (!may_seek_recorded(search))
            return;
        search->recorded++;
    }
    map_put(&search->known, cookie, 1);
    search->list =
        memory_grow(search->list, &search->room, search->count + 1, sizeof *search->list);
    search->list[search->count++] = (struct sought_socket){
        .cookie = cookie,
        .netns = record->socket->netns,
        .inode = peer->inode,
        .uid = peer->uid,
        .protocol = record->socket->type == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP,
        .unnamed = PW_UNNAMED_NOT_KNOWN};
}

static bool has_pid(const struct sought_socket *sought, uint32_t pid) {
    for (size_t i = 0; i < sought->pid_count && i <= OTHERS_NAMED; i++)
        if (sought->pids[i] == pid)
            return true;
    return false;
}

/* Those that a server starts have its socket as well: the first of them is the server. */
static void note_owner(struct sought_socket *sought, pid_t pid, int folder) {
    struct owner_facts facts;
    if (has_pid(sought, (uint32_t)pid) || !owner_facts_read(pid, folder, &facts))
        return;
    if (sought->pid_count <= OTHERS_NAMED)
        sought->pids[sought->pid_count] = (uint32_t)pid;
    sought->pid_count++;
    if (sought->owner != NULL && sought->owner->start_time <= facts.start_time)
        return;
    if (sought->owner == NULL)
        sought->owner = memory_zeroed(1, sizeof *sought->owner);
    *sought->owner = facts;
}

static void take_socket(void *with, pid_t pid, int folder, uint64_t inode) {
    struct holder_search *search = with;
    for (size_t i = 0; i < search->count; i++)
        if (search->list[i].inode != 0 && search->list[i].inode == inode)
            note_owner(&search->list[i], pid, folder);
}

static enum pw_unnamed why_unnamed(const struct holder_search *search,
                                   const struct sought_socket *sought, size_t denied) {
    if (sought->owner != NULL)
        return PW_UNNAMED_NOT;
    if (sought->inode == 0)
        return PW_UNNAMED_ORPHAN;
    bool is_here = search->netns != 0 && sought->netns == search->netns;
    int lives = is_here ? socket_table_has(sought->protocol, sought->cookie) : -1;
    if (lives == 0)
        return PW_UNNAMED_ENDED;
    if (denied > 0)
        return PW_UNNAMED_DENIED;
    return lives > 0 ? PW_UNNAMED_ELSEWHERE : PW_UNNAMED_NOT_KNOWN;
}

/* A socket may be handed on while all are looked at, and be missed for that. */
static void seek(struct holder_search *search) {
    bool again = true;
    for (unsigned walk = 0; again && walk < WALKS_MAX; walk++) {
        size_t denied = process_sockets_walk(take_socket, search);
        again = false;
        for (size_t i = 0; i < search->count; i++) {
            struct sought_socket *sought = &search->list[i];
            sought->unnamed = why_unnamed(search, sought, denied);
            again = again || sought->unnamed == PW_UNNAMED_ELSEWHERE;
        }
    }
}

static size_t put_string(char *text, size_t used, const char *string) {
    size_t length = strlen(string) + 1;
    memcpy(text + used, string, length);
    return used + length;
}

static size_t put_texts(char text[TEXT_BYTES], const struct sought_socket *sought) {
    const struct owner_facts *owner = sought->owner;
    char user[sizeof owner->user];
    owner_user_name(sought->uid, user, sizeof user);
    size_t used = put_string(text, 0, owner != NULL ? owner->command : "");
    used = put_string(text, used, owner != NULL ? owner->folder : "");
    used = put_string(text, used, owner != NULL ? owner->user : user);
    return put_string(text, used, owner != NULL ? owner->control_group : "") - 1;
}

static void put_process(struct pw_process *process, const struct sought_socket *sought) {
    const struct owner_facts *owner = sought->owner;
    process->uid = sought->uid;
    if (owner == NULL)
        return;
    process->pid = (uint32_t)owner->pid;
    process->parent_pid = (uint32_t)owner->parent;
    process->uid = owner->uid;
    process->start_time = owner->start_time;
    process->pid_namespace = process_own_namespace();
    memcpy(process->comm, owner->comm, sizeof process->comm);
}

static void put_numbers(struct pw_numbers *numbers, const struct sought_socket *sought) {
    const struct owner_facts *owner = sought->owner;
    unsigned place = 3;
    numbers->code = sought->unnamed;
    numbers->number[0] = sought->inode;
    if (owner == NULL)
        return;
    numbers->number[1] = owner->started_ns;
    numbers->number[2] = sought->pid_count - 1;
    for (size_t i = 0; i < sought->pid_count && i <= OTHERS_NAMED && place < 7; i++)
        if (sought->pids[i] != (uint32_t)owner->pid)
            numbers->number[place++] = sought->pids[i];
}

static void write_record(const struct sought_socket *sought) {
    char text[TEXT_BYTES];
    size_t length = put_texts(text, sought);
    unsigned units = record_text_units(length, PW_RECORD_UNITS_MAX - 3);
    struct record record;
    if (!record_begin(&record, PW_KIND_HOLDER, 3 + units, 0, -1, monotonic_ns()))
        return;
    record.units[0].start.source = PW_SOURCE_RUN;
    record.units[0].start.cookie = sought->cookie;
    put_process(&record.units[1].process, sought);
    put_numbers(&record.units[2].numbers, sought);
    if (!record_text(&record, 3, text, length))
        record.units[0].start.flags |= PW_FLAG_TEXT_CUT;
    record_commit(&record, 0);
}

void holder_search_run(struct holder_search *search, bool is_idle) {
    if (search->count == 0 || (search->recorded == search->count && !is_idle))
        return;
    uint64_t began = monotonic_ns();
    seek(search);
    if (search->recorded > 0)
        search->spent_ns += monotonic_ns() - began;
    search->recorded = 0;
    for (size_t i = 0; i < search->count; i++) {
        write_record(&search->list[i]);
        free(search->list[i].owner);
    }
    search->count = 0;
}

void holder_search_free(struct holder_search *search) {
    free(search->list);
    map_free(&search->known);
    *search = (struct holder_search){0};
}
