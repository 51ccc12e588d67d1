/* Records and findings show frames alike. */
#include "harness/report/frame_json.h"

#include "harness/base/json_line.h"
#include "harness/base/names.h"

json_t *frame_json(struct frame_text frame) {
    json_t *object = json_object();
    json_object_set_new(object, "file", json_text_or_null(frame.file));
    json_object_set_new(object, "line", json_number_or_null(frame.line));
    json_object_set_new(object, "function", json_text_or_null(frame.function));
    json_object_set_new(object, "of", json_text_or_null(name_of_frame_owner(frame.of)));
    json_object_set_new(object, "test", json_boolean(frame.is_test));
    return object;
}

void frame_json_write(struct json_stream *to, struct frame_text frame) {
    json_stream_byte(to, '{');
    JSON_PUT(to, "file", text_or_null, frame.file);
    JSON_PUT(to, "line", number_or_null, frame.line);
    JSON_PUT(to, "function", text_or_null, frame.function);
    JSON_PUT(to, "of", text_or_null, name_of_frame_owner(frame.of));
    JSON_PUT(to, "test", boolean, frame.is_test);
    json_stream_byte(to, '}');
}
