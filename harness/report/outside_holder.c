/* Who is refused a port by a program of somebody else's wants to know whose it is, and what may be
 * done about it: a process is ended, a unit or a container stopped. */
#include "harness/report/outside_holder.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "harness/base/age.h"
#include "harness/base/control_group.h"
#include "harness/base/json_line.h"
#include "harness/base/message.h"
#include "harness/check/history.h"
#include "harness/report/presence.h"
#include "harness/report/stranger_name.h"

enum { WHO_SIZE = 512, COMMAND_SHOWN = 200, STATE_LISTEN = 10 };

static struct control_group group_of(const struct table_holder *holder) {
    struct control_group group = {.kind = GROUP_NONE};
    if (holder->control_group != NULL)
        control_group_parse(holder->control_group, &group);
    return group;
}

/* Of a unit, only what its systemd started, or what that left behind, is ended with it: others may
 * just be below it, as the jobs of a CI runner are. */
static bool is_of_unit(const struct table_holder *holder) { return holder->parent_pid == 1; }

static bool is_docker_proxy(const struct table_holder *holder) {
    if (holder->command == NULL)
        return false;
    size_t length = strcspn(holder->command, " ");
    static const char name[] = "docker-proxy";
    size_t size = sizeof name - 1;
    return length >= size && memcmp(holder->command + length - size, name, size) == 0;
}

static const char *end_of_unnamed(const struct table_holder *holder, char text[END_TEXT_SIZE]) {
    if (holder->unnamed != PW_UNNAMED_DENIED)
        return "";
    snprintf(text, END_TEXT_SIZE, "sudo ss -anp%c 'sport = :%u' shows who it is",
             holder->endpoint.protocol == IPPROTO_UDP ? 'u' : 't', holder->endpoint.port);
    return text;
}

const char *outside_holder_end(const struct table_holder *holder, char text[END_TEXT_SIZE]) {
    const struct control_group group = group_of(holder);
    text[0] = '\0';
    if (holder->pid == 0)
        return end_of_unnamed(holder, text);
    if (holder->pid == 1)
        snprintf(text, END_TEXT_SIZE, "systemctl list-sockets shows the unit to stop");
    else if (is_docker_proxy(holder))
        snprintf(text, END_TEXT_SIZE, "docker stop $(docker ps -q --filter publish=%u)",
                 holder->endpoint.port);
    else if (group.kind == GROUP_DOCKER || group.kind == GROUP_PODMAN ||
             group.kind == GROUP_NERDCTL)
        snprintf(text, END_TEXT_SIZE, "%s stop %s", control_group_kind_name(group.kind),
                 group.name);
    else if (group.kind == GROUP_KUBERNETES)
        snprintf(text, END_TEXT_SIZE, "crictl stop %s", group.name);
    else if (group.kind == GROUP_UNIT && is_of_unit(holder))
        snprintf(text, END_TEXT_SIZE, "systemctl stop %s", group.name);
    else
        snprintf(text, END_TEXT_SIZE, "kill %" PRIu32, holder->pid);
    return text;
}

static const char *why_unnamed(const struct table_holder *holder) {
    static const char *const reasons[PW_UNNAMED_END] = {
        [PW_UNNAMED_ENDED] = "it had ended, or closed the socket, before `run` could look for it",
        [PW_UNNAMED_DENIED] =
            "its descriptors may not be looked at by the user of this run (EACCES)",
        [PW_UNNAMED_ELSEWHERE] = "no process that `run` sees has the socket: it belongs to another "
                                 "pid namespace, or is hidden by the options of /proc",
        [PW_UNNAMED_ORPHAN] = "no process has the socket any more, and the kernel ends the "
                              "connection",
        [PW_UNNAMED_NOT_KNOWN] = "no process that `run` sees has the socket; it is in another "
                                 "network namespace, or has ended"};
    if (!holder->sought)
        return "it was not found in the short time that a recorded program looks for it; "
               "`portwitness run` looks longer";
    return reasons[holder->unnamed];
}

static const char *why_code(const struct table_holder *holder) {
    static const char *const codes[PW_UNNAMED_END] = {[PW_UNNAMED_ENDED] = "ended",
                                                      [PW_UNNAMED_DENIED] = "not-allowed",
                                                      [PW_UNNAMED_ELSEWHERE] = "not-in-proc",
                                                      [PW_UNNAMED_ORPHAN] = "no-process",
                                                      [PW_UNNAMED_NOT_KNOWN] = "not-found"};
    return holder->sought ? codes[holder->unnamed] : "not-sought";
}

/* When it started, by the wall clock; 0: not known. */
static uint64_t started_of(const struct table_holder *holder, const struct pw_header *header) {
    if (holder->started_ns != 0 || holder->start_time == 0)
        return holder->started_ns;
    return header->realtime_ns + (holder->start_time - header->monotonic_ns);
}

static size_t put_since(char *text, size_t size, const struct table_holder *holder,
                        const struct pw_header *header) {
    char moment[AGE_TEXT_SIZE];
    char age[AGE_TEXT_SIZE];
    uint64_t started = started_of(holder, header);
    uint64_t began = header->realtime_ns;
    if (started == 0)
        return 0;
    return (size_t)snprintf(text, size, "since %s, %s %s", moment_text(started, began, moment),
                            age_text(started < began ? began - started : started - began, age),
                            started < began ? "before this run" : "after this run began");
}

static void write_facts(const struct table_holder *holder, const struct pw_header *header,
                        FILE *to) {
    char text[1400];
    const struct control_group group = group_of(holder);
    size_t used = put_since(text, sizeof text, holder, header);
    if (holder->folder != NULL)
        used += (size_t)snprintf(text + used, sizeof text - used, "%sin %.900s",
                                 used > 0 ? "; " : "", holder->folder);
    if (group.kind != GROUP_NONE)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %s", used > 0 ? "; " : "",
                                 control_group_label(group.kind), group.name);
    if (used > 0)
        message_write(to, "    %s", text);
}

static void write_others(const struct table_holder *holder, FILE *to) {
    char pids[TABLE_PIDS_MAX * 12 + 1] = "";
    size_t used = 0;
    size_t shown = 0;
    for (; shown < TABLE_PIDS_MAX && shown < holder->others && holder->other_pids[shown] != 0;
         shown++)
        used += (size_t)snprintf(pids + used, sizeof pids - used, "%s%" PRIu32,
                                 shown > 0 ? ", " : "", holder->other_pids[shown]);
    if (shown == 0)
        return;
    if (holder->others > shown)
        message_write(to, "    the socket is open in %s and %" PRIu64 " more processes as well",
                      pids, holder->others - shown);
    else
        message_write(to, "    the socket is open in %s as well", pids);
}

static void put_user(char text[WHO_SIZE], const struct table_holder *holder) {
    if (holder->user != NULL)
        snprintf(text, WHO_SIZE, "user %s", holder->user);
    else if (holder->uid != UINT32_MAX)
        snprintf(text, WHO_SIZE, "uid %" PRIu32, holder->uid);
    else
        snprintf(text, WHO_SIZE, "a user that is not known");
}

/* What ends it or finds it, where that does so now. */
static const char *end_now(const struct check_trace *trace, const struct table_holder *holder,
                           char text[END_TEXT_SIZE]) {
    text[0] = '\0';
    if (holder->pid == 0
            ? presence_is_here(trace)
            : presence_of(trace, holder->pid, holder->start_time / HISTORY_NS_PER_TICK) ==
                  PRESENCE_RUNNING)
        outside_holder_end(holder, text);
    return text;
}

static bool has_ended(const struct check_trace *trace, const struct table_holder *holder) {
    return holder->pid != 0 &&
           presence_of(trace, holder->pid, holder->start_time / HISTORY_NS_PER_TICK) ==
               PRESENCE_ENDED;
}

void outside_holder_write(const struct check *check, const struct finding *finding, FILE *to) {
    const struct table_holder *holder = &finding->table;
    const struct check_trace *trace = &check->traces[finding->subject.trace];
    const struct pw_header *header = &trace->header;
    char user[WHO_SIZE];
    char endpoint[ENDPOINT_TEXT_SIZE];
    char end[END_TEXT_SIZE];
    put_user(user, holder);
    if (holder->pid != 0)
        message_write(to, "  Held by pid %" PRIu32 " %.*s (%s), not recorded", holder->pid,
                      COMMAND_SHOWN, holder->command != NULL ? holder->command : "", user);
    else
        message_write(to, "  Held by a process of %s, not recorded", user);
    message_write(to, "    %s on %s, as the kernel's table said then",
                  holder->state == STATE_LISTEN ? "listens" : "has a socket",
                  endpoint_text(&holder->endpoint, endpoint));
    if (holder->pid == 0)
        message_write(to, "    not named: %s", why_unnamed(holder));
    write_facts(holder, header, to);
    write_others(holder, to);
    if (has_ended(trace, holder))
        message_write(to, "    has ended since");
    if (end_now(trace, holder, end)[0] != '\0')
        message_write(to, holder->pid != 0 ? "  End it: %s" : "  Find it: %s", end);
}

/* Recorded, though none of the command's: the table has what is known of it. */
static bool is_stranger(const struct finding *finding) {
    return finding->holder == HOLDER_TRACE && finding->table.pid != 0;
}

void outside_holder_write_stranger(const struct check *check, const struct finding *finding,
                                   FILE *to) {
    char end[END_TEXT_SIZE];
    if (is_stranger(finding) &&
        end_now(&check->traces[finding->other.trace], &finding->table, end)[0] != '\0')
        message_write(to, "    End it: %s", end);
}

static const struct process *process_left(const struct check *check,
                                          const struct finding *finding) {
    const struct call *other = &finding->other;
    return finding->kind == FINDING_LEFTOVER_PROCESS
               ? processes_find(&check->traces[other->trace].processes, other->process)
               : NULL;
}

static enum presence presence_of_left(const struct check *check, const struct finding *finding) {
    const struct process *process = process_left(check, finding);
    return process == NULL || process->pid == 0 ? PRESENCE_ELSEWHERE
                                                : presence_of(&check->traces[finding->other.trace],
                                                              process->pid, process->start_time);
}

void outside_holder_write_left(const struct check *check, const struct finding *finding, FILE *to) {
    enum presence presence = presence_of_left(check, finding);
    write_others(&finding->table, to);
    if (presence == PRESENCE_RUNNING)
        message_write(to, "  End it: kill %" PRIu32, process_left(check, finding)->pid);
    else if (presence == PRESENCE_ENDED)
        message_write(to, "    has ended since");
}

static json_t *moment_json(uint64_t ns) {
    char text[40];
    struct tm moment;
    const time_t seconds = (time_t)(ns / UINT64_C(1000000000));
    if (ns == 0 || gmtime_r(&seconds, &moment) == NULL)
        return json_null();
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &moment);
    return json_string(text);
}

static json_t *pids_json(const struct table_holder *holder) {
    json_t *list = json_array();
    for (size_t i = 0; i < TABLE_PIDS_MAX && holder->other_pids[i] != 0; i++)
        json_array_append_new(list, json_integer(holder->other_pids[i]));
    return list;
}

void outside_holder_add_json(json_t *object, const struct check *check,
                             const struct finding *finding) {
    static const struct table_holder nobody = {.uid = UINT32_MAX};
    bool is_outside = finding->holder == HOLDER_TABLE || is_stranger(finding);
    const struct table_holder *holder = is_outside ? &finding->table : &nobody;
    const struct pw_header *header = &check->traces[finding->subject.trace].header;
    char end[END_TEXT_SIZE] = "";
    bool is_named = holder->pid != 0;
    const struct process *left = process_left(check, finding);
    if (is_named)
        end_now(&check->traces[finding->subject.trace], holder, end);
    else if (presence_of_left(check, finding) == PRESENCE_RUNNING)
        snprintf(end, sizeof end, "kill %" PRIu32, left->pid);
    json_object_set_new(object, "user", json_text_or_null(holder->user));
    json_object_set_new(object, "started_at", moment_json(started_of(holder, header)));
    json_object_set_new(object, "folder", json_text_or_null(holder->folder));
    stranger_add_group_json(object, holder->control_group);
    json_object_set_new(object, "other_pids",
                        is_outside || left != NULL ? pids_json(&finding->table) : json_null());
    json_object_set_new(object, "end", json_text_or_null(end[0] != '\0' ? end : NULL));
    json_object_set_new(object, "unnamed",
                        json_text_or_null(is_outside && !is_named ? why_code(holder) : NULL));
}
