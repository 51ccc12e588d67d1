/* The keys here are a contract with whoever searches exported traces: new ones are added behind,
 * old ones keep name and meaning. */
#include "harness/report/record_json.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/address.h"
#include "harness/base/json_stream.h"
#include "harness/base/names.h"
#include "harness/report/frame_json.h"
#include "harness/trace/record_frames.h"

static void put_endpoint(struct json_stream *to, unsigned family, const uint8_t address[16],
                         uint16_t port, uint32_t scope) {
    char text[ADDRESS_TEXT_SIZE];

    json_stream_byte(to, '{');
    JSON_PUT(to, "address", text_or_null, address_text(text, family, address, scope));
    JSON_PUT(to, "port", number, port);
    json_stream_byte(to, '}');
}

static void put_unless(struct json_stream *to, const char *key, int number, bool is_null) {
    json_stream_name(to, key);
    if (is_null)
        json_stream_null(to);
    else
        json_stream_integer(to, number);
}

/* A number without a name: "errno-600". */
static void put_name_or_number(struct json_stream *to, const char *name, const char *what,
                               unsigned number) {
    char text[32];

    if (name == NULL)
        snprintf(text, sizeof text, "%s-%u", what, number);
    json_stream_text_or_null(to, name != NULL ? name : text);
}

static void put_error(struct json_stream *to, unsigned error) {
    JSON_KEY(to, "error");
    if (error == 0)
        json_stream_null(to);
    else
        put_name_or_number(to, name_of_error(error), "errno", error);
}

static void put_flags(struct json_stream *to, const struct trace_record *record) {
    uint64_t flags = record->flags;

    /* The highest bits are the port that was read, or the status of what ended. */
    if (record->kind == PW_KIND_ADDRESS_READ || record->kind == PW_KIND_PROCESS_EXIT)
        flags &= ~PW_FLAG_PORT(UINT16_MAX);
    else
        flags &= ~PW_FLAG_TRIED(255);
    JSON_KEY(to, "flags");
    json_stream_byte(to, '[');
    for (; flags != 0; flags &= flags - 1) {
        uint64_t bit = flags & -flags;

        json_stream_item(to);
        put_name_or_number(to, name_of_flag(bit), "bit", (unsigned)__builtin_ctzll(bit));
    }
    json_stream_byte(to, ']');
}

static void put_site(struct json_stream *to, const struct trace_record *record,
                     const struct record_json_source *source) {
    struct site site;

    JSON_KEY(to, "site");
    if (record->site == 0) {
        json_stream_null(to);
        return;
    }
    site = modules_site(source->modules, source->processes, record->process, record->site,
                        record->unit);
    json_stream_byte(to, '{');
    JSON_PUT(to, "module", text_or_null, site.module);
    JSON_PUT(to, "offset", number, site.offset);
    json_stream_byte(to, '}');
}

static void put_frames(struct json_stream *to, const struct trace_record *record,
                       const struct record_json_source *source) {
    unsigned count = record_frame_count(record);

    JSON_KEY(to, "frames");
    if (count == 0) {
        json_stream_null(to);
        return;
    }
    json_stream_byte(to, '[');
    for (unsigned i = 0; i < count; i++) {
        json_stream_item(to);
        frame_json_write(to, strings_frame(source->strings, record_frame(record, i)));
    }
    json_stream_byte(to, ']');
}

static void put_process(struct json_stream *to, const struct trace_record *record,
                        const struct record_json_source *source) {
    const struct process *process = processes_find(source->processes, record->process);
    bool named = process != NULL && process->comm[0] != '\0';

    JSON_PUT(to, "process", number_or_null, record->process);
    JSON_PUT(to, "pid", number_or_null, process != NULL ? process->pid : 0);
    JSON_PUT(to, "tid", number_or_null, record->thread);
    JSON_PUT(to, "comm", text_or_null, named ? process->comm : NULL);
}

/* A duplicate of a socket that was never bound is recorded with an address of nothing. */
static bool is_bound(const struct trace_record *record, uint16_t port) {
    return port != 0 || record->kind != PW_KIND_DESCRIPTOR;
}

static void put_assigned(struct json_stream *to, const struct trace_record *record) {
    const struct pw_socket *socket = record->socket;

    JSON_KEY(to, "assigned");
    if (record->kind == PW_KIND_ADDRESS_READ && record->committed) {
        /* The address stands in the socket's other records. */
        json_stream_byte(to, '{');
        JSON_PUT_NULL(to, "address");
        JSON_PUT(to, "port", number, PW_PORT_OF_FLAGS(record->flags));
        json_stream_byte(to, '}');
    } else if (socket == NULL || (record->flags & PW_FLAG_HAS_ASSIGNED) == 0 ||
               !is_bound(record, socket->assigned_port)) {
        json_stream_null(to);
    } else {
        put_endpoint(to, socket->family, socket->assigned, socket->assigned_port, socket->scope);
    }
}

static void put_peer(struct json_stream *to, const struct trace_record *record, unsigned family) {
    const struct pw_peer *peer = record->peer;

    JSON_KEY(to, "peer");
    if (peer != NULL && (record->flags & PW_FLAG_HAS_PEER) != 0 && is_bound(record, peer->port))
        put_endpoint(to, family, peer->address, peer->port, peer->scope);
    else
        json_stream_null(to);
}

static void put_socket(struct json_stream *to, const struct trace_record *record) {
    const struct pw_socket *socket = record->socket;
    unsigned family = socket != NULL ? socket->family : 0;
    unsigned type = socket != NULL ? socket->type : 0;

    JSON_PUT(to, "family", text_or_null, name_of_family(family));
    JSON_PUT(to, "type", text_or_null, name_of_type(type));
    JSON_PUT(to, "protocol", text_or_null,
             socket != NULL ? name_of_protocol(type, socket->protocol) : NULL);
    JSON_KEY(to, "requested");
    if (socket != NULL && (record->flags & PW_FLAG_HAS_REQUESTED) != 0)
        put_endpoint(to, family, socket->requested, socket->requested_port, socket->scope);
    else
        json_stream_null(to);
    put_assigned(to, record);
    put_peer(to, record, family);
}

static void put_boot(struct json_stream *to, const struct pw_header *header) {
    static const uint8_t unknown[sizeof header->boot_id];

    JSON_KEY(to, "boot");
    if (memcmp(header->boot_id, unknown, sizeof unknown) == 0)
        json_stream_null(to);
    else
        json_stream_hexadecimal(to, header->boot_id, sizeof header->boot_id);
}

/* The build id's bytes as hexadecimal digits, as readelf and debuginfod spell it. */
static void put_build_id(struct json_stream *to, const struct pw_numbers *numbers) {
    size_t length = numbers->code;

    JSON_KEY(to, "build_id");
    if (length == 0 || length > 4 * sizeof numbers->number[0])
        json_stream_null(to);
    else
        json_stream_hexadecimal(to, (const uint8_t *)&numbers->number[3], length);
}

static void put_number_list(struct json_stream *to, const uint64_t *numbers, size_t count) {
    json_stream_byte(to, '[');
    for (size_t i = 0; i < count; i++) {
        json_stream_item(to);
        json_stream_number(to, numbers[i]);
    }
    json_stream_byte(to, ']');
}

static void put_arguments(struct json_stream *to, const struct trace_record *record) {
    size_t begin = 0;

    JSON_KEY(to, "arguments");
    json_stream_byte(to, '[');
    while (begin < record->text_length) {
        size_t length = strlen(record->text + begin);

        json_stream_item(to);
        json_stream_text(to, record->text + begin, length);
        begin += length + 1;
    }
    json_stream_byte(to, ']');
}

/* As they stand in the trace: not more than the kernel's, unless it is damaged. */
static void put_port_range(struct json_stream *to, const uint64_t range[2]) {
    JSON_KEY(to, "port_range");
    json_stream_byte(to, '[');
    json_stream_integer(to, (int64_t)range[0]);
    json_stream_byte(to, ',');
    json_stream_integer(to, (int64_t)range[1]);
    json_stream_byte(to, ']');
}

static void put_numbers(struct json_stream *to, const struct trace_record *record) {
    const struct pw_numbers *numbers = record->numbers;

    switch (record->kind) {
    case PW_KIND_OPTION:
        JSON_PUT(to, "option", text_or_null, name_of_option(numbers->code));
        JSON_PUT(to, "value", number, numbers->number[0]);
        if (numbers->code == PW_OPTION_LINGER)
            JSON_PUT(to, "seconds", number, numbers->number[1]);
        break;
    case PW_KIND_SHUTDOWN:
        JSON_PUT(to, "how", number, numbers->number[0]);
        break;
    case PW_KIND_NAMESPACE:
        JSON_PUT(to, "inode", number, numbers->number[1]);
        put_port_range(to, &numbers->number[2]);
        JSON_PUT(to, "ip_autobind_reuse", number, numbers->number[4]);
        break;
    case PW_KIND_MODULE:
        JSON_KEY(to, "range");
        put_number_list(to, numbers->number, 2);
        JSON_PUT(to, "file_offset", number, numbers->number[2]);
        put_build_id(to, numbers);
        break;
    case PW_KIND_BLIND_SPOT:
        JSON_PUT(to, "reason", text_or_null, name_of_blind_spot(numbers->code));
        JSON_PUT(to, "blind_pid", number_or_null, numbers->number[0]);
        break;
    case PW_KIND_HOLDER:
        JSON_PUT(to, "unnamed", integer, numbers->code);
        JSON_PUT(to, "inode", number_or_null, numbers->number[0]);
        JSON_PUT(to, "started_ns", number_or_null, numbers->number[1]);
        JSON_PUT(to, "others", number, numbers->number[2]);
        JSON_KEY(to, "other_pids");
        put_number_list(to, numbers->number + 3, 4);
        break;
    case PW_KIND_LOST:
        JSON_PUT(to, "cause", text_or_null, name_of_loss(numbers->code));
        JSON_PUT(to, "lost", number, numbers->number[0]);
        break;
    default:
        break;
    }
}

static void put_identity(struct json_stream *to, const struct pw_process *identity) {
    char comm[sizeof identity->comm + 1] = "";

    memcpy(comm, identity->comm, sizeof identity->comm);
    JSON_PUT(to, "identity_pid", number_or_null, identity->pid);
    JSON_PUT(to, "identity_comm", text_or_null, comm[0] != '\0' ? comm : NULL);
    JSON_PUT(to, "serial", number_or_null, identity->serial);
    JSON_PUT(to, "parent", number_or_null, identity->parent);
    JSON_PUT(to, "parent_pid", number_or_null, identity->parent_pid);
    JSON_PUT(to, "uid", integer, identity->uid);
    JSON_PUT(to, "start_time", number_or_null, identity->start_time);
    JSON_PUT(to, "pid_namespace", number_or_null, identity->pid_namespace);
}

/* Such a record has in place of a socket's cookie the number of the record that it belongs to. */
static bool is_about_record(const struct trace_record *record) {
    return record->kind == PW_KIND_NUMBER_SOURCE || record->addresses != NULL ||
           (record->kind == PW_KIND_MARKER && record->cookie != 0 &&
            (record->flags & PW_FLAG_MARKER_ENVIRONMENT) != 0);
}

/* A string has its own number there. */
static bool has_socket(const struct trace_record *record) {
    return !is_about_record(record) && record->kind != PW_KIND_STRING;
}

static void put_owner(struct json_stream *to, const struct pw_peer *peer) {
    JSON_PUT(to, "owner_pid", number_or_null, peer->pid);
    JSON_PUT(to, "owner_start_time", number_or_null, peer->start_time);
    JSON_PUT(to, "of_seq", number, peer->record);
    JSON_PUT(to, "inode", number_or_null, peer->inode);
    JSON_PUT(to, "holder_cookie", number_or_null, peer->other_cookie);
}

/* The strings of the text, in their order. */
static void put_holder(struct json_stream *to, const struct trace_record *record) {
    static const char *const keys[] = {"command", "folder", "user", "control_group"};
    size_t at = 0;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        bool is_there = record->text != NULL && at < record->text_length;
        const char *text = is_there ? record->text + at : "";

        json_stream_name(to, keys[i]);
        json_stream_text_or_null(to, *text != '\0' ? text : NULL);
        at += strlen(text) + 1;
    }
}

static void put_extras(struct json_stream *to, const struct trace_record *record) {
    const struct pw_peer *peer = record->peer;

    if (record->identity != NULL)
        put_identity(to, record->identity);
    if (record->numbers != NULL)
        put_numbers(to, record);
    if (record->addresses != NULL) {
        JSON_KEY(to, "addresses");
        put_number_list(to, record->addresses, record->address_count);
        JSON_PUT(to, "of_seq", number, record->cookie);
    }
    if (is_about_record(record) && record->addresses == NULL)
        JSON_PUT(to, "of_seq", number, record->cookie);
    if (record->kind == PW_KIND_MARKER)
        JSON_PUT(to, "outcome", text_or_null, name_of_outcome(PW_OUTCOME_OF_FLAGS(record->flags)));
    if (record->kind == PW_KIND_PROCESS_EXIT)
        put_unless(to, "status", PW_STATUS_OF_FLAGS(record->flags),
                   (record->flags & PW_FLAG_STATUS_KNOWN) == 0);
    if (record->kind == PW_KIND_EXEC && PW_OBSTACLE_OF_FLAGS(record->flags) != 0)
        JSON_PUT(to, "obstacle", text_or_null,
                 name_of_blind_spot(PW_OBSTACLE_OF_FLAGS(record->flags)));
    if (record->kind == PW_KIND_PROCESS_START && record->text != NULL)
        put_arguments(to, record);
    else if (record->kind == PW_KIND_HOLDER)
        put_holder(to, record);
    else if (record->text != NULL)
        JSON_PUT(to, "text", text, record->text, record->text_length);
    if (peer != NULL && (record->kind == PW_KIND_ACCEPT || record->kind == PW_KIND_DESCRIPTOR)) {
        put_unless(to, "other_fd", peer->other_descriptor, peer->other_descriptor < 0);
        JSON_PUT(to, "other_cookie", number_or_null, peer->other_cookie);
    }
    if (peer != NULL && (record->kind == PW_KIND_DESTROYED || record->kind == PW_KIND_TABLE_ANSWER))
        JSON_PUT(to, "tcp_state", integer, peer->code);
    if (peer != NULL && record->kind == PW_KIND_TABLE_ANSWER)
        put_owner(to, peer);
}

static uint64_t netns_of(const struct trace_record *record) {
    if (record->kind == PW_KIND_NAMESPACE && record->numbers != NULL)
        return record->numbers->number[0];
    return record->socket != NULL ? record->socket->netns : 0;
}

static bool is_by_stranger(const struct trace_record *record,
                           const struct record_json_source *source) {
    const struct process *process = processes_find(source->processes, record->process);
    return process != NULL && process->is_stranger;
}

void record_json_write(struct json_stream *to, const struct trace_record *record,
                       const struct record_json_source *source) {
    const char *host = source->header->host_id;

    json_stream_byte(to, '{');
    JSON_PUT(to, "seq", number, record->unit);
    JSON_PUT(to, "host", text_or_null, host[0] != '\0' ? host : NULL);
    JSON_PUT(to, "netns", number_or_null, netns_of(record));
    put_process(to, record, source);
    JSON_PUT(to, "call", text_or_null, name_of_call(record->call));
    put_unless(to, "fd", record->descriptor, record->descriptor < 0);
    JSON_PUT(to, "cookie", number_or_null, has_socket(record) ? record->cookie : 0);
    put_socket(to, record);
    put_error(to, record->error);
    JSON_PUT(to, "begin_ns", number, record->begin_ns);
    if (record->committed)
        JSON_PUT(to, "end_ns", number, record->end_ns);
    else
        JSON_PUT_NULL(to, "end_ns");
    JSON_PUT(to, "source", text_or_null, name_of_source(record->source));
    put_flags(to, record);
    put_site(to, record, source);
    put_frames(to, record, source);
    JSON_PUT(to, "language_thread", text_or_null,
             strings_first(source->strings, record_frame_thread(record)));
    JSON_PUT(to, "kind", text_or_null, name_of_kind(record->kind));
    JSON_PUT(to, "state", text_or_null, record->committed ? "committed" : "torn");
    put_boot(to, source->header);
    JSON_PUT(to, "trace", text_or_null, source->trace);
    put_extras(to, record);
    if (is_by_stranger(record, source))
        JSON_PUT(to, "stranger", boolean, true);
    if ((record->flags & (PW_FLAG_POLICY | PW_FLAG_POLICY_LEFT)) != 0)
        JSON_PUT(to, "tried", number, PW_TRIED_OF_FLAGS(record->flags));
    json_stream_byte(to, '}');
}
