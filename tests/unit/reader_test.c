/* What the reader makes of traces that are whole, torn, damaged, cut, alive or no traces at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>

#include "harness/trace/reader.h"
#include "tests/unit/trace_writer.h"

static struct trace_writer writer;

static int begin(void **state) {
    (void)state;
    writer_begin(&writer);
    return 0;
}

static int end(void **state) {
    (void)state;
    return unlink(writer.path);
}

static struct trace_reader *open_trace(void) {
    struct trace_reader_problem problem = {""};
    struct trace_reader *reader = trace_reader_open(writer.path, &problem);

    if (reader == NULL)
        print_error("%s\n", problem.what);
    assert_non_null(reader);
    return reader;
}

static void assert_refused(const char *because) {
    struct trace_reader_problem problem = {""};

    assert_null(trace_reader_open(writer.path, &problem));
    if (strstr(problem.what, because) == NULL)
        fail_msg("'%s' lacks '%s'", problem.what, because);
}

static void a_committed_record_is_read_whole(void **state) {
    union pw_unit *units = writer_add(&writer, PW_KIND_CONNECT, 3, 7, 5, 99, 10, 20);
    struct trace_record record;
    struct trace_reader *reader;

    (void)state;
    units[0].start.error = 111;
    units[0].start.thread = 77;
    units[0].start.flags = PW_FLAG_PORT_ZERO;
    units[1].socket.assigned_port = 40000;
    units[2].peer.port = 80;
    writer_store(&writer);
    reader = open_trace();
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_RECORD);
    assert_true(record.committed);
    assert_int_equal(record.unit, 0);
    assert_int_equal(record.kind, PW_KIND_CONNECT);
    assert_int_equal(record.process, 7);
    assert_int_equal(record.descriptor, 5);
    assert_int_equal(record.cookie, 99);
    assert_int_equal(record.begin_ns, 10);
    assert_int_equal(record.end_ns, 20);
    assert_int_equal(record.error, 111);
    assert_int_equal(record.thread, 77);
    assert_int_equal(record.flags, PW_FLAG_PORT_ZERO);
    assert_int_equal(record.socket->assigned_port, 40000);
    assert_int_equal(record.peer->port, 80);
    assert_null(record.identity);
    assert_null(record.text);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_END);
    assert_int_equal(trace_reader_counts(reader)->records, 1);
    trace_reader_close(reader);
}

static void text_over_several_units_is_joined(void **state) {
    union pw_unit *units = writer_add(&writer, PW_KIND_MARKER, 3, 1, -1, 0, 1, 2);
    char text[PW_TEXT_BYTES + 11];
    struct trace_record record;
    struct trace_reader *reader;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(units[1].text.bytes, text, PW_TEXT_BYTES);
    memcpy(units[2].text.bytes, text + PW_TEXT_BYTES, sizeof text - PW_TEXT_BYTES);
    writer_store(&writer);
    reader = open_trace();
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_RECORD);
    assert_int_equal(record.text_length, sizeof text - 1);
    assert_string_equal(record.text, text);
    trace_reader_close(reader);
}

static void a_record_never_committed_is_torn_and_names_whom_it_concerns(void **state) {
    union pw_unit *units = writer_add(&writer, PW_KIND_BIND, 2, 3, 4, 88, 10, 20);
    struct trace_record record;
    struct trace_reader *reader;

    (void)state;
    writer_tear(units);
    units[1].text.head = 0; /* its writer had not come to this unit */
    writer_add(&writer, PW_KIND_CLOSE, 1, 3, 4, 88, 30, 40);
    writer_store(&writer);
    reader = open_trace();
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_RECORD);
    assert_false(record.committed);
    assert_int_equal(record.kind, PW_KIND_BIND);
    assert_int_equal(record.process, 3);
    assert_int_equal(record.descriptor, 4);
    assert_int_equal(record.begin_ns, 10);
    assert_int_equal(record.cookie, 0);
    assert_null(record.socket);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_RECORD);
    assert_int_equal(record.kind, PW_KIND_CLOSE);
    assert_int_equal(trace_reader_counts(reader)->torn, 1);
    trace_reader_close(reader);
}

static void nothing_of_an_earlier_record_is_left_in_the_next(void **state) {
    static const struct trace_record nothing;
    struct trace_record record;
    struct trace_reader *reader;

    (void)state;
    writer_tear(writer_add(&writer, PW_KIND_BIND, 2, 0, 0, 50, 0, 90));
    writer_store(&writer);
    reader = open_trace();
    memset(&record, 0x5a, sizeof record);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_RECORD);
    assert_int_equal(record.kind, PW_KIND_BIND);
    record.kind = 0;
    /* Of what is no filling between the fields. */
    assert_memory_equal(&record.committed, &nothing.committed, sizeof record.committed);
    assert_memory_equal(&record.process, &nothing.process,
                        offsetof(struct trace_record, call) + sizeof record.call -
                            offsetof(struct trace_record, process));
    assert_memory_equal(&record.flags, &nothing.flags,
                        offsetof(struct trace_record, frame_units) + sizeof record.frame_units -
                            offsetof(struct trace_record, flags));
    assert_memory_equal(&record.addresses, &nothing.addresses,
                        sizeof record - offsetof(struct trace_record, addresses));
    trace_reader_close(reader);
}

static void blank_orphaned_damaged_and_unknown_units_are_counted_and_passed(void **state) {
    struct trace_record record;
    struct trace_reader *reader;

    (void)state;
    writer.used += 2; /* blank */
    writer.units[writer.used++].text.head = PW_HEAD(PW_TAG_CONTINUATION, 1, PW_KIND_BIND, 0);
    writer.units[writer.used++].text.head = 0x12345677; /* no tag at all */
    writer_add(&writer, PW_KIND_END + 9, 4, 1, 1, 1, 1, 1);
    writer_add(&writer, PW_KIND_BIND, 3, 1, 1, 1, 1, 1);
    writer.used -= 2; /* its count runs over the next start */
    writer_add(&writer, PW_KIND_CLOSE, 1, 1, 1, 1, 5, 6);
    writer_store(&writer);
    reader = open_trace();
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_RECORD);
    assert_int_equal(record.kind, PW_KIND_CLOSE);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_END);
    assert_int_equal(trace_reader_counts(reader)->blank, 2);
    assert_int_equal(trace_reader_counts(reader)->orphans, 1);
    assert_int_equal(trace_reader_counts(reader)->damaged, 2);
    assert_int_equal(trace_reader_counts(reader)->unknown, 1);
    assert_int_equal(trace_reader_counts(reader)->records, 1);
    trace_reader_close(reader);
}

static void units_beyond_the_end_of_the_file_are_counted_as_cut(void **state) {
    struct trace_record record;
    struct trace_reader *reader;

    (void)state;
    writer_add(&writer, PW_KIND_CLOSE, 1, 1, 1, 1, 1, 2);
    writer_add(&writer, PW_KIND_CONNECT, 3, 1, 1, 1, 1, 2);
    writer_add(&writer, PW_KIND_CLOSE, 1, 1, 1, 1, 1, 2);
    writer_store(&writer);
    assert_int_equal(truncate(writer.path, PW_UNITS_OFFSET + 2 * PW_UNIT_SIZE + 10), 0);
    reader = open_trace();
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_RECORD);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_END);
    assert_int_equal(trace_reader_counts(reader)->cut, 4);
    assert_int_equal(trace_reader_counts(reader)->records, 1);
    trace_reader_close(reader);
}

static void a_file_cut_while_it_is_read_ends_the_reading(void **state) {
    struct trace_record record;
    struct trace_reader *reader;
    unsigned records = 0;

    (void)state;
    for (unsigned i = 0; i < WRITER_UNITS; i++)
        writer_add(&writer, PW_KIND_CLOSE, 1, 1, 1, 1, 1, 2);
    writer_store(&writer);
    reader = open_trace();
    trace_reader_tail(reader, true);
    assert_int_equal(truncate(writer.path, PW_UNITS_OFFSET + 100 * PW_UNIT_SIZE), 0);
    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD)
        records++;
    assert_int_equal(records, 100);
    assert_int_equal(trace_reader_counts(reader)->cut, WRITER_UNITS - 100);
    trace_reader_close(reader);
}

static void next_unit_past_the_capacity_is_no_cut(void **state) {
    struct trace_record record;
    struct trace_reader *reader;
    uint64_t past = 1000000;
    FILE *file;

    (void)state;
    for (unsigned i = 0; i < WRITER_UNITS; i++)
        writer_add(&writer, PW_KIND_CLOSE, 1, 1, 1, 1, 1, 2);
    writer_store(&writer);
    file = fopen(writer.path, "r+b");
    fseek(file, offsetof(struct pw_header, next_unit), SEEK_SET);
    fwrite(&past, sizeof past, 1, file);
    fclose(file);
    reader = open_trace();
    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD)
        continue;
    assert_int_equal(trace_reader_counts(reader)->records, WRITER_UNITS);
    assert_int_equal(trace_reader_counts(reader)->cut, 0);
    trace_reader_close(reader);
}

static void a_tail_waits_for_what_is_not_committed(void **state) {
    union pw_unit *blocked = writer_add(&writer, PW_KIND_ACCEPT, 3, 1, 4, 50, 10, 90);
    uint32_t committed = blocked->start.head;
    union pw_unit blank_start;
    struct trace_record record;
    struct trace_reader *reader;
    union pw_unit *late;

    (void)state;
    writer_tear(blocked);
    late = writer_add(&writer, PW_KIND_BIND, 2, 1, 5, 51, 20, 30);
    blank_start = *late;
    memset(late, 0, sizeof *late);
    writer_add(&writer, PW_KIND_CLOSE, 1, 1, 6, 52, 40, 50);
    writer_store(&writer);
    reader = open_trace();
    trace_reader_tail(reader, true);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_RECORD);
    assert_int_equal(record.kind, PW_KIND_CLOSE);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_END);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_END);

    *late = blank_start;
    writer_add(&writer, PW_KIND_CLOSE, 1, 1, 7, 53, 60, 70);
    writer_store(&writer);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_RECORD);
    assert_int_equal(record.cookie, 53);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_RECORD);
    assert_int_equal(record.cookie, 51);
    assert_non_null(record.socket);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_END);

    blocked->start.head = committed;
    writer_store(&writer);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_RECORD);
    assert_int_equal(record.kind, PW_KIND_ACCEPT);
    assert_int_equal(record.unit, 0);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_END);
    assert_int_equal(trace_reader_counts(reader)->torn, 0);
    assert_int_equal(trace_reader_counts(reader)->blank, 0);
    assert_int_equal(trace_reader_counts(reader)->orphans, 0);
    trace_reader_close(reader);
}

static void a_tail_turned_off_reports_what_stayed_torn_or_blank(void **state) {
    struct trace_record record;
    struct trace_reader *reader;

    (void)state;
    writer_tear(writer_add(&writer, PW_KIND_ACCEPT, 3, 1, 4, 50, 10, 90));
    writer.used += 1;
    writer_store(&writer);
    reader = open_trace();
    trace_reader_tail(reader, true);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_END);
    trace_reader_tail(reader, false);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_RECORD);
    assert_false(record.committed);
    assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_END);
    assert_int_equal(trace_reader_counts(reader)->torn, 1);
    assert_int_equal(trace_reader_counts(reader)->blank, 1);
    trace_reader_close(reader);
}

static void a_rewound_reader_reads_the_same_again(void **state) {
    struct trace_record record;
    struct trace_reader *reader;

    (void)state;
    writer_add(&writer, PW_KIND_CLOSE, 1, 1, 1, 1, 1, 2);
    writer.used += 1;
    writer_store(&writer);
    reader = open_trace();
    for (int pass = 0; pass < 2; pass++) {
        assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_RECORD);
        assert_int_equal(record.unit, 0);
        assert_int_equal(trace_reader_next(reader, &record), TRACE_NEXT_END);
        assert_int_equal(trace_reader_counts(reader)->records, 1);
        assert_int_equal(trace_reader_counts(reader)->blank, 1);
        trace_reader_rewind(reader);
    }
    trace_reader_close(reader);
}

static void what_is_no_trace_is_refused_with_the_reason(void **state) {
    struct trace_reader_problem problem;
    const struct pw_header good = writer.header;

    (void)state;
    writer_add(&writer, PW_KIND_CLOSE, 1, 1, 1, 1, 1, 2);
#define REFUSED_WITH(change, because)                                                              \
    do {                                                                                           \
        writer.header = good;                                                                      \
        change;                                                                                    \
        writer_store(&writer);                                                                     \
        assert_refused(because);                                                                   \
    } while (0)
    REFUSED_WITH(writer.header.magic[2] = 'X', "not a portwitness trace");
    REFUSED_WITH(writer.header.version = 2, "version 2");
    REFUSED_WITH(writer.header.byte_order = 0x04030201, "other byte order");
    REFUSED_WITH(writer.header.byte_order = 0x12121212, "byte order mark");
    REFUSED_WITH(writer.header.unit_size = 32, "units of 32 bytes");
    REFUSED_WITH(writer.header.features = 4, "0x4");
    REFUSED_WITH(writer.header.capacity = 8192, "sizes");
    REFUSED_WITH(writer.header.policy_size = UINT32_MAX, "sizes");
#undef REFUSED_WITH
    assert_int_equal(truncate(writer.path, 0), 0);
    assert_refused("is empty");
    assert_null(trace_reader_open("/tmp", &problem));
    assert_non_null(strstr(problem.what, "folder"));
    assert_null(trace_reader_open("/nowhere/at/all", &problem));
    assert_non_null(strstr(problem.what, "No such file"));
}

static void a_header_cut_anywhere_is_refused(void **state) {
    (void)state;
    writer_add(&writer, PW_KIND_CLOSE, 1, 1, 1, 1, 1, 2);
    writer_store(&writer);
    for (off_t size = PW_HEADER_SIZE - 1; size > 0; size--) {
        assert_int_equal(truncate(writer.path, size), 0);
        assert_refused("cut off inside its header");
    }
}

static void random_units_never_make_the_reader_fail(void **state) {
    unsigned short seed[3] = {1, 2, 3};

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct trace_record record;
        struct trace_reader *reader;
        uint64_t units = 0;
        const struct trace_counts *counts;

        writer.used = WRITER_UNITS;
        for (unsigned i = 0; i < WRITER_UNITS; i++) {
            for (unsigned byte = 0; byte < PW_UNIT_SIZE; byte += 4) {
                uint32_t word = (uint32_t)jrand48(seed);

                memcpy(writer.units[i].bytes + byte, &word, sizeof word);
            }
            /* Mostly plausible heads, or nothing but the tag would ever be looked at. */
            if (i % 8 != 0)
                writer.units[i].text.head =
                    i % 3 == 1 ? PW_HEAD(PW_TAG_START, (unsigned)nrand48(seed) % 5,
                                         (unsigned)nrand48(seed) % 40, nrand48(seed) % 4)
                               : PW_HEAD(PW_TAG_CONTINUATION, i % 3 == 2 ? 1 : 2, 1, 0);
        }
        writer_store(&writer);
        reader = open_trace();
        while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD) {
            units++;
            if (record.text != NULL)
                assert_int_equal(record.text[record.text_length], '\0');
        }
        counts = trace_reader_counts(reader);
        assert_int_equal(units, counts->records + counts->torn);
        assert_true(counts->records > 0 && counts->damaged > 0);
        trace_reader_close(reader);
    }
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_committed_record_is_read_whole),
        TEST(text_over_several_units_is_joined),
        TEST(a_record_never_committed_is_torn_and_names_whom_it_concerns),
        TEST(nothing_of_an_earlier_record_is_left_in_the_next),
        TEST(blank_orphaned_damaged_and_unknown_units_are_counted_and_passed),
        TEST(units_beyond_the_end_of_the_file_are_counted_as_cut),
        TEST(a_file_cut_while_it_is_read_ends_the_reading),
        TEST(next_unit_past_the_capacity_is_no_cut),
        TEST(a_tail_waits_for_what_is_not_committed),
        TEST(a_tail_turned_off_reports_what_stayed_torn_or_blank),
        TEST(a_rewound_reader_reads_the_same_again),
        TEST(what_is_no_trace_is_refused_with_the_reason),
        TEST(a_header_cut_anywhere_is_refused),
        TEST(random_units_never_make_the_reader_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
