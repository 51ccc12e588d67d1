/* Written by hand, since no library of Debian 12 is fast enough for a line a record. A million of
 * them, with reading the trace, took 4.6 s by jansson, which makes an object of each, as json-c
 * does; the generator of yajl alone 1.7 s, for it is called for each token and escapes byte by
 * byte; what is here 0.4 s, with reading. rapidjson is C++. Small outputs stay with jansson, which
 * is also what the tests compare this with. */
#include "harness/base/json_stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "harness/base/digits.h"
#include "harness/base/memory.h"

enum { WRITE_FROM = 1 << 16, ESCAPE_BYTES = 6 };

void json_stream_grow(struct json_stream *stream, size_t more) {
    stream->bytes = memory_grow(stream->bytes, &stream->room, stream->used + more, 1);
}

static void reserve(struct json_stream *stream, size_t more) {
    if (stream->room - stream->used < more)
        json_stream_grow(stream, more);
}

static void add_decimal(struct json_stream *stream, uint64_t number) {
    reserve(stream, DIGITS_MAX);
    stream->used = (size_t)(digits_put(stream->bytes + stream->used, number, 1) - stream->bytes);
}

void json_stream_name(struct json_stream *stream, const char *key) {
    if (stream->bytes[stream->used - 1] != '{')
        json_stream_byte(stream, ',');
    json_stream_byte(stream, '"');
    json_stream_add(stream, key, strlen(key));
    json_stream_add(stream, "\":", 2);
}

void json_stream_integer(struct json_stream *stream, int64_t number) {
    if (number < 0)
        json_stream_byte(stream, '-');
    add_decimal(stream, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

void json_stream_number(struct json_stream *stream, uint64_t number) {
    bool is_text = number > (uint64_t)INT64_MAX;

    if (is_text)
        json_stream_byte(stream, '"');
    add_decimal(stream, number);
    if (is_text)
        json_stream_byte(stream, '"');
}

void json_stream_number_or_null(struct json_stream *stream, uint64_t number) {
    if (number == 0)
        json_stream_null(stream);
    else
        json_stream_number(stream, number);
}

/* How many bytes the character at `text`, which is not of ASCII, has; 0 if it is not one of UTF-8:
 * what is longer than it need be, half of a pair of UTF-16, or beyond U+10FFFF is none. */
static size_t character_length(const unsigned char *text, size_t left) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *text >= 0xf0 ? 4 : *text >= 0xe0 ? 3 : 2;
    uint32_t code = *text & (0x7fu >> length);

    if (*text < 0xc2 || *text > 0xf4 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    return length;
}

static bool is_plain(unsigned char byte) {
    return byte >= ' ' && byte < 0x80 && byte != '"' && byte != '\\';
}

static size_t escape(char to[ESCAPE_BYTES], unsigned char byte) {
    static const char digits[] = "0123456789ABCDEF";
    static const char letters[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                   ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};

    to[0] = '\\';
    if (letters[byte] != '\0') {
        to[1] = letters[byte];
        return 2;
    }
    memcpy(to + 1, "u00", 3);
    to[4] = digits[byte >> 4];
    to[5] = digits[byte & 15];
    return ESCAPE_BYTES;
}

/* Writes what is at `text` and not plain; how many of its bytes that were. */
static size_t add_special(struct json_stream *stream, const char *text, size_t left) {
    const unsigned char *bytes = (const unsigned char *)text;
    char escaped[ESCAPE_BYTES] = "";
    size_t length;

    if (*bytes < 0x80) {
        length = escape(escaped, *bytes);
        json_stream_add(stream, escaped, length);
        return 1;
    }
    length = character_length(bytes, left);
    json_stream_add(stream, length > 0 ? text : "\xef\xbf\xbd", length > 0 ? length : 3);
    return length > 0 ? length : 1;
}

void json_stream_text(struct json_stream *stream, const char *text, size_t length) {
    size_t done = 0;

    json_stream_byte(stream, '"');
    while (done < length) {
        size_t plain = done;
        while (plain < length && is_plain((unsigned char)text[plain]))
            plain++;
        json_stream_add(stream, text + done, plain - done);
        done = plain;
        if (done < length)
            done += add_special(stream, text + done, length - done);
    }
    json_stream_byte(stream, '"');
}

void json_stream_text_or_null(struct json_stream *stream, const char *text) {
    if (text == NULL)
        json_stream_null(stream);
    else
        json_stream_text(stream, text, strlen(text));
}

void json_stream_hexadecimal(struct json_stream *stream, const uint8_t *bytes, size_t length) {
    static const char digits[] = "0123456789abcdef";

    reserve(stream, 2 * length + 2);
    json_stream_byte(stream, '"');
    for (size_t i = 0; i < length; i++) {
        stream->bytes[stream->used++] = digits[bytes[i] >> 4];
        stream->bytes[stream->used++] = digits[bytes[i] & 15];
    }
    json_stream_byte(stream, '"');
}

void json_stream_members(struct json_stream *stream, json_t *object) {
    char *text = json_dumps(object, JSON_COMPACT);
    size_t length = text != NULL ? strlen(text) : 0;

    /* Without the braces. */
    if (length > 2 && stream->bytes[stream->used - 1] != '{')
        json_stream_byte(stream, ',');
    if (length > 2)
        json_stream_add(stream, text + 1, length - 2);
    free(text);
    json_decref(object);
}

static void write_out(struct json_stream *stream) {
    /* A failed write leaves the stream's error set, which output_finish reports. */
    fwrite(stream->bytes, 1, stream->used, stdout);
    stream->used = 0;
}

void json_stream_end_line(struct json_stream *stream) {
    json_stream_byte(stream, '\n');
    if (stream->used >= WRITE_FROM)
        write_out(stream);
}

void json_stream_finish(struct json_stream *stream) {
    if (stream->used > 0)
        write_out(stream);
    free(stream->bytes);
    *stream = (struct json_stream){0};
}
