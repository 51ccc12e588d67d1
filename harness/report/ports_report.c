/* Each request for a port beside the port that was assigned. */
#include "harness/report/ports_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/address.h"
#include "harness/base/columns.h"
#include "harness/base/digits.h"
#include "harness/base/json_stream.h"
#include "harness/base/memory.h"
#include "harness/base/names.h"
#include "harness/base/output.h"
#include "harness/report/call_place.h"
#include "harness/report/evidence.h"
#include "harness/report/frame_json.h"
#include "harness/report/policy_report.h"
#include "harness/report/stranger_name.h"
#include "harness/trace/bindings.h"
#include "harness/trace/each_trace.h"
#include "harness/trace/record_frames.h"

/* A place is shown where any row has one, the trace where there are several. */
enum { COLUMN_PLACE = 9, COLUMN_TRACE, COLUMNS };

struct printing {
    const struct ports_selection *selection;
    const struct bindings *bindings;
    const char *trace; /* its name */
    const char *policy;
    uint64_t start_ns; /* of the trace */
    struct columns *columns;
    struct json_stream *lines;
    const struct request_places *places;
};

/* The user's frames of the requests. */
struct request_places {
    struct strings strings;
    struct map of_unit; /* by the record's number, the index in list */
    struct pw_frame *list;
    size_t count, room;
};

static void note_place(struct request_places *places, const struct trace_record *record) {
    strings_note(&places->strings, record);
    if (record_frame_count(record) == 0)
        return;
    places->list =
        memory_grow(places->list, &places->room, places->count + 1, sizeof *places->list);
    map_put(&places->of_unit, record->unit, (uint32_t)places->count);
    places->list[places->count++] = *record_frame(record, record_frame_nearest(record));
}

static void free_places(struct request_places *places) {
    strings_free(&places->strings);
    map_free(&places->of_unit);
    free(places->list);
}

/* false: the record has no frames. */
static bool find_place(const struct request_places *places, const struct binding *binding,
                       struct frame_text *frame) {
    uint32_t index = map_get(&places->of_unit, binding->unit);
    if (index == MAP_NONE)
        return false;
    *frame = strings_frame(&places->strings, &places->list[index]);
    return true;
}

static const char *end_name(unsigned how) {
    static const char *const names[] = {
        [END_NOT_SEEN] = "not seen",   [END_CLOSED] = "closed",
        [END_INFERRED] = "inferred",   [END_EXIT] = "exit",
        [END_DESTROYED] = "destroyed", [END_CONNECT_FAILED] = "connect-failed",
        [END_SHUTDOWN] = "shutdown",   [END_DISCONNECT] = "disconnect",
    };

    return how < sizeof names / sizeof *names ? names[how] : "not seen";
}

/* Is `name` what the process calls itself, or the last part of the program's path? */
static bool is_program(const struct printing *printing, const struct process *process,
                       const char *name) {
    const char *command = process_command(&printing->bindings->processes, process);
    size_t length;

    if (strcmp(process->comm, name) == 0)
        return true;
    if (command == NULL)
        return false;
    length = strcspn(command, " ");
    for (size_t i = length; i > 0; i--)
        if (command[i - 1] == '/') {
            command += i;
            length -= i;
            break;
        }
    return strlen(name) == length && strncmp(command, name, length) == 0;
}

static bool is_selected(const struct printing *printing, const struct binding *binding,
                        const struct process *process) {
    const struct ports_selection *selection = printing->selection;

    if ((binding->from_ns == 0) != selection->failed)
        return false;
    if (selection->pid >= 0 && (process == NULL || process->pid != selection->pid))
        return false;
    if (selection->port >= 0 && binding->port != selection->port &&
        !(binding->port == 0 && binding->requested_port == selection->port))
        return false;
    if (selection->only_ephemeral && binding->by_number)
        return false;
    return selection->program == NULL ||
           (process != NULL && is_program(printing, process, selection->program));
}

static void put_error(struct json_stream *to, unsigned error) {
    const char *name = error != 0 ? name_of_error(error) : NULL;
    char number[32];

    if (error != 0 && name == NULL)
        name = (snprintf(number, sizeof number, "errno-%u", error), number);
    JSON_PUT(to, "error", text_or_null, name);
}

/* Strangers are few. */
static void put_stranger(struct json_stream *to, const struct process *process) {
    if (process != NULL && process->is_stranger) {
        json_t *object = json_object();
        stranger_add_json(object, process);
        json_stream_members(to, object);
        return;
    }
    JSON_PUT(to, "stranger", boolean, false);
    JSON_PUT_NULL(to, "unit");
    JSON_PUT_NULL(to, "container");
}

static void put_place(struct json_stream *to, const struct request_places *places,
                      const struct binding *binding) {
    struct frame_text frame;

    JSON_KEY(to, "place");
    if (find_place(places, binding, &frame))
        frame_json_write(to, frame);
    else
        json_stream_null(to);
}

static void put_process(struct json_stream *to, const struct printing *printing,
                        const struct process *process) {
    bool is_named = process != NULL && process->comm[0] != '\0';
    const char *command =
        process != NULL ? process_command(&printing->bindings->processes, process) : NULL;

    JSON_PUT(to, "pid", number_or_null, process != NULL ? process->pid : 0);
    JSON_PUT(to, "comm", text_or_null, is_named ? process->comm : NULL);
    JSON_PUT(to, "command", text_or_null, command);
    put_stranger(to, process);
}

static void print_json(const struct printing *printing, const struct binding *binding,
                       const struct process *process) {
    struct json_stream *to = printing->lines;
    char address[ADDRESS_TEXT_SIZE];

    json_stream_byte(to, '{');
    JSON_PUT(to, "port", number_or_null, binding->port);
    JSON_PUT(to, "protocol", text_or_null, name_of_protocol(binding->type, binding->protocol));
    JSON_PUT(to, "address", text_or_null,
             address_text(address, binding->family, binding->address, binding->scope));
    JSON_PUT(to, "requested_port", number, binding->requested_port);
    put_process(to, printing, process);
    JSON_PUT(to, "netns", number_or_null, binding->netns);
    JSON_PUT(to, "held_from_ns", number_or_null, binding->from_ns);
    JSON_PUT(to, "held_to_ns", number_or_null, binding->to_ns);
    JSON_PUT(to, "end_known_by", text_or_null,
             binding->from_ns != 0 ? end_name(binding->end_known_by) : NULL);
    JSON_PUT(to, "call", text_or_null, name_of_call(binding->call));
    put_error(to, binding->error);
    JSON_PUT(to, "certain", boolean, binding->certainty == CERTAIN);
    put_place(to, printing->places, binding);
    JSON_PUT(to, "trace", text_or_null, printing->trace);
    JSON_PUT(to, "policy", text_or_null, binding->by_policy ? printing->policy : NULL);
    JSON_PUT(to, "source", text_or_null, name_of_source(binding->source));
    json_stream_byte(to, '}');
    json_stream_end_line(to);
}

static void add_number(struct columns *columns, uint32_t number, const char *none) {
    char text[DIGITS_MAX + 1];

    *digits_put(text, number, 1) = '\0';
    columns_add(columns, number == 0 ? none : text);
}

static void add_time(const struct printing *printing, uint64_t ns) {
    int64_t since = (int64_t)(ns - printing->start_ns);
    uint64_t size = since < 0 ? -(uint64_t)since : (uint64_t)since;
    char text[2 * DIGITS_MAX];
    char *to = text;

    if (since < 0)
        *to++ = '-';
    to = digits_put(to, size / 1000000000, 1);
    *to++ = '.';
    *digits_put(to, size / 1000 % 1000000, 6) = '\0';
    columns_add(printing->columns, ns == 0 ? "-" : text);
}

static void add_place(const struct printing *printing, const struct binding *binding) {
    struct frame_text frame;
    char text[SIDE_TEXT_SIZE] = "";
    if (find_place(printing->places, binding, &frame))
        place_words(frame.function, frame.file, frame.line, text);
    if (text[0] != '\0')
        printing->columns->hidden[COLUMN_PLACE] = false;
    columns_add(printing->columns, text[0] != '\0' ? text : "-");
}

/* A star stands behind who is none of the command's. */
static void add_program(const struct printing *printing, const struct process *process) {
    char text[sizeof process->comm + 1];
    bool is_named = process != NULL && process->comm[0] != '\0';
    if (process == NULL || !process->is_stranger) {
        columns_add(printing->columns, is_named ? process->comm : "-");
        return;
    }
    snprintf(text, sizeof text, "%s*", is_named ? process->comm : "-");
    columns_add(printing->columns, text);
}

static void print_row(const struct printing *printing, const struct binding *binding,
                      const struct process *process) {
    const char *protocol = name_of_protocol(binding->type, binding->protocol);
    const char *error = name_of_error(binding->error);
    char text[ADDRESS_TEXT_SIZE];

    add_number(printing->columns, binding->port, "-");
    columns_add(printing->columns, protocol != NULL ? protocol : "-");
    columns_add(printing->columns,
                address_text(text, binding->family, binding->address, binding->scope));
    add_number(printing->columns, binding->requested_port, "0");
    add_number(printing->columns, process != NULL ? process->pid : 0, "-");
    add_program(printing, process);
    add_time(printing, binding->from_ns != 0 ? binding->from_ns : binding->begin_ns);
    add_time(printing, binding->to_ns);
    if (binding->certainty == POSSIBLE)
        snprintf(text, sizeof text, "%s?", end_name(binding->end_known_by));
    if (binding->from_ns == 0)
        columns_add(printing->columns, error != NULL ? error : "failed");
    else
        columns_add(printing->columns,
                    binding->certainty == POSSIBLE ? text : end_name(binding->end_known_by));
    add_place(printing, binding);
    columns_add(printing->columns, printing->trace);
}

/* All traces go into one table. */
struct table {
    const struct ports_selection *selection;
    struct columns columns;
};

static void print_trace(void *with, struct trace_reader *reader, const char *path) {
    struct table *table = with;
    const struct ports_selection *selection = table->selection;
    struct bindings bindings = {0};
    struct evidence evidence = {0};
    struct trace_record record;
    struct policy_work work;
    struct request_places places = {.count = 0};
    struct json_stream lines = {0};
    struct printing printing = {.selection = selection,
                                .bindings = &bindings,
                                .trace = path,
                                .policy = trace_reader_header(reader)->policy,
                                .columns = &table->columns,
                                .lines = &lines,
                                .places = &places};

    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD) {
        bindings_note(&bindings, &record);
        evidence_note(&evidence, &record);
        note_place(&places, &record);
    }
    bindings_finish(&bindings);
    printing.start_ns = trace_reader_header(reader)->monotonic_ns;
    for (size_t i = 0; i < bindings.count && !output_failed(); i++) {
        const struct binding *binding = &bindings.list[i];
        const struct process *process = processes_find(&bindings.processes, binding->process);

        if (!is_selected(&printing, binding, process))
            continue;
        if (selection->json)
            print_json(&printing, binding, process);
        else
            print_row(&printing, binding, process);
    }
    json_stream_finish(&lines);
    trace_reader_policy(reader, &work);
    policy_report_write(path, printing.policy, &work, stderr);
    evidence_write(&evidence, reader, path, stderr);
    free_places(&places);
    bindings_free(&bindings);
}

bool ports_report_write(const struct ports_selection *selection, const char *const *traces) {
    static const char *const heading[COLUMNS] = {"PORT", "PROTO",   "ADDRESS", "REQUESTED",
                                                 "PID",  "PROGRAM", "FROM",    "TO",
                                                 "END",  "PLACE",   "TRACE"};
    struct table table = {
        .selection = selection,
        .columns = {.count = COLUMNS,
                    .right = {[0] = true, [3] = true, [4] = true, [6] = true, [7] = true},
                    .hidden = {[COLUMN_PLACE] = true, [COLUMN_TRACE] = traces[1] == NULL}}};
    struct columns *columns = &table.columns;

    for (size_t i = 0; i < columns->count; i++)
        columns_add(columns, heading[i]);
    bool good = each_trace(traces, print_trace, &table);
    /* For bad input alone there is no table, not even its heading. */
    if (!selection->json && (good || columns->used > columns->count))
        columns_write(columns, stdout);
    columns_free(columns);
    return good;
}
