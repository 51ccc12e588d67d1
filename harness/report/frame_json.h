/* A frame in the language of a program, as a JSON object. */
#ifndef PORTWITNESS_REPORT_FRAME_JSON_H
#define PORTWITNESS_REPORT_FRAME_JSON_H

#include <jansson.h>

#include "harness/base/json_stream.h"
#include "harness/trace/strings.h"

/* {"file", "line", "function", "of"}: null where not known; `of` is "library", "framework",
 * "dependency" or "user"; `test` whether what runs tests called it. */
json_t *frame_json(struct frame_text frame);

/* The same, written: every record of a program that frames are known of has them. */
void frame_json_write(struct json_stream *to, struct frame_text frame);

#endif
