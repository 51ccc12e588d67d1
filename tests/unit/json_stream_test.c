/* Lines are written as jansson would write them, whatever the texts and numbers are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/base/digits.h"
#include "harness/base/json_line.h"
#include "harness/base/json_stream.h"
#include "harness/base/splitmix.h"

enum { TEXT_MAX = 12, TEXTS = 100000 };

static struct json_stream stream;

static int end(void **state) {
    (void)state;
    free(stream.bytes);
    stream = (struct json_stream){0};
    return 0;
}

static void assert_written(const char *expected, size_t length) {
    assert_int_equal(stream.used, length);
    assert_memory_equal(stream.bytes, expected, length);
    stream.used = 0;
}

/* What is written is what jansson makes of the value, which is dropped. */
static void assert_as_jansson(json_t *value) {
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_written(text, strlen(text));
    free(text);
    json_decref(value);
}

static void assert_text(const unsigned char *bytes, size_t length) {
    json_stream_text(&stream, (const char *)bytes, length);
    assert_as_jansson(json_text((const char *)bytes, length));
}

static void any_two_bytes_are_written_as_jansson_does(void **state) {
    (void)state;
    assert_text((const unsigned char *)"", 0);
    for (unsigned first = 0; first < 256; first++) {
        const unsigned char one[] = {(unsigned char)first};
        assert_text(one, 1);
        for (unsigned second = 0; second < 256; second++) {
            const unsigned char two[] = {(unsigned char)first, (unsigned char)second};
            assert_text(two, 2);
        }
    }
}

/* Each first byte of a longer character with the bytes at the borders of what may follow it. */
static void characters_at_every_border_are_told_from_rubbish(void **state) {
    static const unsigned char borders[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
                                            0xa0, 0xbf, 0xc0, 0xc2, 0xff};
    (void)state;
    for (unsigned first = 0xc0; first < 256; first++)
        for (unsigned i = 0; i < sizeof borders; i++)
            for (unsigned j = 0; j < sizeof borders; j++)
                for (unsigned k = 0; k < sizeof borders; k++) {
                    const unsigned char text[] = {(unsigned char)first, borders[i], borders[j],
                                                  borders[k]};
                    for (unsigned length = 2; length <= sizeof text; length++)
                        assert_text(text, length);
                }
}

static void texts_of_all_kinds_of_bytes_are_written_as_jansson_does(void **state) {
    static const char some[] = "\0\t\n\"\\a/\x7f\x80\xa0\xc3\xe2\xed\xf0\xf4\xff";
    uint64_t random = 1;
    (void)state;
    for (unsigned i = 0; i < TEXTS; i++) {
        unsigned char text[TEXT_MAX];
        size_t length = splitmix(&random) % (TEXT_MAX + 1);
        for (size_t j = 0; j < length; j++)
            text[j] = (unsigned char)some[splitmix(&random) % (sizeof some - 1)];
        assert_text(text, length);
    }
}

static void numbers_are_written_as_jansson_does(void **state) {
    (void)state;
    for (unsigned shift = 0; shift < 64; shift++)
        for (int more = -1; more <= 1; more++) {
            uint64_t number = (UINT64_C(1) << shift) + (uint64_t)more;
            json_stream_number(&stream, number);
            assert_as_jansson(json_number(number));
            json_stream_number_or_null(&stream, number);
            assert_as_jansson(json_number_or_null(number));
            json_stream_integer(&stream, (int64_t)number);
            assert_as_jansson(json_integer((json_int_t)number));
        }
    json_stream_text_or_null(&stream, NULL);
    assert_as_jansson(json_null());
    json_stream_hexadecimal(&stream, (const uint8_t *)"\x00\x9a\xff", 3);
    assert_as_jansson(json_string("009aff"));
}

static void commas_stand_between_and_nowhere_else(void **state) {
    (void)state;
    json_stream_byte(&stream, '{');
    json_stream_members(&stream, json_object());
    json_stream_members(&stream, json_pack("{s:[i,i],s:n}", "one", 1, 2, "two"));
    JSON_PUT(&stream, "three", boolean, true);
    json_stream_name(&stream, "four");
    json_stream_byte(&stream, '[');
    for (unsigned i = 0; i < 2; i++) {
        json_stream_item(&stream);
        json_stream_byte(&stream, '{');
        JSON_PUT_NULL(&stream, "five");
        json_stream_byte(&stream, '}');
    }
    json_stream_byte(&stream, ']');
    json_stream_members(&stream, json_object());
    json_stream_members(&stream, json_pack("{s:b}", "six", 0));
    json_stream_byte(&stream, '}');
    static const char expected[] = "{\"one\":[1,2],\"two\":null,\"three\":true,"
                                   "\"four\":[{\"five\":null},{\"five\":null}],\"six\":false}";
    assert_written(expected, sizeof expected - 1);
}

static void digits_are_filled_up_from_the_left(void **state) {
    char text[DIGITS_MAX + 1];
    (void)state;
    *digits_put(text, 7, 6) = '\0';
    assert_string_equal(text, "000007");
    *digits_put(text, 1234567, 6) = '\0';
    assert_string_equal(text, "1234567");
    *digits_put(text, UINT64_MAX, DIGITS_MAX) = '\0';
    assert_string_equal(text, "18446744073709551615");
}

int main(void) {
#define TEST(function) cmocka_unit_test_teardown(function, end)
    const struct CMUnitTest tests[] = {
        TEST(any_two_bytes_are_written_as_jansson_does),
        TEST(characters_at_every_border_are_told_from_rubbish),
        TEST(texts_of_all_kinds_of_bytes_are_written_as_jansson_does),
        TEST(numbers_are_written_as_jansson_does),
        TEST(commas_stand_between_and_nowhere_else),
        TEST(digits_are_filled_up_from_the_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
