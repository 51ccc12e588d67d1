/* One structure is found among the kernel's types, and none where they are cut or damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <linux/btf.h>

#include "harness/capture/task_stack.h"

enum { OFFSET = 32 };

static const char strings[] = "\0int\0flags\0stack\0task_struct";
enum names { NAME_INT = 1, NAME_FLAGS = 5, NAME_STACK = 11, NAME_TASK = 17 };

struct types {
    struct btf_header header;
    struct btf_type integer;
    uint32_t encoding;
    struct btf_type other; /* a structure of another name with a member `stack` */
    struct btf_member other_member;
    struct btf_type task;
    struct btf_member members[2];
    char strings[sizeof strings];
};

static struct types make(void) {
    struct types types = {
        .header = {.magic = BTF_MAGIC,
                   .version = BTF_VERSION,
                   .hdr_len = sizeof types.header,
                   .type_len = offsetof(struct types, strings) - sizeof types.header,
                   .str_off = offsetof(struct types, strings) - sizeof types.header,
                   .str_len = sizeof types.strings},
        .integer = {.name_off = NAME_INT, .info = BTF_KIND_INT << 24, .size = 4},
        .encoding = 32,
        .other = {.name_off = NAME_FLAGS, .info = BTF_KIND_STRUCT << 24 | 1, .size = 4},
        .other_member = {.name_off = NAME_STACK, .type = 1, .offset = 8},
        .task = {.name_off = NAME_TASK, .info = BTF_KIND_STRUCT << 24 | 2, .size = 64},
        .members = {{.name_off = NAME_FLAGS, .type = 1, .offset = 0},
                    {.name_off = NAME_STACK, .type = 1, .offset = OFFSET * 8}},
    };
    memcpy(types.strings, strings, sizeof strings);
    return types;
}

static uint32_t offset_in(const void *types, size_t size) {
    /* In memory of its own, so that a checker sees a read beyond it. */
    unsigned char *copy = malloc(size + (size == 0));
    memcpy(copy, types, size);
    uint32_t offset = task_stack_offset_in(copy, size);
    free(copy);
    return offset;
}

static void the_member_is_found(void **state) {
    (void)state;
    struct types types = make();
    assert_int_equal(offset_in(&types, sizeof types), OFFSET);
}

static void cut_types_have_none(void **state) {
    (void)state;
    struct types types = make();
    for (size_t size = 0; size < offsetof(struct types, strings) + sizeof strings; size++)
        assert_int_equal(offset_in(&types, size), 0);
}

/* Whatever stands there, nothing beyond the types is read. */
static void damaged_types_are_survived(void **state) {
    (void)state;
    for (size_t at = 0; at < sizeof(struct types); at++) {
        struct types types = make();
        for (unsigned value = 1; value < 256; value <<= 1) {
            ((unsigned char *)&types)[at] ^= (unsigned char)value;
            offset_in(&types, sizeof types);
        }
    }
}

static void without_the_structure_there_is_none(void **state) {
    (void)state;
    struct types types = make();
    types.task.name_off = NAME_INT;
    assert_int_equal(offset_in(&types, sizeof types), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_member_is_found),
        cmocka_unit_test(cut_types_have_none),
        cmocka_unit_test(damaged_types_are_survived),
        cmocka_unit_test(without_the_structure_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
