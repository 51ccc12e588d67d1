/* JSON written as it is made, for outputs of many lines: what json_line.h would write, byte for
 * byte, without objects in memory. */
#ifndef PORTWITNESS_BASE_JSON_STREAM_H
#define PORTWITNESS_BASE_JSON_STREAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Zero-initialized it is empty. */
struct json_stream {
    char *bytes; /* what is not written to standard output yet */
    size_t used;
    size_t room;
};

/* Makes room for `more` bytes behind those that are there. */
void json_stream_grow(struct json_stream *stream, size_t more);

static inline void json_stream_add(struct json_stream *stream, const char *bytes, size_t length) {
    if (stream->room - stream->used < length)
        json_stream_grow(stream, length);
    memcpy(stream->bytes + stream->used, bytes, length);
    stream->used += length;
}

/* The key of the next value of an object, with its comma before it and its quotes. */
static inline void json_stream_key(struct json_stream *stream, const char *key, size_t length) {
    bool is_first = stream->bytes[stream->used - 1] == '{';
    json_stream_add(stream, key + is_first, length - is_first);
}

/* JSON_PUT(stream, "port", number, 80): the key, which needs no escapes, and its value, by
 * json_stream_number. */
#define JSON_KEY(stream, key) json_stream_key(stream, ",\"" key "\":", sizeof(",\"" key "\":") - 1)
#define JSON_PUT(stream, key, kind, ...)                                                           \
    (JSON_KEY(stream, key), json_stream_##kind(stream, __VA_ARGS__))
#define JSON_PUT_NULL(stream, key) (JSON_KEY(stream, key), json_stream_null(stream))

/* The same of a key that is not known before. */
void json_stream_name(struct json_stream *stream, const char *key);

/* A brace or bracket that opens or closes an object or a list, or another byte as it is. */
static inline void json_stream_byte(struct json_stream *stream, char byte) {
    json_stream_add(stream, &byte, 1);
}

/* Before each value of a list. */
static inline void json_stream_item(struct json_stream *stream) {
    if (stream->bytes[stream->used - 1] != '[')
        json_stream_byte(stream, ',');
}

static inline void json_stream_null(struct json_stream *stream) {
    json_stream_add(stream, "null", 4);
}

static inline void json_stream_boolean(struct json_stream *stream, bool value) {
    json_stream_add(stream, value ? "true" : "false", value ? 4 : 5);
}

void json_stream_integer(struct json_stream *stream, int64_t number);

/* A number; a decimal string where it does not fit a signed 64-bit integer. */
void json_stream_number(struct json_stream *stream, uint64_t number);

/* A number, or null where it is 0. */
void json_stream_number_or_null(struct json_stream *stream, uint64_t number);

/* Text that may hold any bytes: what is not UTF-8 becomes U+FFFD. */
void json_stream_text(struct json_stream *stream, const char *text, size_t length);

/* Text that ends with a NUL, or null where it is NULL. */
void json_stream_text_or_null(struct json_stream *stream, const char *text);

/* Bytes as a string of hexadecimal digits. */
void json_stream_hexadecimal(struct json_stream *stream, const uint8_t *bytes, size_t length);

/* The keys and values of an object, which is dropped. */
void json_stream_members(struct json_stream *stream, json_t *object);

/* Ends the line. Now and then what there is goes to standard output, which keeps errors. */
void json_stream_end_line(struct json_stream *stream);

/* Writes out what is left, and frees all. */
void json_stream_finish(struct json_stream *stream);

#endif
