/*
 * A text is known by what it says, so a hash can name it in every process of a run, whoever wrote
 * it.
 */
#include "shim/shared/frame_text.h"

#include <string.h>

/* FNV-1a, from its basis on or from what it was behind another text. */
static uint64_t hash_text(uint64_t hash, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint32_t fold(uint64_t hash) { return (uint32_t)(hash >> 32 ^ hash); }

/* The second's goes on from the whole one of the first: many files have a function of one name, and
 * two of them whose halves are the same shall not be taken for one. */
static uint64_t hash_both(const char *first, size_t length, const char *second,
                          size_t second_length) {
    uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), first, length);
    return (uint64_t)fold(hash) << 32 | fold(hash_text(hash, second, second_length));
}

void frame_text_pair(struct frame_text_pair *pair, const char *first, const char *second) {
    size_t one = first != NULL ? strlen(first) : 0;
    size_t two = second != NULL ? strlen(second) : 0;
    size_t room_one = one < FRAME_TEXT_BYTES / 2 ? one : FRAME_TEXT_BYTES / 2;
    size_t room_two = two < FRAME_TEXT_BYTES / 2 - 1 ? two : FRAME_TEXT_BYTES / 2 - 1;
    char *second_part = pair->bytes + room_one + 1;
    if (room_one > 0)
        memcpy(pair->bytes, first + one - room_one, room_one);
    pair->bytes[room_one] = '\0';
    if (room_two > 0)
        memcpy(second_part, second, room_two);
    pair->length = room_one + 1 + room_two;
    pair->is_cut = room_one < one || room_two < two;
    pair->name = hash_both(pair->bytes, room_one, second_part, room_two);
}
