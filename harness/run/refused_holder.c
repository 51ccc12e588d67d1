/*
 * The shim asks the kernel's table itself when a call is refused (shim/socket/holder_query.c). For
 * a program that it is not in this is done here, in the same records, so that holder_search.c finds
 * the process. It is done later: when the event is read, and by eBPF, which reports no failure,
 * when it is plain that nothing follows. Who has the port by then may have got it since.
 */
#include "harness/run/refused_holder.h"

#include <errno.h>
#include <string.h>

#include "shim/shared/port_table.h"
#include "shim/shared/recorder.h"

static struct port_question question_of(const struct outside_event *event) {
    const bool is_bind = event->kind == OUTSIDE_BIND;
    return (struct port_question){.cookie = event->cookie,
                                  .netns = event->netns,
                                  .address = is_bind ? event->requested : event->local,
                                  .port = is_bind ? event->requested_port : event->local_port,
                                  .type = event->type,
                                  .only_v6 = (event->flags & PW_FLAG_V6ONLY) != 0};
}

/* Without a row there is nobody who has the port. */
static void write_answer(const struct outside_event *event, uint64_t process, uint64_t number,
                         const struct port_question *question, const struct port_row *row) {
    struct record record;
    if (!record_begin(&record, PW_KIND_TABLE_ANSWER, 3, process, event->descriptor, monotonic_ns()))
        return;
    struct pw_start *start = &record.units[0].start;
    struct pw_socket *socket = &record.units[1].socket;
    struct pw_peer *peer = &record.units[2].peer;
    start->thread = event->thread;
    start->source = PW_SOURCE_RUN;
    start->cookie = event->cookie;
    start->flags = PW_FLAG_HAS_ASSIGNED;
    socket->family = row != NULL ? row->family : event->family;
    socket->type = event->type;
    socket->protocol = event->protocol;
    socket->netns = event->netns;
    socket->uid = row != NULL ? row->uid : UINT32_MAX;
    memcpy(socket->assigned, row != NULL ? row->address : question->address, 16);
    socket->assigned_port = question->port;
    peer->code = row != NULL ? (uint16_t)row->state : 0;
    peer->inode = row != NULL ? row->inode : 0;
    peer->other_descriptor = -1;
    peer->other_cookie = row != NULL ? row->cookie : 0;
    peer->uid = socket->uid;
    peer->record = number;
    record_commit(&record, 0);
}

static bool may_ask(struct refused_holder *refused, uint64_t process) {
    uint32_t asked = map_get(&refused->asked, process);
    uint32_t count = asked != MAP_NONE ? asked : 0;
    if (count >= recorder_facts()->questions)
        return false;
    map_put(&refused->asked, process, count + 1);
    return true;
}

void refused_holder_ask(struct refused_holder *refused, const struct outside_event *event,
                        uint64_t process, uint64_t number) {
    static _Alignas(8) char reply[PORT_TABLE_BYTES];
    struct port_rows rows = {.count = 0};
    if ((event->kind != OUTSIDE_BIND && event->kind != OUTSIDE_LISTEN) ||
        event->error != EADDRINUSE || number == 0)
        return;
    const struct port_question question = question_of(event);
    bool is_here = refused->netns != 0 && event->netns == refused->netns;
    if (question.port == 0 || !is_here || !may_ask(refused, process) ||
        !port_table_ask(&question, reply, &rows))
        return;
    if (rows.count == 0)
        write_answer(event, process, number, &question, NULL);
    for (unsigned i = 0; i < rows.count; i++)
        write_answer(event, process, number, &question, &rows.list[i]);
}

void refused_holder_free(struct refused_holder *refused) { map_free(&refused->asked); }
