/* The keys here are a contract with whoever searches exported traces: new ones are added behind,
 * old ones keep name and meaning. */
#include "harness/report/record_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/address.h"
#include "harness/base/json_line.h"
#include "harness/base/names.h"
#include "harness/report/frame_json.h"
#include "harness/trace/record_frames.h"

static void set(json_t *object, const char *key, json_t *value) {
    json_object_set_new_nocheck(object, key, value);
}

static json_t *endpoint(bool there, unsigned family, const uint8_t address[16], uint16_t port,
                        uint32_t scope) {
    char text[ADDRESS_TEXT_SIZE];
    json_t *object;

    if (!there)
        return json_null();
    object = json_object();
    set(object, "address", json_string(address_text(text, family, address, scope)));
    set(object, "port", json_integer(port));
    return object;
}

static json_t *error_name(unsigned error) {
    const char *name = name_of_error(error);

    if (error == 0)
        return json_null();
    return name != NULL ? json_string(name) : json_sprintf("errno-%u", error);
}

static json_t *flag_names(const struct trace_record *record) {
    json_t *names = json_array();
    uint64_t flags = record->flags;

    /* The highest bits are the port that was read, or the status of what ended. */
    if (record->kind == PW_KIND_ADDRESS_READ || record->kind == PW_KIND_PROCESS_EXIT)
        flags &= ~PW_FLAG_PORT(UINT16_MAX);
    else
        flags &= ~PW_FLAG_TRIED(255);
    for (; flags != 0; flags &= flags - 1) {
        uint64_t bit = flags & -flags;
        const char *name = name_of_flag(bit);

        json_array_append_new(names, name != NULL ? json_string(name)
                                                  : json_sprintf("bit-%d", __builtin_ctzll(bit)));
    }
    return names;
}

static json_t *site_object(const struct trace_record *record,
                           const struct record_json_source *source) {
    struct site site;
    json_t *object;

    if (record->site == 0)
        return json_null();
    site = modules_site(source->modules, source->processes, record->process, record->site,
                        record->unit);
    object = json_object();
    set(object, "module", json_text_or_null(site.module));
    set(object, "offset", json_number(site.offset));
    return object;
}

static json_t *frames_list(const struct trace_record *record,
                           const struct record_json_source *source) {
    unsigned count = record_frame_count(record);
    json_t *list = json_array();

    if (count == 0) {
        json_decref(list);
        return json_null();
    }
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(list,
                              frame_json(strings_frame(source->strings, record_frame(record, i))));
    return list;
}

static void set_process(json_t *object, const struct trace_record *record,
                        const struct record_json_source *source) {
    const struct process *process = processes_find(source->processes, record->process);
    bool named = process != NULL && process->comm[0] != '\0';

    set(object, "process", json_number_or_null(record->process));
    set(object, "pid", json_number_or_null(process != NULL ? process->pid : 0));
    set(object, "tid", json_number_or_null(record->thread));
    set(object, "comm", json_text_or_null(named ? process->comm : NULL));
}

/* A port whose address stands in the socket's other records. */
static json_t *port_alone(uint16_t port) {
    json_t *object = json_object();
    set(object, "address", json_null());
    set(object, "port", json_number(port));
    return object;
}

/* A duplicate of a socket that was never bound is recorded with an address of nothing. */
static bool is_bound(const struct trace_record *record, uint16_t port) {
    return port != 0 || record->kind != PW_KIND_DESCRIPTOR;
}

static json_t *assigned(const struct trace_record *record) {
    const struct pw_socket *socket = record->socket;
    if (record->kind == PW_KIND_ADDRESS_READ && record->committed)
        return port_alone(PW_PORT_OF_FLAGS(record->flags));
    if (socket == NULL || (record->flags & PW_FLAG_HAS_ASSIGNED) == 0 ||
        !is_bound(record, socket->assigned_port))
        return json_null();
    return endpoint(true, socket->family, socket->assigned, socket->assigned_port, socket->scope);
}

static void set_socket(json_t *object, const struct trace_record *record) {
    static const uint8_t nowhere[16];
    const struct pw_socket *socket = record->socket;
    const struct pw_peer *peer = record->peer;
    unsigned family = socket != NULL ? socket->family : 0;
    unsigned type = socket != NULL ? socket->type : 0;

    set(object, "family", json_text_or_null(name_of_family(family)));
    set(object, "type", json_text_or_null(name_of_type(type)));
    set(object, "protocol",
        json_text_or_null(socket != NULL ? name_of_protocol(type, socket->protocol) : NULL));
    set(object, "requested",
        endpoint(socket != NULL && record->flags & PW_FLAG_HAS_REQUESTED, family,
                 socket != NULL ? socket->requested : nowhere,
                 socket != NULL ? socket->requested_port : 0, socket != NULL ? socket->scope : 0));
    set(object, "assigned", assigned(record));
    set(object, "peer",
        endpoint(peer != NULL && record->flags & PW_FLAG_HAS_PEER && is_bound(record, peer->port),
                 family, peer != NULL ? peer->address : nowhere, peer != NULL ? peer->port : 0,
                 peer != NULL ? peer->scope : 0));
}

static json_t *hexadecimal(const uint8_t *bytes, size_t length) {
    char digits[2 * PW_UNIT_SIZE + 1] = "";

    for (size_t i = 0; i < length && i < PW_UNIT_SIZE; i++)
        snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    return json_string(digits);
}

static json_t *boot(const struct pw_header *header) {
    static const uint8_t unknown[sizeof header->boot_id];

    if (memcmp(header->boot_id, unknown, sizeof unknown) == 0)
        return json_null();
    return hexadecimal(header->boot_id, sizeof header->boot_id);
}

/* The build id's bytes as hexadecimal digits, as readelf and debuginfod spell it. */
static json_t *build_id(const struct pw_numbers *numbers) {
    const unsigned char *bytes = (const unsigned char *)&numbers->number[3];
    size_t length = numbers->code;

    if (length == 0 || length > 4 * sizeof numbers->number[0])
        return json_null();
    return hexadecimal(bytes, length);
}

static json_t *number_list(const uint64_t *numbers, size_t count) {
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_number(numbers[i]));
    return list;
}

static json_t *argument_list(const struct trace_record *record) {
    json_t *list = json_array();
    size_t begin = 0;

    while (begin < record->text_length) {
        size_t length = strlen(record->text + begin);

        json_array_append_new(list, json_text(record->text + begin, length));
        begin += length + 1;
    }
    return list;
}

static void set_numbers(json_t *object, const struct trace_record *record) {
    const struct pw_numbers *numbers = record->numbers;

    switch (record->kind) {
    case PW_KIND_OPTION:
        set(object, "option", json_text_or_null(name_of_option(numbers->code)));
        set(object, "value", json_number(numbers->number[0]));
        if (numbers->code == PW_OPTION_LINGER)
            set(object, "seconds", json_number(numbers->number[1]));
        break;
    case PW_KIND_SHUTDOWN:
        set(object, "how", json_number(numbers->number[0]));
        break;
    case PW_KIND_NAMESPACE:
        set(object, "inode", json_number(numbers->number[1]));
        set(object, "port_range",
            json_pack("[I,I]", (json_int_t)numbers->number[2], (json_int_t)numbers->number[3]));
        set(object, "ip_autobind_reuse", json_number(numbers->number[4]));
        break;
    case PW_KIND_MODULE:
        set(object, "range", number_list(numbers->number, 2));
        set(object, "file_offset", json_number(numbers->number[2]));
        set(object, "build_id", build_id(numbers));
        break;
    case PW_KIND_BLIND_SPOT:
        set(object, "reason", json_text_or_null(name_of_blind_spot(numbers->code)));
        set(object, "blind_pid", json_number_or_null(numbers->number[0]));
        break;
    case PW_KIND_HOLDER:
        set(object, "unnamed", json_integer(numbers->code));
        set(object, "inode", json_number_or_null(numbers->number[0]));
        set(object, "started_ns", json_number_or_null(numbers->number[1]));
        set(object, "others", json_number(numbers->number[2]));
        set(object, "other_pids", number_list(numbers->number + 3, 4));
        break;
    case PW_KIND_LOST:
        set(object, "cause", json_text_or_null(name_of_loss(numbers->code)));
        set(object, "lost", json_number(numbers->number[0]));
        break;
    default:
        break;
    }
}

static void set_identity(json_t *object, const struct pw_process *identity) {
    char comm[sizeof identity->comm + 1] = "";

    memcpy(comm, identity->comm, sizeof identity->comm);
    set(object, "identity_pid", json_number_or_null(identity->pid));
    set(object, "identity_comm", json_text_or_null(comm[0] != '\0' ? comm : NULL));
    set(object, "serial", json_number_or_null(identity->serial));
    set(object, "parent", json_number_or_null(identity->parent));
    set(object, "parent_pid", json_number_or_null(identity->parent_pid));
    set(object, "uid", json_integer(identity->uid));
    set(object, "start_time", json_number_or_null(identity->start_time));
    set(object, "pid_namespace", json_number_or_null(identity->pid_namespace));
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

static void set_owner(json_t *object, const struct pw_peer *peer) {
    set(object, "owner_pid", json_number_or_null(peer->pid));
    set(object, "owner_start_time", json_number_or_null(peer->start_time));
    set(object, "of_seq", json_number(peer->record));
    set(object, "inode", json_number_or_null(peer->inode));
    set(object, "holder_cookie", json_number_or_null(peer->other_cookie));
}

/* The strings of the text, in their order. */
static void set_holder(json_t *object, const struct trace_record *record) {
    static const char *const keys[] = {"command", "folder", "user", "control_group"};
    size_t at = 0;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        bool is_there = record->text != NULL && at < record->text_length;
        const char *text = is_there ? record->text + at : "";

        set(object, keys[i], *text != '\0' ? json_text(text, strlen(text)) : json_null());
        at += strlen(text) + 1;
    }
}

static void set_extras(json_t *object, const struct trace_record *record) {
    const struct pw_peer *peer = record->peer;

    if (record->identity != NULL)
        set_identity(object, record->identity);
    if (record->numbers != NULL)
        set_numbers(object, record);
    if (record->addresses != NULL) {
        set(object, "addresses", number_list(record->addresses, record->address_count));
        set(object, "of_seq", json_number(record->cookie));
    }
    if (is_about_record(record) && record->addresses == NULL)
        set(object, "of_seq", json_number(record->cookie));
    if (record->kind == PW_KIND_MARKER)
        set(object, "outcome",
            json_text_or_null(name_of_outcome(PW_OUTCOME_OF_FLAGS(record->flags))));
    if (record->kind == PW_KIND_PROCESS_EXIT)
        set(object, "status",
            (record->flags & PW_FLAG_STATUS_KNOWN) != 0
                ? json_integer(PW_STATUS_OF_FLAGS(record->flags))
                : json_null());
    if (record->kind == PW_KIND_EXEC && PW_OBSTACLE_OF_FLAGS(record->flags) != 0)
        set(object, "obstacle",
            json_text_or_null(name_of_blind_spot(PW_OBSTACLE_OF_FLAGS(record->flags))));
    if (record->kind == PW_KIND_PROCESS_START && record->text != NULL)
        set(object, "arguments", argument_list(record));
    else if (record->kind == PW_KIND_HOLDER)
        set_holder(object, record);
    else if (record->text != NULL)
        set(object, "text", json_text(record->text, record->text_length));
    if (peer != NULL && (record->kind == PW_KIND_ACCEPT || record->kind == PW_KIND_DESCRIPTOR)) {
        set(object, "other_fd",
            peer->other_descriptor >= 0 ? json_integer(peer->other_descriptor) : json_null());
        set(object, "other_cookie", json_number_or_null(peer->other_cookie));
    }
    if (peer != NULL && (record->kind == PW_KIND_DESTROYED || record->kind == PW_KIND_TABLE_ANSWER))
        set(object, "tcp_state", json_integer(peer->code));
    if (peer != NULL && record->kind == PW_KIND_TABLE_ANSWER)
        set_owner(object, peer);
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

json_t *record_json(const struct trace_record *record, const struct record_json_source *source) {
    const char *host = source->header->host_id;
    json_t *object = json_object();

    set(object, "seq", json_number(record->unit));
    set(object, "host", json_text_or_null(host[0] != '\0' ? host : NULL));
    set(object, "netns", json_number_or_null(netns_of(record)));
    set_process(object, record, source);
    set(object, "call", json_text_or_null(name_of_call(record->call)));
    set(object, "fd", record->descriptor >= 0 ? json_integer(record->descriptor) : json_null());
    set(object, "cookie", json_number_or_null(has_socket(record) ? record->cookie : 0));
    set_socket(object, record);
    set(object, "error", error_name(record->error));
    set(object, "begin_ns", json_number(record->begin_ns));
    set(object, "end_ns", record->committed ? json_number(record->end_ns) : json_null());
    set(object, "source", json_text_or_null(name_of_source(record->source)));
    set(object, "flags", flag_names(record));
    set(object, "site", site_object(record, source));
    set(object, "frames", frames_list(record, source));
    set(object, "language_thread",
        json_text_or_null(strings_first(source->strings, record_frame_thread(record))));
    set(object, "kind", json_text_or_null(name_of_kind(record->kind)));
    set(object, "state", json_string(record->committed ? "committed" : "torn"));
    set(object, "boot", boot(source->header));
    set(object, "trace", json_text_or_null(source->trace));
    set_extras(object, record);
    if (is_by_stranger(record, source))
        set(object, "stranger", json_true());
    if ((record->flags & (PW_FLAG_POLICY | PW_FLAG_POLICY_LEFT)) != 0)
        set(object, "tried", json_number(PW_TRIED_OF_FLAGS(record->flags)));
    return object;
}
