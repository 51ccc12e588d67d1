/* The text form of a record: its keys, its nulls, and what becomes of bytes that are not text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "harness/base/json_line.h"
#include "harness/report/record_json.h"
#include "tests/unit/trace_writer.h"

#define BOOT_AND_TRACE "\"boot\":\"000102030405060708090a0b0c0d0eff\",\"trace\":\"a.trace\""

static struct trace_writer writer;
static struct strings strings;
static struct processes processes;
static struct modules modules;

static int begin(void **state) {
    (void)state;
    writer_begin(&writer);
    memcpy(writer.header.boot_id, "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\377", 16);
    return 0;
}

static int end(void **state) {
    (void)state;
    processes_free(&processes);
    modules_free(&modules);
    strings_free(&strings);
    return unlink(writer.path);
}

/* The object that was written, which jansson must read, and would write the same. */
static json_t *written(struct json_stream *lines) {
    json_t *object =
        json_loadb(lines->bytes, lines->used, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

    assert_non_null(object);
    char *text = json_dumps(object, JSON_COMPACT);
    assert_int_equal(lines->used, strlen(text));
    assert_memory_equal(lines->bytes, text, lines->used);
    free(text);
    free(lines->bytes);
    return object;
}

/* The object of record number `wanted` in the trace that was written. */
static json_t *exported(unsigned wanted) {
    struct trace_reader_problem problem;
    struct trace_reader *reader;
    struct record_json_source source;
    struct trace_record record;
    json_t *object = NULL;

    writer_store(&writer);
    reader = trace_reader_open(writer.path, &problem);
    assert_non_null(reader);
    source = (struct record_json_source){trace_reader_header(reader), "a.trace", &processes,
                                         &modules, &strings};
    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD) {
        processes_note(&processes, &record);
        modules_note(&modules, &record);
        strings_note(&strings, &record);
    }
    trace_reader_rewind(reader);
    for (unsigned i = 0; trace_reader_next(reader, &record) == TRACE_NEXT_RECORD; i++)
        if (i == wanted) {
            struct json_stream lines = {0};
            record_json_write(&lines, &record, &source);
            object = written(&lines);
        }
    trace_reader_close(reader);
    assert_non_null(object);
    return object;
}

static void assert_is(json_t *object, const char *expected) {
    char *text = json_dumps(object, JSON_COMPACT | JSON_ENCODE_ANY);

    assert_string_equal(text, expected);
    free(text);
    json_decref(object);
}

static void start_process(uint64_t serial, uint64_t parent, uint32_t pid, uint64_t flags) {
    union pw_unit *units = writer_add(&writer, PW_KIND_PROCESS_START, 3, serial, -1, 0, 10, 20);

    units[0].start.flags = flags;
    units[1].process.serial = serial;
    units[1].process.parent = parent;
    units[1].process.pid = pid;
    memcpy(units[1].process.comm, "server", 6);
    memcpy(units[2].text.bytes, "server\0-p\0", 10);
}

static void a_bind_has_every_key_in_its_place(void **state) {
    union pw_unit *units;

    (void)state;
    start_process(1, 0, 500, 0);
    units = writer_add(&writer, PW_KIND_BIND, 2, 1, 3, 30, 100, 105);
    units[0].start.thread = 501;
    units[0].start.call = 3;
    units[0].start.error = EADDRINUSE;
    units[0].start.site = 0x1234;
    units[0].start.flags = PW_FLAG_HAS_REQUESTED | PW_FLAG_REUSEADDR | UINT64_C(1) << 60;
    units[1].socket.family = AF_INET;
    units[1].socket.type = SOCK_STREAM;
    units[1].socket.netns = 7;
    memcpy(units[1].socket.requested, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
    units[1].socket.requested_port = 8080;
    assert_is(exported(1),
              "{\"seq\":3,\"host\":\"testhost\",\"netns\":7,\"process\":1,\"pid\":500,\"tid\":501,"
              "\"comm\":\"server\",\"call\":\"bind\",\"fd\":3,\"cookie\":30,\"family\":\"inet\","
              "\"type\":\"stream\",\"protocol\":\"tcp\",\"requested\":{\"address\":\"127.0.0.1\","
              "\"port\":8080},\"assigned\":null,\"peer\":null,\"error\":\"EADDRINUSE\","
              "\"begin_ns\":100,\"end_ns\":105,\"source\":\"shim\",\"flags\":[\"reuseaddr\","
              "\"has-requested\",\"bit-60\"],\"site\":{\"module\":null,\"offset\":4660},\"frames\":"
              "null,\"language_thread\":null,"
              "\"kind\":\"bind\",\"state\":\"committed\"," BOOT_AND_TRACE "}");
}

static void the_port_that_was_read_is_no_flag(void **state) {
    union pw_unit *units;
    json_t *object;

    (void)state;
    start_process(1, 0, 500, 0);
    units = writer_add(&writer, PW_KIND_ADDRESS_READ, 1, 1, 3, 30, 100, 105);
    units[0].start.flags = PW_FLAG_REUSEADDR | PW_FLAG_PORT(0xa003);
    object = exported(1);
    json_incref(json_object_get(object, "assigned"));
    assert_is(json_object_get(object, "assigned"), "{\"address\":null,\"port\":40963}");
    json_incref(json_object_get(object, "flags"));
    assert_is(json_object_get(object, "flags"), "[\"reuseaddr\"]");
    json_decref(object);
}

static void a_torn_record_of_a_process_that_never_started_is_mostly_null(void **state) {
    (void)state;
    writer_tear(writer_add(&writer, PW_KIND_CLOSE, 1, 9, 3, 30, 100, 105));
    assert_is(exported(0),
              "{\"seq\":0,\"host\":\"testhost\",\"netns\":null,\"process\":9,\"pid\":null,"
              "\"tid\":null,\"comm\":null,\"call\":null,\"fd\":3,\"cookie\":null,\"family\":null,"
              "\"type\":null,\"protocol\":null,\"requested\":null,\"assigned\":null,\"peer\":null,"
              "\"error\":null,\"begin_ns\":100,\"end_ns\":null,\"source\":null,\"flags\":[],"
              "\"site\":null,\"frames\":null,\"language_thread\":null,\"kind\":\"close\",\"state\":"
              "\"torn\"," BOOT_AND_TRACE "}");
}

/* The keys of its kind alone: what stands behind those that all have. */
static void assert_adds(unsigned wanted, const char *expected) {
    json_t *object = exported(wanted);
    char *text = json_dumps(object, JSON_COMPACT);
    const char *last = strstr(text, BOOT_AND_TRACE);

    assert_non_null(last);
    assert_string_equal(last + strlen(BOOT_AND_TRACE), expected);
    free(text);
    json_decref(object);
    processes_free(&processes);
    modules_free(&modules);
}

static void each_kind_adds_its_keys(void **state) {
    union pw_unit *units = writer_add(&writer, PW_KIND_PROCESS_START, 2, 1, -1, 0, 10, 20);

    (void)state;
    units[1].process = (struct pw_process){units[1].process.head, 21, 22, 23, 24, 25, 26, 27, "s"};
    units = writer_add(&writer, PW_KIND_OPTION, 2, 1, 3, 30, 10, 20);
    units[1].numbers.code = PW_OPTION_LINGER;
    units[1].numbers.number[0] = 1;
    units[1].numbers.number[1] = 77;
    units = writer_add(&writer, PW_KIND_NAMESPACE, 2, 1, -1, 0, 10, 20);
    for (unsigned i = 0; i < 5; i++)
        units[1].numbers.number[i] = 41 + i;
    units = writer_add(&writer, PW_KIND_MODULE, 3, 1, -1, 0, 10, 20);
    units[1].numbers.code = 5;
    for (unsigned i = 0; i < 3; i++)
        units[1].numbers.number[i] = 51 + i;
    memcpy(&units[1].numbers.number[3], "\1\2\253\4\5\6", 6);
    memcpy(units[2].text.bytes, "/x", 2);
    units = writer_add(&writer, PW_KIND_BLIND_SPOT, 2, 1, -1, 0, 10, 20);
    units[1].numbers.code = PW_BLIND_ARCHITECTURE;
    units[1].numbers.number[0] = 61;
    units = writer_add(&writer, PW_KIND_SHUTDOWN, 2, 1, 3, 30, 10, 20);
    units[1].numbers.number[0] = 2;
    assert_adds(0, ",\"identity_pid\":21,\"identity_comm\":\"s\",\"serial\":24,\"parent\":25,"
                   "\"parent_pid\":22,\"uid\":23,\"start_time\":26,\"pid_namespace\":27}");
    assert_adds(1, ",\"option\":\"linger\",\"value\":1,\"seconds\":77}");
    assert_adds(2, ",\"inode\":42,\"port_range\":[43,44],\"ip_autobind_reuse\":45}");
    assert_adds(3, ",\"range\":[51,52],\"file_offset\":53,\"build_id\":\"0102ab0405\","
                   "\"text\":\"/x\"}");
    assert_adds(4, ",\"reason\":\"other architecture\",\"blind_pid\":61}");
    assert_adds(5, ",\"how\":2}");
}

static union pw_unit *add_socket(enum pw_kind kind, uint16_t port) {
    union pw_unit *units = writer_add(&writer, kind, 3, 1, 3, 30, 10, 20);

    units[0].start.flags = PW_FLAG_HAS_ASSIGNED | PW_FLAG_HAS_PEER;
    units[1].socket.family = AF_INET;
    units[1].socket.type = SOCK_STREAM;
    units[1].socket.assigned_port = port;
    units[2].peer.port = port;
    units[2].peer.code = 7;
    units[2].peer.other_descriptor = 8;
    units[2].peer.other_cookie = 9;
    return units;
}

static void the_other_socket_and_its_state_are_written(void **state) {
    (void)state;
    add_socket(PW_KIND_ACCEPT, 80);
    add_socket(PW_KIND_DESCRIPTOR, 80);
    add_socket(PW_KIND_DESTROYED, 80);
    assert_adds(0, ",\"other_fd\":8,\"other_cookie\":9}");
    assert_adds(1, ",\"other_fd\":8,\"other_cookie\":9}");
    assert_adds(2, ",\"tcp_state\":7}");
}

static void a_duplicate_that_was_never_bound_has_no_address(void **state) {
    (void)state;
    add_socket(PW_KIND_DESCRIPTOR, 0);
    add_socket(PW_KIND_DESCRIPTOR, 80);
    add_socket(PW_KIND_ACCEPT, 0);
    for (unsigned i = 0; i < 3; i++) {
        json_t *object = exported(i);

        assert_int_equal(json_is_null(json_object_get(object, "assigned")), i == 0);
        assert_int_equal(json_is_null(json_object_get(object, "peer")), i == 0);
        json_decref(object);
    }
}

static void arguments_are_a_list(void **state) {
    json_t *object;

    (void)state;
    start_process(1, 0, 500, 0);
    object = exported(0);
    json_incref(json_object_get(object, "arguments"));
    assert_is(json_object_get(object, "arguments"), "[\"server\",\"-p\"]");
    json_decref(object);
}

static void a_forked_child_finds_its_sites_in_its_parents_modules(void **state) {
    union pw_unit *units;
    json_t *object;
    json_t *site;

    (void)state;
    start_process(1, 0, 500, 0);
    units = writer_add(&writer, PW_KIND_MODULE, 3, 1, -1, 0, 30, 40);
    units[1].numbers.number[0] = 0x10000;
    units[1].numbers.number[1] = 0x20000;
    units[1].numbers.number[2] = 0x3000;
    memcpy(units[2].text.bytes, "/lib/x.so", 9);
    start_process(2, 1, 501, PW_FLAG_BY_FORK);
    writer_add(&writer, PW_KIND_CLOSE, 1, 2, 3, 30, 100, 105)->start.site = 0x10456;
    object = exported(3);
    assert_int_equal(json_integer_value(json_object_get(object, "pid")), 501);
    site = json_object_get(object, "site");
    assert_string_equal(json_string_value(json_object_get(site, "module")), "/lib/x.so");
    assert_int_equal(json_integer_value(json_object_get(site, "offset")), 0x3456);
    json_decref(object);
}

static void an_address_mapped_again_belongs_to_what_is_there_at_the_time(void **state) {
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        union pw_unit *units = writer_add(&writer, PW_KIND_MODULE, 3, 1, -1, 0, 30, 40);

        units[1].numbers.number[0] = 0x10000;
        units[1].numbers.number[1] = 0x20000;
        memcpy(units[2].text.bytes, i == 0 ? "/lib/old" : "/lib/new", 8);
        writer_add(&writer, PW_KIND_CLOSE, 1, 1, 3, 30, 100, 105)->start.site = 0x10000;
    }
    for (unsigned i = 0; i < 2; i++) {
        json_t *object = exported(2 * i + 1);
        json_t *site = json_object_get(object, "site");

        assert_string_equal(json_string_value(json_object_get(site, "module")),
                            i == 0 ? "/lib/old" : "/lib/new");
        json_decref(object);
        processes_free(&processes);
        modules_free(&modules);
    }
}

static void bytes_that_are_no_text_are_replaced(void **state) {
    (void)state;
    assert_is(json_text("a\xff\xc3\xa9\x80z", 6), "\"a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbdz\"");
}

static void numbers_too_large_for_json_readers_are_strings(void **state) {
    (void)state;
    assert_is(json_number(INT64_MAX), "9223372036854775807");
    assert_is(json_number(UINT64_C(1) << 63), "\"9223372036854775808\"");
    assert_is(json_number_or_null(0), "null");
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_bind_has_every_key_in_its_place),
        TEST(the_port_that_was_read_is_no_flag),
        TEST(a_torn_record_of_a_process_that_never_started_is_mostly_null),
        TEST(each_kind_adds_its_keys),
        TEST(the_other_socket_and_its_state_are_written),
        TEST(a_duplicate_that_was_never_bound_has_no_address),
        TEST(arguments_are_a_list),
        TEST(a_forked_child_finds_its_sites_in_its_parents_modules),
        TEST(an_address_mapped_again_belongs_to_what_is_there_at_the_time),
        TEST(bytes_that_are_no_text_are_replaced),
        TEST(numbers_too_large_for_json_readers_are_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
